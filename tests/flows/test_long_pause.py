"""Hourly looks that are left out are those that would have changed nothing."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import pytest
from engines import Workshop, workshop
from making import NOW, TODAY, make_customer, make_freeze, make_membership, make_visit, rows_of
from sqlalchemy import Connection

from crm_store.database import Store
from crm_store.events import record
from crm_store.models.campaign import Enrollment
from crm_store.models.touchpoint import Touchpoint
from crm_store.scratch import copy_to_scratch
from flows.campaigns import load_campaigns
from flows.foresight.long_pause import LongPause
from flows.foresight.play import HandClock, Play
from flows.foresight.scratch_engine import NoWayOut

CAMPAIGN = """
campaign: one
name: One
topic: news
trigger: {{type: membership_expiring}}
pause_while: {pause}
defaults: {{late: {{grace: {grace}}}, quiet_hours: "19:00-07:15"}}
steps:
  - {{id: first, at: -9d, email: note/one}}
  - {{id: other, at: -8d, time: "18:40", email: note/two, if: visits.total > 0}}
  - id: asked
    at: -5d
    sms: note/short
    fallback: [email]
    wait_for: {{event: link_clicked, timeout: 24h}}
    on_timeout: {{task: {{queue: desk, title: Call, due: 4h}}}}
  - {{id: last, at: -1d, email: note/three}}
"""
FROZEN = "membership.frozen"
LEFT = "membership.days_left > 4"
NEW = 'customer.stage == "new"'  # until day 6, 12:20
AWAY = "membership.frozen and visits.last_30d == 0"  # visits go by the hour
SIGNED_AT = NOW + timedelta(days=6, hours=1, minutes=50)
CASES = [
    (FROZEN, "36h", [(-3, None)]),
    (FROZEN, "36h", [(-3, 3)]),
    (FROZEN, "5d", [(1, 2), (4, 5), (6, None)]),
    (FROZEN, "30m", [(0, 2), (5, 9)]),
    (LEFT, "36h", []),
    (LEFT, "6d", [(-3, None)]),
    (NEW, "5d", []),
    (AWAY, "5d", [(-3, 8)]),
]


def play_of(club: Workshop, path: Path) -> Play:
    clock, scratch = HandClock(NOW), copy_to_scratch(club.store, path)
    channels = {one: NoWayOut(one) for one in ("email", "sms")}
    engine = replace(club.engine, store=scratch, clock=clock, channels=channels)
    running, broken = load_campaigns(scratch, club.files, engine.catalogue, NOW)
    assert not broken
    return Play(engine, clock, running)


def ledger(play: Play) -> list[object]:
    entered = ("status", "end_reason", "ended_at", "next_at", "exits_from")
    sent = ("step", "channel", "state", "reason", "due_at", "sent_at", "settled_at")
    store = play.engine.store
    return [rows_of(store, Enrollment, *entered), rows_of(store, Touchpoint, *sent)]


@pytest.mark.parametrize(("pause", "grace", "freezes"), CASES)
async def test_the_same_comes_about(
    sqlite_store: Store,
    tmp_path: Path,
    pause: str,
    grace: str,
    freezes: Sequence[tuple[int, int | None]],
) -> None:
    async with workshop(sqlite_store, tmp_path) as club:
        for language in ("en", "hi"):
            text = club.folder / "templates" / language / "email" / "note" / "short.md"
            text.write_text("---\nsubject: Short\n---\nSee you.\n")
        club.campaign(CAMPAIGN.format(pause=pause, grace=grace))
        customer = make_customer(club.store, phone=None, pipeline="sales", stage="new")
        term = make_membership(club.store, customer, ends_on=in_days(10))
        make_visit(club.store, customer, NOW - timedelta(days=26, hours=3, minutes=7))
        for begin, end in freezes:
            make_freeze(club.store, term, in_days(begin), None if end is None else in_days(end))
        whole, quick = (play_of(club, tmp_path / f"{name}.db") for name in "ab")
        quick.long_pause = LongPause(quick.engine, quick.campaigns[0])
        for play in (whole, quick):
            play.will_happen(SIGNED_AT, lambda connection: signs(connection, customer))
            await play.run(datetime.combine(in_days(14), time(12), NOW.tzinfo))
        assert ledger(quick) == ledger(whole)
        assert len(rows_of(whole.engine.store, Touchpoint, "id")) >= 3
        assert set(quick.passes) <= set(whole.passes)
        is_long = pause != AWAY and grace != "30m"
        assert (len(quick.passes) < len(whole.passes)) is is_long


def signs(connection: Connection, customer: int) -> None:
    record(
        connection,
        customer_id=customer,
        name="stage_changed",
        data={"pipeline": "sales", "to": "won"},
        source="test",
        occurred_at=SIGNED_AT,
        now=SIGNED_AT,
    )


def in_days(days: int) -> date:
    return TODAY + timedelta(days=days)

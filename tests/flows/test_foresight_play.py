"""A play does on a copy what sweeps would do, and sends nothing."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from engines import Workshop, workshop
from making import NOW, TODAY, make_customer, make_membership, make_visit, rows_of

from crm_console.demo.population import populate
from crm_store.database import Store
from crm_store.models.touchpoint import Touchpoint
from crm_store.scratch import copy_to_scratch
from flows.campaigns import load_campaigns
from flows.foresight.play import HandClock, Play
from flows.foresight.scratch_engine import NoWayOut

RENEWAL = """
campaign: renewal
name: Renewal
topic: renewals
trigger: {type: membership_expiring}
where: '"staff" not in customer.tags'
exit_on: [membership_renewed]
defaults:
  time: "10:30"
  quiet_hours: "21:00-10:00"
  cap: {max: 1, per: 3d, else: postpone}
steps:
  - {id: month, at: -30d, email: note/one}
  - {id: active, at: -14d, email: note/two, if: visits.last_90d >= 8}
  - {id: week, at: -7d, sms: note/short}
  - {id: last, at: -1d, sms: note/short, time: "20:30"}
  - {id: after, at: +3d, email: note/three}
"""
LEAD = """
campaign: lead
name: Lead
topic: news
trigger: {type: new_lead}
exit_on: [trial_booked]
defaults: {cap: {max: 1, per: 3d, else: skip}}
steps:
  - {id: hello, at: now, email: note/one}
  - {id: later, at: +2h, sms: note/short}
  - {id: third, at: +3d, time: "19:00", email: note/two}
"""
BIRTHDAY = """
campaign: birthday
name: Birthday
topic: news
trigger: {type: birthday}
steps:
  - {id: greeting, at: 0d, time: "09:15", email: note/three}
"""
LEDGER = (
    "campaign", "customer_id", "occurrence", "step", "channel", "state", "reason", "due_at",
    "sent_at", "attempts",
)  # fmt: skip


def play_on_copy(club: Workshop, path: Path, stops: Sequence[time] = ()) -> Play:
    """The club's campaigns on a copy of its store, from now on."""
    clock = HandClock(club.clock.now)
    scratch = copy_to_scratch(club.store, path)
    names = ("email", "sms")
    engine = replace(
        club.engine, store=scratch, clock=clock, channels={one: NoWayOut(one) for one in names}
    )
    running, broken = load_campaigns(scratch, club.files, engine.catalogue, clock.now)
    assert not broken
    return Play(engine, clock, running, stops=stops)


@pytest.mark.parametrize(("seed", "stops"), [(1, ()), (2, (time(11), time(15), time(21)))])
async def test_what_is_played_is_what_sweeps_do(
    sqlite_store: Store, tmp_path: Path, seed: int, stops: Sequence[time]
) -> None:
    async with workshop(sqlite_store, tmp_path) as club:
        for name, text in {"renewal": RENEWAL, "lead": LEAD, "birthday": BIRTHDAY}.items():
            club.campaign(text, name)
        populate(club.store, club.engine.club_id, seed=seed, today=TODAY, members=100)
        play = play_on_copy(club, tmp_path / "copy.db", stops)
        await play.run(NOW + timedelta(days=6))

        for moment in play.passes:
            club.clock.now = moment
            await club.sweep()

        played = Counter(rows_of(play.engine.store, Touchpoint, *LEDGER))
        really = Counter(rows_of(club.store, Touchpoint, *LEDGER))
        assert (played - really, really - played) == (Counter(), Counter())
        assert {row[5] for row in played} >= {"accepted", "suppressed", "expired"}
        assert len(club.accepted_ids()) == len(club.caught_ids()) > 100


async def test_the_store_itself_is_not_touched(store: Store, tmp_path: Path) -> None:
    async with workshop(store, tmp_path) as club:
        club.campaign(RENEWAL)
        make_membership(store, make_customer(store), ends_on=TODAY + timedelta(days=7))
        before = club.ledger()
        play = play_on_copy(club, tmp_path / "copy.db")
        await play.run(NOW + timedelta(days=30))
        assert [row[3] for row in rows_of(play.engine.store, Touchpoint, *LEDGER)].count("week")
        assert club.ledger() == before == []
        assert club.caught_ids() == []


async def test_a_year_of_nothing_is_a_pass_a_day(sqlite_store: Store, tmp_path: Path) -> None:
    async with workshop(sqlite_store, tmp_path) as club:
        club.campaign(RENEWAL)
        customer = make_customer(club.store)
        make_visit(club.store, customer)
        make_membership(club.store, customer, ends_on=date(2026, 12, 24))
        play = play_on_copy(club, tmp_path / "copy.db")
        await play.run(NOW + timedelta(days=60))
        at_midnight = [one for one in play.passes if (one.hour, one.minute) == (18, 30)]
        # The rest: the first pass, and those on which a step was due or came out of quiet hours.
        assert len(at_midnight) == 60
        assert len(play.passes) - len(at_midnight) == 6


async def test_a_schedule_comes_at_its_moment(sqlite_store: Store, tmp_path: Path) -> None:
    async with workshop(sqlite_store, tmp_path) as club:
        schedule = "{type: schedule, cron: '45 10 24 11 *'}"
        text = LEAD.replace("{type: new_lead}", schedule)
        club.campaign(text, "lead")
        make_customer(club.store, email="asha@example.org")
        play = play_on_copy(club, tmp_path / "copy.db", (time(9), time(21)))
        await play.run(NOW + timedelta(days=4))
        assert datetime(2026, 11, 24, 5, 15, tzinfo=UTC) in play.passes
        assert play.admitted["lead"] == 1

"""Midnights that are passed over are those at which nothing would have come about."""

import random
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from engines import Workshop, workshop
from making import (
    NOW,
    TODAY,
    make_customer,
    make_event,
    make_freeze,
    make_membership,
    make_visit,
    rows_of,
)
from sqlalchemy import Connection

from crm_store.database import Store
from crm_store.events import record
from crm_store.models.campaign import Enrollment
from crm_store.models.touchpoint import Touchpoint
from crm_store.scratch import copy_to_scratch
from flows.campaigns import load_campaigns
from flows.foresight.next_entry import NextEntry
from flows.foresight.play import HandClock, Happening, Play
from flows.foresight.scratch_engine import NoWayOut
from triggers.timeline import instant

DAYS = 24
UNTIL = instant(TODAY + timedelta(days=DAYS), time.max, ZoneInfo("Asia/Kolkata"))
HAPPENING = ("paid", "lead_created", "membership_renewed", "visit_recorded")
CAMPAIGN = """
campaign: one
name: One
topic: news
trigger: {trigger}
where: {where}
{controls}
exit_on: [membership_renewed]
defaults: {{cap: {{max: 1, per: 3d, else: postpone}}}}
steps:
  - {{id: first, at: {first}, email: note/one}}
  - {{id: second, at: +2d, {second}}}
"""
EXPIRING = "{type: membership_expiring, plans: [annual]}"
MEMBERS = '"staff" not in customer.tags'
CASES = {
    "a stored condition": (EXPIRING, MEMBERS, "-7d"),
    "a condition that time changes": (EXPIRING, "visits.last_30d < 3", "-10d"),
    "the days that are left": (EXPIRING, "membership.days_left < 4", "-10d"),
    "a pause": (EXPIRING, MEMBERS, "-5d", "pause_while: membership.frozen"),
    "once": (EXPIRING, MEMBERS, "-7d", "reentry: once"),
    "birthdays": ("{type: birthday}", "visits.total > 1", "0d"),
    "joined": ("{type: date, field: customer.joined_on}", "membership.frozen", "+1d"),
    "a yearly date": ("{type: date, field: customer.joined_on, every: year}", MEMBERS, "-3d"),
    "a festival": ("{type: date, holiday: Thanksgiving Day, country: US}", MEMBERS, "-3d"),
    "an event": ("{type: event, name: paid}", "visits.last_7d == 0", "+1d"),
    "visits": ("{type: event, name: visit_recorded}", MEMBERS, "+1h", "reentry: {after: 9d}"),
    "a lead": ("{type: new_lead}", MEMBERS, "now"),
    "an absence": ("{type: inactivity, days: 14}", MEMBERS, "+1d"),
    "a schedule": ("{type: schedule, cron: '30 10 * * 1'}", "visits.last_7d == 0", "now"),
    "a change": (EXPIRING, "customer.score < 1", "-7d", "", "update: {score: 1}"),
}


def campaign(
    trigger: str, where: str, first: str, controls: str = "", second: str = "email: note/two"
) -> str:
    return CAMPAIGN.format(
        trigger=trigger, where=f"'{where}'", first=first, controls=controls, second=second
    )


def populate(store: Store, seed: int) -> list[int]:
    """A dozen customers of whom something is true at some time."""
    chance = random.Random(seed)  # noqa: S311
    people = []
    for _ in range(12):
        near = TODAY + timedelta(days=chance.randrange(-5, DAYS))
        born = date(1990, near.month, min(near.day, 28))
        joined = near if chance.random() < 0.5 else born.replace(year=2020)
        tags = ("staff",) if chance.random() < 0.2 else ()
        person = make_customer(store, tags=tags, birth_date=born, joined_on=joined)
        ends_on = TODAY + timedelta(days=chance.randrange(-10, DAYS + 10))
        term = make_membership(store, person, ends_on=ends_on)
        if chance.random() < 0.4:
            day = TODAY + timedelta(days=chance.randrange(DAYS))
            make_freeze(store, term, day, day + timedelta(days=3))
        for _ in range(chance.randrange(6)):
            make_visit(store, person, NOW + timedelta(hours=chance.randrange(-900, 24 * DAYS)))
        people.append(person)
    make_event(store, people[0], "paid")
    return people


def play_of(club: Workshop, path: Path, people: list[int], seed: int) -> Play:
    """The club's campaign on a copy, with things to happen."""
    clock = HandClock(NOW)
    scratch = copy_to_scratch(club.store, path)
    channels = {one: NoWayOut(one) for one in ("email", "sms")}
    engine = replace(club.engine, store=scratch, clock=clock, channels=channels)
    running, broken = load_campaigns(scratch, club.files, engine.catalogue, NOW)
    assert not broken
    play = Play(engine, clock, running)
    chance = random.Random(seed)  # noqa: S311
    for name in HAPPENING if people else ():
        at = NOW + timedelta(minutes=chance.randrange(60 * 24 * DAYS))
        play.will_happen(at, happening(chance.choice(people), name, at))
    return play


def happening(customer: int, name: str, at: datetime) -> Happening:
    def happens(connection: Connection) -> None:
        record(
            connection,
            customer_id=customer,
            name=name,
            source="test",
            source_id=f"{name}{at}",
            occurred_at=at,
            now=at,
        )

    return happens


def ledger(play: Play) -> list[object]:
    entered = ("customer_id", "occurrence", "entered_at", "status", "ended_at")
    sent = ("customer_id", "step", "state", "reason", "due_at", "sent_at", "settled_at")
    store = play.engine.store
    return [rows_of(store, Enrollment, *entered), rows_of(store, Touchpoint, *sent)]


@pytest.mark.parametrize("case", CASES.values(), ids=list(CASES))
async def test_the_same_comes_about(
    sqlite_store: Store, tmp_path: Path, case: tuple[str, ...]
) -> None:
    async with workshop(sqlite_store, tmp_path) as club:
        club.campaign(campaign(*case))
        seed = len(str(case))
        people = populate(club.store, seed)
        whole, quick = (play_of(club, tmp_path / f"{name}.db", people, seed) for name in "ab")
        quick.next_entry = NextEntry(quick.engine, quick.campaigns[0], UNTIL)
        for play in (whole, quick):
            await play.run(UNTIL)
        assert ledger(quick) == ledger(whole)
        assert rows_of(whole.engine.store, Enrollment, "id")


async def test_a_quiet_time_is_passed_over(sqlite_store: Store, tmp_path: Path) -> None:
    async with workshop(sqlite_store, tmp_path) as club:
        club.campaign(campaign(*CASES["a stored condition"]))
        for tags, days in (((), 16), (("staff",), 10), ((), DAYS + 30)):
            customer = make_customer(club.store, tags=tags)
            make_membership(club.store, customer, ends_on=TODAY + timedelta(days=days))
        play = play_of(club, tmp_path / "copy.db", [], 0)
        play.next_entry = NextEntry(play.engine, play.campaigns[0], UNTIL)
        await play.run(UNTIL)
        # The start, the nights on which two come within reach, and both steps.
        assert len(play.passes) == 5
        assert play.admitted["one"] == 1

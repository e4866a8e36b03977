"""A date is moved while somebody is in a campaign that counts from it."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from engines import Workshop
from making import NOW, TODAY, make_customer, make_membership, rows_of
from postgres_waits import until_waiting
from sqlalchemy import Connection, Table, event, update

from crm_store.catalogue.field import FieldType
from crm_store.catalogue.standard import catalogue_of, custom_field
from crm_store.models.campaign import Enrollment
from crm_store.models.customer import Customer
from crm_store.models.membership import Membership
from crm_store.tables import table_of
from flows.admit import admit
from flows.sweep import plan_sweep

CATALOGUE = catalogue_of([custom_field("medical_on", FieldType.DATE, "Medical check")])
CAMPAIGN = """
campaign: check
name: Check
topic: news
trigger: {trigger}
if_anchor_moves: {policy}
steps:
  - {{id: month, at: -30d, email: note/one}}
  - {{id: week, at: -7d, email: note/two}}
  - {{id: day, at: 0d, email: note/three}}
"""
CUSTOM = "{type: date, field: custom.medical_on}"
YEARLY = "{type: date, field: custom.medical_on, every: year}"
JOINED = "{type: date, field: customer.joined_on}"
BIRTHDAY = "{type: birthday}"
TERM = "{type: date, field: membership.starts_on}"


def set_up(club: Workshop, trigger: str, policy: str = "follow") -> None:
    club.engine = replace(club.engine, catalogue=CATALOGUE)
    club.vocabulary = replace(club.vocabulary, catalogue=CATALOGUE)
    club.campaign(CAMPAIGN.format(trigger=trigger, policy=policy))


def in_days(days: int) -> date:
    return TODAY + timedelta(days=days)


def write(club: Workshop, table: Table, **values: Any) -> None:
    with club.store.write() as connection:
        connection.execute(update(table).values(values))


def move(club: Workshop, trigger: str, to: date | str | None) -> None:
    match trigger:
        case "{type: birthday}":
            assert isinstance(to, date)
            write(club, table_of(Customer), birth_date=to.replace(year=1990))
        case "{type: date, field: customer.joined_on}":
            write(club, table_of(Customer), joined_on=to)
        case "{type: date, field: membership.starts_on}":
            write(club, table_of(Membership), starts_on=to)
        case "{type: date, field: custom.medical_on, every: year}":
            assert isinstance(to, date)
            write(club, table_of(Customer), custom={"medical_on": str(to.replace(year=2020))})
        case _:
            write(club, table_of(Customer), custom={"medical_on": to and str(to)})


async def sweeps(club: Workshop, *days: int) -> None:
    for day in days:
        club.clock.now = NOW + timedelta(days=day)
        await club.sweep()


def sent(club: Workshop) -> list[tuple[object, ...]]:
    """(step, days from the beginning) of what was sent."""
    return [
        (step, (due.date() - TODAY).days)
        for step, state, due in club.ledger("step", "state", "due_at")
        if state == "accepted"
    ]


@pytest.mark.parametrize("trigger", [CUSTOM, YEARLY, JOINED, BIRTHDAY, TERM])
async def test_what_is_not_sent_goes_along(club: Workshop, trigger: str) -> None:
    set_up(club, trigger)
    make_membership(club.store, make_customer(club.store), ends_on=in_days(300))
    move(club, trigger, in_days(31))
    await sweeps(club, 1, 2)
    assert sent(club) == [("month", 1)]
    move(club, trigger, in_days(20))  # earlier: it is noticed before the old day comes
    await sweeps(club, 3, 13, 14)
    assert sent(club) == [("month", 1), ("week", 13)]
    move(club, trigger, in_days(24))
    await sweeps(club, 15, 20, 24)
    assert sent(club) == [("month", 1), ("week", 13), ("day", 24)]
    assert rows_of(club.store, Enrollment, "status") == [("completed",)]


@pytest.mark.parametrize("trigger", [CUSTOM, JOINED])
async def test_the_other_day_is_another_occasion_for_who_does_not_follow(
    club: Workshop, trigger: str
) -> None:
    set_up(club, trigger, "exit")
    make_customer(club.store)
    move(club, trigger, in_days(31))
    await sweeps(club, 1, 2)
    move(club, trigger, in_days(40))
    await sweeps(club, 3, 10)
    assert sent(club) == [("month", 1), ("month", 10)]
    ends = rows_of(club.store, Enrollment, "status", "end_reason")
    assert ends == [("exited", "anchor_moved"), ("active", None)]


async def test_who_stays_is_told_by_the_old_day_as_well(lite_club: Workshop) -> None:
    set_up(lite_club, CUSTOM, "stay")
    make_customer(lite_club.store)
    move(lite_club, CUSTOM, in_days(31))
    await sweeps(lite_club, 1, 2)
    move(lite_club, CUSTOM, in_days(33))
    await sweeps(lite_club, 3, 24, 26)
    assert sent(lite_club) == [("month", 1), ("month", 3), ("week", 24), ("week", 26)]


async def test_a_day_that_was_kept_already_is_not_kept_again(club: Workshop) -> None:
    set_up(club, CUSTOM)
    make_customer(club.store)
    for to, days in ((in_days(3), (1, 3, 4)), (in_days(20), (5, 13)), (in_days(3), (14, 20))):
        move(club, CUSTOM, to)
        await sweeps(club, *days)
    assert sent(club) == [("day", 3), ("week", 13)]
    ends = rows_of(club.store, Enrollment, "occurrence", "status", "end_reason")
    assert ends == [
        (f"day:{in_days(3)}", "completed", None),
        (f"day:{in_days(20)}", "exited", "anchor_moved"),
    ]


@contextmanager
def another_scheduler_admits(club: Workshop) -> Iterator[None]:
    """One that has let everybody in and commits it only when the caller waits for that."""
    admitted, waited_for = threading.Event(), threading.Event()
    store = club.store.impatient(30)

    @event.listens_for(store.engine, "commit")
    def _wait(_connection: Connection) -> None:
        admitted.set()
        assert waited_for.wait(10)

    def let_go() -> None:
        if club.store.is_sqlite:
            time.sleep(0.2)
        else:
            until_waiting(club.store, 1)
        waited_for.set()

    other = replace(club.engine, store=store)
    [campaign] = plan_sweep(club.engine, club.files).running
    both = [threading.Thread(target=admit, args=(other, campaign)), threading.Thread(target=let_go)]
    both[0].start()
    assert admitted.wait(10)
    both[1].start()
    yield
    for one in both:
        one.join()
    store.close()


async def test_another_scheduler_admits_for_that_day_meanwhile(club: Workshop) -> None:
    set_up(club, CUSTOM)
    make_customer(club.store)
    move(club, CUSTOM, in_days(31))
    await sweeps(club, 1)
    move(club, CUSTOM, in_days(20))
    club.clock.now = NOW + timedelta(days=2)
    with another_scheduler_admits(club):
        report = await club.sweep()
    assert [one.failed for one in report.campaigns] == [None]
    await sweeps(club, 13, 20)
    assert sent(club) == [("month", 1), ("week", 13), ("day", 20)]
    ends = rows_of(club.store, Enrollment, "occurrence", "status", "end_reason")
    assert ends == [
        (f"day:{in_days(31)}", "exited", "anchor_moved"),
        (f"day:{in_days(20)}", "completed", None),
    ]


@pytest.mark.parametrize("nothing", [None, "soon", "2026-99-99"])
async def test_a_date_that_is_gone_is_kept_as_it_was(club: Workshop, nothing: str | None) -> None:
    set_up(club, CUSTOM)
    make_customer(club.store)
    move(club, CUSTOM, in_days(8))
    await sweeps(club, 1)
    move(club, CUSTOM, nothing)
    await sweeps(club, 2, 8)
    assert sent(club) == [("week", 1), ("day", 8)]


async def test_who_entered_under_an_older_version_goes_along(lite_club: Workshop) -> None:
    set_up(lite_club, CUSTOM)
    make_customer(lite_club.store)
    move(lite_club, CUSTOM, in_days(31))
    await sweeps(lite_club, 1, 2)
    newer = CAMPAIGN.format(trigger=CUSTOM, policy="follow").replace("at: 0d", "at: +1d")
    lite_club.campaign(newer)
    move(lite_club, CUSTOM, in_days(12))
    await sweeps(lite_club, 3, 5, 12, 13)
    assert sent(lite_club) == [("month", 1), ("week", 5), ("day", 12)]

"""The demonstration's population: work for every trigger, and nothing a person could receive."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import cache

import phonenumbers
import pytest
from email_validator import validate_email
from making import make_club, rows_of

from crm_console.demo.people import DOMAINS
from crm_console.demo.population import ENDING_IN, make_population, populate
from crm_store.database import Store
from crm_store.dates import Kept, anniversaries
from crm_store.dossiers import Dossier
from crm_store.happenings import happenings
from crm_store.models.customer import Customer
from crm_store.models.event import Event
from crm_store.models.membership import Membership
from crm_store.terms import terms_ending

TODAY = date(2026, 11, 22)
MIDNIGHT = datetime(2026, 11, 21, 18, 30, tzinfo=UTC)
"""When TODAY begins in the club's own zone."""
SWEEP = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
"""Half past ten."""


@cache
def people() -> list[Dossier]:
    return list(make_population(1, TODAY, 5_000))


def test_the_same_seed_and_day_give_the_same_people() -> None:
    assert list(make_population(7, TODAY, 600)) == list(make_population(7, TODAY, 600))
    assert list(make_population(7, TODAY, 600)) != list(make_population(8, TODAY, 600))


def test_there_are_as_many_as_asked_for() -> None:
    assert len(people()) == 5_000


def test_every_number_is_valid_and_no_two_are_alike() -> None:
    numbers = [one.customer["phone"] for one in people() if one.customer["phone"]]
    assert all(phonenumbers.is_valid_number(phonenumbers.parse(number)) for number in numbers)
    assert len(set(numbers)) == len(numbers) > 4_500
    assert {number[:3] for number in numbers} == {"+91", "+79"}


def test_nobody_can_receive_the_mail() -> None:
    addresses = [one.customer["email"] for one in people() if one.customer["email"]]
    assert len(set(addresses)) == len(addresses) > 4_500
    assert {address.partition("@")[2] for address in addresses} == set(DOMAINS)
    for address in addresses[:200]:
        assert validate_email(address, check_deliverability=False).normalized == address


@pytest.mark.parametrize(
    ("language", "first", "last"), [("hi", "\u0900", "\u097f"), ("ru", "А", "ё"), ("en", "A", "z")]
)
def test_names_stand_in_their_owners_script(language: str, first: str, last: str) -> None:
    mine = [one.customer for one in people() if one.customer["language"] == language]
    assert len(mine) > 400
    letters = set("".join(row["first_name"] + row["last_name"] for row in mine))
    assert all(first <= letter <= last for letter in letters)


def test_people_differ_as_people_do() -> None:
    found = people()
    assert Counter(one.customer["timezone"] for one in found).keys() == {
        "Asia/Kolkata",
        "Europe/Moscow",
        "Asia/Dubai",
        "America/New_York",
    }
    assert {term.values["plan"] for one in found for term in one.terms} == {
        "annual",
        "half-year",
        "monthly",
    }
    assert {len(one.terms) for one in found} == {0, 1, 2, 3}
    assert {tag for one in found for tag in one.tags} == {"vip", "staff", "pt"}
    assert {one.customer["stage"] for one in found} == {
        None,
        "new",
        "contacted",
        "trial_booked",
        "trial_missed",
        "trial_attended",
        "won",
        "lost",
    }
    enough = {
        "no e-mail": [one for one in found if not one.customer["email"]],
        "no phone": [one for one in found if not one.customer["phone"]],
        "opted out": [one for one in found if one.consents],
        "suppressed": [one for one in found if one.suppressions],
        "renews by itself": [
            one for one in found if any(t.values["auto_renew"] for t in one.terms)
        ],
        "frozen": [one for one in found if any(term.freezes for term in one.terms)],
        "born on 29 February": [
            one
            for one in found
            if one.customer["birth_date"] and f"{one.customer['birth_date']:%m%d}" == "0229"
        ],
    }
    assert {name: len(group) for name, group in enough.items() if len(group) < 10} == {}


def test_nothing_of_them_lies_in_the_future() -> None:
    for one in people():
        moments = [*one.visits, *(event["occurred_at"] for event in one.events)]
        moments += [row["purchased_at"] for row in one.purchases]
        moments += [one.customer["created_at"], one.customer["updated_at"]]
        moments += [term.values["created_at"] for term in one.terms]
        moments += [row["updated_at"] for row in one.packages]
        assert max(moments) <= SWEEP
        for term in one.terms:
            assert term.values["starts_on"] <= term.values["ends_on"]
            assert term.values["starts_on"] <= TODAY


@pytest.mark.parametrize(
    ("today", "members"), [(TODAY, 2_000), (date(2028, 2, 29), 300), (date(2027, 3, 1), 300)]
)
def test_there_is_work_for_every_trigger_on_any_day(
    store: Store, today: date, members: int
) -> None:
    club = make_club(store)
    written = populate(store, club, seed=3, today=today, members=members)
    assert written == len(rows_of(store, Customer, "id")) >= members
    midnight = MIDNIGHT + (today - TODAY)
    sweep = SWEEP + (today - TODAY)
    month_day = today.month * 100 + today.day
    work = {
        f"ending {days:+}": terms_ending(club, day, day, ["annual", "half-year"])
        for days in ENDING_IN
        for day in [today + timedelta(days=days)]
    }
    born = [Kept(today, month_day)]
    work["birthdays"] = anniversaries(club, "customer.birth_date", "birthday", born)
    work["leads today"] = happenings(club, "lead_created", since=midnight, until=sweep, equal={})
    work["leads yesterday"] = happenings(
        club, "lead_created", since=midnight - timedelta(days=1), until=midnight, equal={}
    )
    work["trials booked"] = happenings(
        club, "stage_changed", since=midnight, until=sweep, equal={"to": ["trial_booked"]}
    )
    with store.read() as connection:
        counts = {
            name: len(connection.execute(asked.sql, asked.values).all())
            for name, asked in work.items()
        }
    assert {name: count for name, count in counts.items() if count < 15} == {}


def test_old_events_are_no_news(sqlite_store: Store) -> None:
    populate(sqlite_store, make_club(sqlite_store), seed=3, today=TODAY, members=1_000)
    fresh = [
        occurred_at
        for occurred_at, handled_at in rows_of(sqlite_store, Event, "occurred_at", "handled_at")
        if handled_at is None
    ]
    assert min(fresh) >= MIDNIGHT - timedelta(days=1)


def test_progress_is_told_and_everything_written(sqlite_store: Store) -> None:
    told: list[int] = []
    club = make_club(sqlite_store)
    populate(sqlite_store, club, seed=3, today=TODAY, members=1_200, on_progress=told.append)
    assert told == [500, 1_000, 1_200]
    terms = sum(len(one.terms) for one in make_population(3, TODAY, 1_200))
    assert len(rows_of(sqlite_store, Membership, "id")) == terms

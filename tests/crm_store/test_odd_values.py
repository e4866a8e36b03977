"""Values that a database cannot look into: stored by a stranger, they end nobody's query."""

import json
from datetime import date
from typing import Any

import pytest
from making import (
    NOW,
    TODAY,
    make_club,
    make_customer,
    make_enrollment,
    make_touchpoint,
    make_version,
)
from sqlalchemy import String, literal, select

from crm_store import events
from crm_store.catalogue.value_sql import value_sql
from crm_store.catalogue.values import OfCustom
from crm_store.columns import date_from_text
from crm_store.database import Store
from crm_store.happenings import after_messages
from crm_store.json_values import flag_at, number_at, text_at, written
from crm_store.models.event import Event
from crm_store.scope import CUSTOMER, Scope
from crm_store.storable import short, storable
from crm_store.tables import table_of

_DATA = table_of(Event).c.data

ODD: list[tuple[Any, Any]] = [
    (float("nan"), None),
    (float("inf"), None),
    (-float("inf"), None),
    (10**4000, None),
    (1e308, 1e308),
    ("a\0b", "a\ufffdb"),
    ("\x1b[2J\x07\x08\x0c\x9b", "\ufffd[2J\ufffd\ufffd\ufffd\ufffd"),
    ("one\ttwo\r\nthree", "one\ttwo\r\nthree"),
    ("half \ud83d", "half \ufffd"),
    ("whole \U0001f600", "whole \U0001f600"),
    ("क्\u200dष", "क्\u200dष"),
    ("Asha \u202eevil", "Asha \ufffdevil"),
    ("\\u0000", "\\u0000"),
    ({"\0": ["\udc00", True]}, {"\ufffd": ["\ufffd", True]}),
]


@pytest.mark.parametrize(("told", "kept"), ODD, ids=[ascii(told)[:30] for told, _ in ODD])
def test_what_is_written_can_be_read(told: Any, kept: Any) -> None:
    assert json.loads(written({"a": told, "b": [told]})) == {"a": kept, "b": [kept]}


@pytest.mark.parametrize(
    ("told", "day"),
    [
        ("2026-11-22", date(2026, 11, 22)),
        ("2028-02-29", date(2028, 2, 29)),
        ("0001-01-01", date(1, 1, 1)),
        *(
            (told, None)
            for told in (
                *("next spring", "now", "", "2461000", "22.11.2026", "2026-11-22 10:00", "2026-11"),
                *("2026-02-30", "2027-02-29", "2026-04-31", "2026-13-01", "2026-01-00"),
                *("0000-01-01", "2026-01-39", "x2026-11-22", "2026-11-22\n", None),
            )
        ),
    ],
)
def test_only_a_day_of_the_calendar_is_a_date(store: Store, told: str, day: date | None) -> None:
    with store.read() as connection:
        assert connection.scalar(select(date_from_text(literal(told, String)))) == day


def test_one_odd_event_ends_no_query(store: Store) -> None:
    make_club(store)
    customer = make_customer(store)
    touchpoint = make_touchpoint(
        store, customer, make_enrollment(store, customer, make_version(store)), sent_at=NOW
    )
    odd = [{"k": told, "touchpoint": told} for told, _ in ODD]
    odd += [{"touchpoint": told} for told in ("x", 1e30, {"a": 1}, 10**20, "7")]
    with store.write() as connection:
        for number, data in enumerate([*odd, {"k": "good"}, {"k": 2.5}, {"k": True}]):
            events.record(
                connection,
                customer_id=customer,
                name="seen",
                data=data,
                source="test",
                source_id=str(number),
                occurred_at=NOW,
                now=NOW,
            )
    with store.read() as connection:

        def having(condition: Any) -> list[Any]:
            return [
                row["k"] for row in connection.execute(select(_DATA).where(condition)).scalars()
            ]

        assert having(text_at(_DATA, "k") == "good") == ["good"]
        assert having(number_at(_DATA, "k") == 2.5) == [2.5]
        assert having(number_at(_DATA, "k") > 3.5) == [1e308]
        assert having(flag_at(_DATA, "k")) == [True]
        connection.execute(after_messages([touchpoint], "seen")).all()


@pytest.mark.parametrize(
    ("kind", "good", "others"),
    [
        ("integer", 7, (10**15, "seven", True, None)),
        ("number", 2.5, (1e15, 10**400, "2.5", [2.5])),
        ("boolean", True, ("true", "maybe", 1, None)),
    ],
)
def test_one_odd_field_of_one_customer_ends_no_condition(
    kind: Any, good: Any, others: tuple[Any, ...], store: Store
) -> None:
    club = make_club(store)
    for value in (good, *others):
        make_customer(store, club_id=club, custom={"own": value})
    value = value_sql(OfCustom("own", kind), Scope(now=NOW, today=TODAY))
    with store.read() as connection:
        found = connection.execute(select(CUSTOMER.c.custom).where(value == good)).scalars()
        assert [row["own"] for row in found] == [good]


@pytest.mark.parametrize(
    "text", ["Asha", "आशा", "क्\u200dष", "\u200eAsha", "two\nlines", "👩\u200d👧"]
)
def test_peoples_names_stay_as_they_are(text: str) -> None:
    assert storable(text) == text


def test_two_long_names_are_two() -> None:
    one, other = short("x" * 300 + "1", 200), short("x" * 300 + "2", 200)
    assert one != other
    assert len(one) <= 200
    assert short("\ud800" * 300, 40) and short("x" * 200, 200) == "x" * 200

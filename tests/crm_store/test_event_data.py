"""What the event that started a campaign says, read for many enrollments with one statement."""

from typing import Any

from making import (
    NOW,
    TODAY,
    make_customer,
    make_enrollment,
    make_event,
    make_purchase,
    make_version,
)
from sqlalchemy import event as sqlalchemy_event
from sqlalchemy import text

from crm_store import field_values
from crm_store.catalogue.standard import catalogue_of
from crm_store.database import Store
from crm_store.scope import Scope

SCOPE = Scope(NOW, TODAY)


def enrolled(store: Store, data: Any, version: int) -> int:
    """Somebody in a campaign, for an event with this data."""
    customer = make_customer(store)
    event = make_event(store, customer, "trial_booked", data=data)
    return make_enrollment(store, customer, version, event_id=event, occurrence=f"event:{event}")


def values(store: Store, names: set[str], *enrollments: int) -> list[dict[str, Any]]:
    with store.read() as connection:
        found = field_values.of_enrolled(connection, catalogue_of(), names, enrollments, SCOPE)
    return [found[one] for one in enrollments]


TOLD: list[tuple[Any, Any]] = [
    ("Ravi", "Ravi"),
    (1499, 1499),
    (499.0, 499),
    (499.5, 499.5),
    (0, 0),
    (1e300, 1e300),
    (10**300, 10**300),
    (True, True),
    (False, False),
    ("", None),
    (" \n", None),
    (None, None),
    ([1], None),
    ({"a": 1}, None),
    (float("nan"), None),
    (float("inf"), None),
]


def test_plain_values_are_values_of_a_message(store: Store) -> None:
    version = make_version(store)
    there = [enrolled(store, {"key": told, "more": 1}, version) for told, _ in TOLD]
    found = values(store, {"event.key", "event.more", "customer.first_name"}, *there)
    assert [one["event.key"] for one in found] == [kept for _, kept in TOLD]
    assert [type(one["event.key"]) for one in found] == [type(kept) for _, kept in TOLD]
    assert {(one["event.more"], one["customer.first_name"]) for one in found} == {(1, "Asha")}


def test_each_has_the_data_of_their_own_event_alone(store: Store) -> None:
    version = make_version(store)
    first, second = (enrolled(store, {"trainer": name}, version) for name in ("Ravi", "Meena"))
    other = make_customer(store)
    make_event(store, other, "trial_booked", data={"trainer": "Nobody's"})
    by_date = make_enrollment(store, other, version, occurrence="birthday:2026")
    found = values(store, {"event.trainer", "event.items"}, first, second, by_date)
    assert [one["event.trainer"] for one in found] == ["Ravi", "Meena", None]
    assert {one["event.items"] for one in found} == {None}


def test_a_purchase_says_what_its_row_says(store: Store) -> None:
    customer, version = make_customer(store), make_version(store)
    make_purchase(store, customer, item="Shake", amount=250)
    bought = make_purchase(store, customer, item="Gloves", amount=1250.5)
    enrollment = make_enrollment(store, customer, version, occurrence=f"purchase:{bought}")
    told = enrolled(store, {"item": "Towel"}, version)
    found = values(store, {"event.item", "event.amount", "event.more"}, enrollment, told)
    assert found == [
        {"event.item": "Gloves", "event.amount": 1250.5, "event.more": None},
        {"event.item": "Towel", "event.amount": None, "event.more": None},
    ]


def test_answers_of_a_form_are_keys_too(store: Store) -> None:
    data = {"form": "trial", "answers": {"goal": "strength", "form": "other"}, "source": "web"}
    enrollment = enrolled(store, data, make_version(store))
    (found,) = values(store, {"event.goal", "event.form", "event.answers"}, enrollment)
    assert found == {"event.goal": "strength", "event.form": "trial", "event.answers": None}


def test_data_that_cannot_be_read_is_missing_and_ends_nobody_elses_message(store: Store) -> None:
    version = make_version(store)
    sound = enrolled(store, {"trainer": "Ravi"}, version)
    odd = [enrolled(store, data, version) for data in ([], "text", 7, None, {})]
    deep = enrolled(store, {"trainer": "deep"}, version)
    with store.write() as connection:
        bottomless = "[" * 3_000 + "]" * 3_000
        connection.execute(
            text("UPDATE event SET data = :data WHERE id = (SELECT max(id) FROM event)").bindparams(
                data=f'{{"trainer": "deep", "more": {bottomless}}}'
            )
            if connection.dialect.name == "sqlite"
            else text(
                "UPDATE event SET data = CAST(:data AS json) WHERE id = (SELECT max(id) FROM event)"
            ).bindparams(data=f'{{"trainer": "deep", "more": {bottomless}}}')
        )
    found = values(store, {"event.trainer"}, sound, *odd, deep)
    assert [one["event.trainer"] for one in found] == ["Ravi", *[None] * 6]


def test_it_costs_no_statement_and_nothing_where_it_is_not_asked_for(sqlite_store: Store) -> None:
    version = make_version(sqlite_store)
    there = [enrolled(sqlite_store, {"trainer": "Ravi"}, version) for _ in range(3)]
    statements: list[str] = []

    def note(*args: Any) -> None:
        statements.append(args[2])

    sqlalchemy_event.listen(sqlite_store.engine, "before_cursor_execute", note)
    values(sqlite_store, {"customer.first_name"}, *there)
    values(sqlite_store, {"customer.first_name", "event.trainer", "event.at"}, *there)
    sqlalchemy_event.remove(sqlite_store.engine, "before_cursor_execute", note)
    without, with_it = (one for one in statements if "FROM enrollment" in one)
    assert "event" not in without.replace("event_id", "").replace("event:", "")
    assert with_it.count("FROM event") == 1

"""What an event says of its customer is kept with it, once and in the order of what happened."""

from datetime import date, timedelta
from typing import Any

import pytest
from making import NOW, make_customer, make_visit, rows_of

from crm_store import events
from crm_store.database import Store
from crm_store.errors import UsageError
from crm_store.models.activity import PackageBalance, Purchase, Visit
from crm_store.models.event import Event

HOUR = timedelta(hours=1)


def record(store: Store, customer: int, name: str, hours: int, **data: Any) -> int | None:
    with store.write() as connection:
        return events.record(
            connection,
            customer_id=customer,
            name=name,
            data=data,
            source="door",
            source_id=f"{name}{hours}",
            occurred_at=NOW + hours * HOUR,
            now=NOW + 99 * HOUR,
        )


def test_a_visit_is_a_visit_once(store: Store) -> None:
    customer = make_customer(store)
    make_visit(store, customer, NOW)
    for hours in (0, 2, 2):
        record(store, customer, "visit_recorded", hours)
    assert rows_of(store, Visit, "visited_at") == [(NOW,), (NOW + 2 * HOUR,)]
    assert len(rows_of(store, Event)) == 2


def test_a_purchase_is_a_purchase(store: Store) -> None:
    customer = make_customer(store)
    record(store, customer, "purchase_recorded", 0, item="Shake", amount=2.5)
    [(item, amount, at)] = rows_of(store, Purchase, "item", "amount", "purchased_at")
    assert (item, str(amount), at) == ("Shake", "2.50", NOW)


def test_a_package_is_filled_when_it_holds_more(store: Store) -> None:
    customer = make_customer(store)
    for hours, remaining in ((0, 10), (2, 1), (1, 5), (3, 11), (4, 10)):
        record(store, customer, "package_changed", hours, package="pt10", remaining=remaining)
    columns = ("remaining", "filled_at", "updated_at")
    expected = (10, NOW + 3 * HOUR, NOW + 4 * HOUR)
    assert rows_of(store, PackageBalance, *columns) == [expected]
    record(
        store, customer, "package_changed", 5, package="pt10", remaining=9, expires_on="2027-01-31"
    )
    assert rows_of(store, PackageBalance, "expires_on") == [(date(2027, 1, 31),)]


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("purchase_recorded", {}, "needs an amount"),
        ("purchase_recorded", {"amount": "many"}, "needs an amount"),
        ("package_changed", {"package": "pt10"}, "needs a package"),
        ("package_changed", {"package": "pt10", "remaining": -1}, "needs a package"),
        (
            "package_changed",
            {"package": "pt10", "remaining": 1, "expires_on": "soon"},
            "expires_on is not a date",
        ),
    ],
)
def test_half_a_fact_is_refused_whole(
    name: str, data: dict[str, Any], reason: str, sqlite_store: Store
) -> None:
    customer = make_customer(sqlite_store)
    with pytest.raises(UsageError, match=reason):
        record(sqlite_store, customer, name, 0, **data)
    assert rows_of(sqlite_store, Event) == []


def test_the_latest_of_several_names(store: Store) -> None:
    customer, other = make_customer(store), make_customer(store)
    make_visit(store, customer, NOW + HOUR)
    record(store, customer, "phoned", 0)
    record(store, other, "phoned", 3)
    names = ["phoned", "visit_recorded", "purchase_recorded"]
    with store.read() as connection:
        found = events.latest_by_customer(connection, [customer, other], names)
        assert found == {customer: NOW + HOUR, other: NOW + 3 * HOUR}
        assert events.latest_by_customer(connection, [customer], []) == {}

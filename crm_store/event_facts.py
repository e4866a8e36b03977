"""What an event says of its customer, kept where such things are kept: in the commit of the event.

A stage that was reached, a visit, a purchase, what is left of a package. Word of something earlier
may come later; it does not take back what is known since.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, or_, update

from crm_store.errors import UsageError
from crm_store.event_names import (
    PACKAGE_CHANGED,
    PURCHASE_RECORDED,
    STAGE_CHANGED,
    VISIT_RECORDED,
)
from crm_store.inserting import insert_new
from crm_store.models.activity import (
    LARGEST_AMOUNT,
    LARGEST_REMAINDER,
    Purchase,
    Visit,
)
from crm_store.models.customer import Customer
from crm_store.packages import set_balance
from crm_store.storable import storable
from crm_store.tables import table_of

_CUSTOMER, _VISIT, _PURCHASE = table_of(Customer), table_of(Visit), table_of(Purchase)


@dataclass(frozen=True)
class Told:
    """An event that is being recorded."""

    customer_id: int
    data: Mapping[str, Any]
    source_id: str
    occurred_at: datetime
    now: datetime


def keep_facts(connection: Connection, name: str, told: Told) -> None:
    """Write what the event says; nothing for most names.

    Raises `UsageError` when the data lacks what the name promises.
    """
    if keep := _KEEP.get(name):
        keep(connection, told)


def _stage(connection: Connection, told: Told) -> None:
    if not told.data:
        return
    pipeline, stage = told.data.get("pipeline"), told.data.get("to")
    if not isinstance(pipeline, str) or not isinstance(stage, str):
        raise UsageError(
            "stage_changed needs a pipeline and a stage.",
            'Write them into the data, such as {"pipeline": "sales", "to": "trial_booked"}.',
        )
    connection.execute(
        update(_CUSTOMER)
        .where(
            _CUSTOMER.c.id == told.customer_id,
            or_(
                _CUSTOMER.c.stage_changed_at.is_(None),
                _CUSTOMER.c.stage_changed_at <= told.occurred_at,
            ),
        )
        .values(
            pipeline=pipeline,
            stage=stage,
            stage_changed_at=told.occurred_at,
            updated_at=told.now,
        )
    )


def _visit(connection: Connection, told: Told) -> None:
    connection.execute(
        insert_new(connection, _VISIT).values(
            customer_id=told.customer_id, visited_at=told.occurred_at
        )
    )


def _purchase(connection: Connection, told: Told) -> None:
    amount = told.data.get("amount")
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not _is_sum(amount):
        raise UsageError(
            "purchase_recorded needs an amount.",
            'Write it into the data as a number, such as {"item": "Shake", "amount": 250}.',
        )
    connection.execute(
        insert_new(connection, _PURCHASE).values(
            customer_id=told.customer_id,
            ref=told.source_id,
            item=storable(str(told.data.get("item", ""))),
            amount=Decimal(str(amount)),
            purchased_at=told.occurred_at,
        )
    )


def _package(connection: Connection, told: Told) -> None:
    package: Any = told.data.get("package")
    remaining: Any = told.data.get("remaining")
    if not isinstance(package, str) or not _is_count(remaining):
        raise UsageError(
            "package_changed needs a package and what is left of it.",
            'Write them into the data, such as {"package": "pt10", "remaining": 2}.',
        )
    set_balance(
        connection,
        told.customer_id,
        storable(package),
        remaining,
        expires_on=_day(told.data.get("expires_on")),
        at=told.occurred_at,
    )


def _is_sum(value: float) -> bool:
    return -LARGEST_AMOUNT <= value <= LARGEST_AMOUNT  # neither holds for NaN


def _is_count(value: Any) -> bool:
    return (
        isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_REMAINDER
    )


def _day(text: Any) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except (TypeError, ValueError) as error:
        raise UsageError(
            "expires_on is not a date.", "Write year, month and day, such as 2026-12-31."
        ) from error


_KEEP: Mapping[str, Callable[[Connection, Told], None]] = {
    STAGE_CHANGED: _stage,
    VISIT_RECORDED: _visit,
    PURCHASE_RECORDED: _purchase,
    PACKAGE_CHANGED: _package,
}

"""Changes of what is known of customers, many at once: tags, fields of the club's own, score."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, select, update

from crm_store.inserting import insert_new
from crm_store.locks import in_order
from crm_store.models.customer import Customer, CustomerTag
from crm_store.tables import table_of

_CUSTOMER, _TAG = table_of(Customer), table_of(CustomerTag)


def hold_customers(connection: Connection, customer_ids: Collection[int]) -> None:
    """Take all whom the functions below are to change, before the first of them is changed."""
    if customer_ids:
        in_order(connection, _CUSTOMER, _CUSTOMER.c.id.in_(customer_ids))


def tag(
    connection: Connection,
    customer_ids: Sequence[int],
    *,
    add: Sequence[str],
    remove: Sequence[str],
) -> None:
    """Give each customer the tags in `add`, and take those in `remove` away."""
    rows = [{"customer_id": one, "tag": word} for one in customer_ids for word in add]
    if rows:
        connection.execute(insert_new(connection, _TAG), rows)
    if remove:
        connection.execute(
            delete(_TAG).where(_TAG.c.customer_id.in_(customer_ids), _TAG.c.tag.in_(remove))
        )


def set_custom(
    connection: Connection,
    customer_ids: Sequence[int],
    values: Mapping[str, Any],
    now: datetime,
) -> None:
    """Set fields of the club's own for each customer; `None` clears one."""
    if not values:
        return
    known = connection.execute(
        select(_CUSTOMER.c.id, _CUSTOMER.c.custom).where(_CUSTOMER.c.id.in_(customer_ids))
    ).all()
    rows = [
        {
            "of_id": row.id,
            "new": {k: v for k, v in {**row.custom, **values}.items() if v is not None},
        }
        for row in known
    ]
    connection.execute(
        update(_CUSTOMER)
        .where(_CUSTOMER.c.id == bindparam("of_id"))
        .values(custom=bindparam("new"), updated_at=now),
        rows,
    )


def add_score(
    connection: Connection, customer_ids: Sequence[int], points: int, now: datetime
) -> None:
    """Add points, or with a minus take some away."""
    if points:
        connection.execute(
            update(_CUSTOMER)
            .where(_CUSTOMER.c.id.in_(customer_ids))
            .values(score=_CUSTOMER.c.score + points, updated_at=now)
        )

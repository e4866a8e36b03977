"""Finding customers by the names that other systems and people know them by."""

from collections.abc import Iterable, Sequence

from sqlalchemy import ColumnElement, Connection, String, cast, func, select

from crm_store.errors import UnknownName
from crm_store.models.customer import Customer
from crm_store.tables import table_of

_CUSTOMER = table_of(Customer)

KEYS = ("ref", "email", "phone")
"""What a customer can be found by; e-mail and phone are compared in their normal form."""
_MOST = 5
"""More references than these are not listed where several customers share an address."""


def how_many(connection: Connection, club_id: int) -> int:
    """The number of the club's customers."""
    query = select(func.count()).where(_CUSTOMER.c.club_id == club_id)
    return connection.execute(query).scalar_one()


def find_customer(connection: Connection, club_id: int, ref: str) -> int | None:
    """The id of the customer whom the club knows as `ref`, or None."""
    found: int | None = connection.scalar(
        select(_CUSTOMER.c.id).where(_CUSTOMER.c.club_id == club_id, _CUSTOMER.c.ref == ref)
    )
    return found


def get_customer(connection: Connection, club_id: int, name: str) -> int:
    """The id of the one customer with this reference, e-mail address or phone number.

    Addresses are looked for in their normal form. Raises `UnknownName` when there is none, or
    when an address belongs to several.
    """
    for key in KEYS:
        found = find_customers(connection, club_id, key, [name]).get(name, [])
        if len(found) == 1:
            return found[0]
        if found:
            refs = _references(connection, found[:_MOST])
            others = f", or one of {len(found) - _MOST} others" if len(found) > _MOST else ""
            raise UnknownName(
                f"{len(found)} customers share this {key}.",
                f"Name the customer by reference: {' or '.join(refs)}{others}.",
            )
    raise UnknownName(
        "No customer has this reference, e-mail address or phone number.",
        "Check the spelling: the reference is what the import called them, such as M-1042.",
    )


def _references(connection: Connection, customer_ids: Sequence[int]) -> Sequence[str]:
    query = select(_CUSTOMER.c.ref).where(_CUSTOMER.c.id.in_(customer_ids))
    return connection.scalars(query.order_by(_CUSTOMER.c.id)).all()


def find_customers(
    connection: Connection, club_id: int, key: str, values: Iterable[str]
) -> dict[str, list[int]]:
    """The ids of the club's customers by each value of `key` (one of `KEYS`), in order of age.

    One query: give it a thousand values at a time.
    """
    column = _CUSTOMER.c[key]
    rows = connection.execute(
        select(column, _CUSTOMER.c.id)
        .where(_CUSTOMER.c.club_id == club_id, column.in_(list(values)))
        .order_by(_CUSTOMER.c.id)
    )
    found: dict[str, list[int]] = {}
    for value, customer_id in rows:
        found.setdefault(value, []).append(customer_id)
    return found


def find_by_address(
    connection: Connection, club_id: int, addresses: Sequence[str], custom_field: str | None = None
) -> list[int]:
    """The club's customers with one of these phone numbers, or values of a custom field."""
    found: ColumnElement[str] = _CUSTOMER.c.phone
    if custom_field is not None:
        found = cast(_CUSTOMER.c.custom[custom_field].as_string(), String)
    query = select(_CUSTOMER.c.id).where(_CUSTOMER.c.club_id == club_id, found.in_(addresses))
    return list(connection.execute(query.order_by(_CUSTOMER.c.id)).scalars())


def stage_of(connection: Connection, customer_id: int) -> tuple[str | None, str | None]:
    """Her pipeline and her stage in it."""
    row = connection.execute(
        select(_CUSTOMER.c.pipeline, _CUSTOMER.c.stage).where(_CUSTOMER.c.id == customer_id)
    ).one()
    return row.pipeline, row.stage

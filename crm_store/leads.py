"""A lead from outside: a customer made of the words a form, an advertisement or a desk sent."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from crm_store.addresses import AddressError
from crm_store.catalogue.field import Catalogue
from crm_store.customers import find_customer
from crm_store.errors import UsageError
from crm_store.imports.batch import Incoming, Purpose
from crm_store.imports.cells import CellProblem, Reading
from crm_store.imports.customer_rows import store_customers
from crm_store.imports.kinds import customer_columns
from crm_store.storable import storable


def keep_lead(
    connection: Connection, ref: str, data: Mapping[str, Any], purpose: Purpose, reading: Reading
) -> int:
    """The id of the customer known as `ref`, made from `data` when there is none.

    `data` is read as a row of a customers file is: the same columns, the same normal forms; its
    other keys are passed over. Someone who is known already stays as she is. Raises `UsageError`
    for a value that cannot be read.
    """
    refuse_odd_reference(ref)
    known = find_customer(connection, purpose.club_id, ref)
    if known is not None:
        return known
    values, unread = read_columns(data, purpose.catalogue, reading)
    for name, error in unread.items():
        raise UsageError(f"{name}: {error.reason}", error.instruction) from error
    return store_lead(connection, ref, values, purpose)


def refuse_odd_reference(ref: str) -> None:
    """Raise `UsageError` for what nobody could write or read as a customer's reference."""
    if not ref.strip() or not ref.isprintable():
        raise UsageError(
            "This cannot be a customer's reference.", "Write letters and digits, such as L-7."
        )


def read_columns(
    data: Mapping[str, Any], catalogue: Catalogue, reading: Reading
) -> tuple[dict[str, Any], dict[str, CellProblem | AddressError]]:
    """What `data` says of a customer, by column, and what is wrong with the rest of it."""
    values: dict[str, Any] = {}
    unread: dict[str, CellProblem | AddressError] = {}
    for column in customer_columns(catalogue):
        cell = _as_cell(data.get(column.name))
        if column.name == "ref" or not cell:
            continue
        try:
            values[column.name] = column.read(cell, reading)
        except (CellProblem, AddressError) as error:
            unread[column.name] = error
    return values, unread


def store_lead(
    connection: Connection, ref: str, values: Mapping[str, Any], purpose: Purpose
) -> int:
    """Write what is known of the customer `ref`, who may be new; her id."""
    row = Incoming(1, {**values, "ref": ref})
    store_customers(connection, [row], purpose, dry_run=False)
    made = find_customer(connection, purpose.club_id, ref)
    assert made is not None  # noqa: S101 - it was written in this transaction
    return made


def _as_cell(value: Any) -> str:
    """What JSON holds, as a file would have it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return storable(", ".join(map(str, value)))
    return storable(str(value).strip())

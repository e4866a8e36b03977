"""The kinds of file that can be imported, each declared once: its columns and who writes it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import Connection

from crm_store.catalogue.field import Catalogue, Field, FieldType
from crm_store.catalogue.values import NameOfCustomer, OfCustomer, Tags
from crm_store.errors import UsageError
from crm_store.imports import permission, whose
from crm_store.imports.aliases import CUSTOMERS, MEMBERSHIPS, PURCHASES, VISITS
from crm_store.imports.batch import Incoming, Outcome, Purpose
from crm_store.imports.cells import (
    READERS,
    Reader,
    Reading,
    read_amount,
    read_birth_date,
    read_date,
    read_day_or_moment,
    read_email,
    read_language,
    read_moment,
    read_phone,
    read_status,
    read_text,
    read_timezone,
    read_yes_no,
)
from crm_store.imports.columns import Column
from crm_store.imports.customer_rows import store_customers
from crm_store.imports.membership_rows import store_memberships
from crm_store.imports.purchase_rows import store_purchases
from crm_store.imports.visit_rows import store_visits


class Writer(Protocol):
    """Compares a batch with the store and, unless it is a dry run, writes the difference."""

    def __call__(
        self, connection: Connection, rows: Sequence[Incoming], purpose: Purpose, *, dry_run: bool
    ) -> Outcome: ...


@dataclass(frozen=True)
class Kind:
    """One kind of file."""

    name: str
    columns: tuple[Column, ...]
    write: Writer
    key: tuple[str, ...] = ()
    """The columns that name a row. A second row of the same name in one file is refused: which
    of the two is right is not ours to guess, and a repeat of the file would change it twice."""
    worked_out: tuple[str, ...] = ()
    """What a file may well tell and nobody stores: its value follows from other things here."""


_CUSTOMER_READERS: dict[str, Reader] = {
    "email": read_email,
    "phone": read_phone,
    "birth_date": read_birth_date,
    "language": read_language,
    "timezone": read_timezone,
}
_MEMBERSHIP_READERS: dict[str, Reader] = {
    "ref": read_text,
    "plan": read_text,
    "starts_on": read_date,
    "ends_on": read_date,
    "auto_renew": read_yes_no,
    "status": read_status,
}
MEMBERSHIP_COLUMNS = (
    *whose.COLUMNS,
    *(
        Column(name, read, MEMBERSHIPS[name], required=name in ("plan", "starts_on", "ends_on"))
        for name, read in _MEMBERSHIP_READERS.items()
    ),
)
VISIT_COLUMNS = (
    *whose.COLUMNS,
    Column("visited_at", read_moment, VISITS["visited_at"], required=True),
)
_PURCHASE_READERS: dict[str, Reader] = {
    "ref": read_text,
    "item": read_text,
    "amount": read_amount,
    "purchased_at": read_day_or_moment,
}
PURCHASE_COLUMNS = (
    *whose.COLUMNS,
    *(
        Column(name, read, PURCHASES[name], required=name != "item")
        for name, read in _PURCHASE_READERS.items()
    ),
)
NAMES = ("customers", "memberships", "visits", "purchases")
_OF_CUSTOMER = "customer."
_STORED = (OfCustomer, NameOfCustomer, Tags)
"""How the values of a customer's fields are made that are kept as they are told."""


def kind_of(name: str, catalogue: Catalogue) -> Kind:
    """The kind by its name. Raises `UsageError` for another one."""
    if name == "customers":
        columns = customer_columns(catalogue)
        return Kind(name, columns, store_customers, key=("ref",), worked_out=_worked_out(catalogue))
    if name == "memberships":
        key = (*whose.KEY_OF, "ref", "starts_on")
        return Kind(name, MEMBERSHIP_COLUMNS, store_memberships, key=key)
    if name == "visits":
        return Kind(name, VISIT_COLUMNS, store_visits)
    if name == "purchases":
        return Kind(name, PURCHASE_COLUMNS, store_purchases, key=(*whose.KEY_OF, "ref"))
    raise UsageError(f"There is nothing called {name} to import.", f"Import {', '.join(NAMES)}.")


def customer_columns(catalogue: Catalogue) -> tuple[Column, ...]:
    """The columns of a customers file: the catalogue's fields, and permission."""
    known = [_column(field) for field in catalogue if isinstance(field.value, _STORED)]
    own = [_own_column(field) for field in catalogue if field.name.startswith("custom.")]
    return (*known, *own, *permission.COLUMNS)


def _worked_out(catalogue: Catalogue) -> tuple[str, ...]:
    """Of the catalogue's fields of a customer: her age, her score."""
    return tuple(
        field.name.removeprefix(_OF_CUSTOMER)
        for field in catalogue
        if field.name.startswith(_OF_CUSTOMER) and not isinstance(field.value, _STORED)
    )


def _column(field: Field) -> Column:
    name = field.name.removeprefix(_OF_CUSTOMER)
    return Column(
        name,
        _CUSTOMER_READERS.get(name, READERS[field.type]),
        CUSTOMERS.get(name, ()),
        required=name == "ref",
    )


def _own_column(field: Field) -> Column:
    read = _read_date_as_text if field.type is FieldType.DATE else READERS[field.type]
    return Column(field.name.removeprefix("custom."), read, (field.label,))


def _read_date_as_text(cell: str, reading: Reading) -> str:
    """A date as JSON keeps it."""
    return read_date(cell, reading).isoformat()

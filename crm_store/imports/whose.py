"""Whose a row is: by the customer's reference, e-mail address or phone number."""

from collections.abc import Sequence

from sqlalchemy import Connection

from crm_store.customers import find_customers
from crm_store.errors import UsageError
from crm_store.imports.aliases import WHOSE
from crm_store.imports.batch import Incoming, Outcome, Purpose
from crm_store.imports.cells import Reader, read_email, read_phone, read_text
from crm_store.imports.columns import Column

_READERS: dict[str, Reader] = {"customer": read_text, "email": read_email, "phone": read_phone}
COLUMNS = tuple(Column(name, read, WHOSE[name]) for name, read in _READERS.items())
KEY_OF = {"customer": "ref", "email": "email", "phone": "phone"}
"""Each of our columns, and what it says of a customer. The first one in a file counts."""


def check_key(columns: Sequence[str], headings: Sequence[str]) -> None:
    """Raise `UsageError` when a file has no column that says whose its rows are."""
    if not any(name in columns for name in KEY_OF):
        raise UsageError(
            f"The file does not say whose its rows are; it has: {', '.join(headings)}.",
            'Name the column that does: --column customer="HEADING".',
        )


def with_customers(
    connection: Connection, rows: Sequence[Incoming], purpose: Purpose, outcome: Outcome
) -> list[tuple[int, Incoming]]:
    """Pair each row with its customer's id; rows of nobody, or of several, are refused."""
    named = [(_name_of(row), row) for row in rows]
    found = {
        column: find_customers(
            connection,
            purpose.club_id,
            key,
            [row.values[column] for name, row in named if name == column],
        )
        for column, key in KEY_OF.items()
    }
    whose = []
    for column, row in named:
        ids = found[column].get(row.values[column], []) if column else []
        if len(ids) == 1:
            whose.append((ids[0], row))
        elif ids:
            outcome.refused[row.line] = (column, f"{len(ids)} customers share it; use a reference.")
        elif column:
            outcome.refused[row.line] = (column, "No customer has it; import customers first.")
        else:
            outcome.refused[row.line] = ("customer", "The row does not say whose it is.")
    return whose


def _name_of(row: Incoming) -> str:
    return next((column for column in KEY_OF if column in row.values), "")

"""Writing a batch of purchases: new ones, and those that were corrected."""

from collections.abc import Sequence
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, select

from crm_store.imports.batch import Incoming, Outcome, Purpose
from crm_store.imports.whose import with_customers
from crm_store.inserting import insert_into
from crm_store.models.activity import Purchase
from crm_store.tables import table_of

_PURCHASE = table_of(Purchase)
_CHANGING = ("item", "amount", "purchased_at")


def store_purchases(
    connection: Connection, rows: Sequence[Incoming], purpose: Purpose, *, dry_run: bool
) -> Outcome:
    """Compare a batch (each purchase at most once) with the store, and write the difference."""
    outcome = Outcome()
    whose = with_customers(connection, rows, purpose, outcome)
    known = _known(connection, [customer_id for customer_id, _row in whose])
    writing: list[dict[str, Any]] = []
    for customer_id, incoming in whose:
        values = incoming.values
        before = known.get((customer_id, values["ref"]))
        after = {name: values.get(name, before[name] if before else "") for name in _CHANGING}
        if before is None:
            outcome.added += 1
        elif any(before[name] != value for name, value in after.items()):
            outcome.updated += 1
        else:
            outcome.unchanged += 1
            continue
        writing.append({"customer_id": customer_id, "ref": values["ref"]} | after)
    if writing and not dry_run:
        statement = insert_into(connection, _PURCHASE)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["customer_id", "ref"],
                set_={name: statement.excluded[name] for name in _CHANGING},
            ),
            sorted(writing, key=itemgetter("customer_id", "ref")),
        )
    return outcome


def _known(
    connection: Connection, customers: Sequence[int]
) -> dict[tuple[int, str], dict[str, Any]]:
    found = connection.execute(select(_PURCHASE).where(_PURCHASE.c.customer_id.in_(customers)))
    return {(row.customer_id, row.ref): dict(row._mapping) for row in found}

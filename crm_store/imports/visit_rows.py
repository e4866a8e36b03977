"""Writing a batch of visits; one that is known already is passed over."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from crm_store.imports.batch import Incoming, Outcome, Purpose
from crm_store.imports.whose import with_customers
from crm_store.inserting import insert_new
from crm_store.models.activity import Visit
from crm_store.tables import table_of

_VISIT = table_of(Visit)


def store_visits(
    connection: Connection, rows: Sequence[Incoming], purpose: Purpose, *, dry_run: bool
) -> Outcome:
    """Write the visits of a batch that the store does not have."""
    outcome = Outcome()
    whose = with_customers(connection, rows, purpose, outcome)
    visits = {(customer_id, row.values["visited_at"]) for customer_id, row in whose}
    new = visits - _known(connection, visits)
    outcome.added = len(new)
    outcome.unchanged = len(whose) - len(new)
    if new and not dry_run:
        connection.execute(
            insert_new(connection, _VISIT),
            [{"customer_id": customer_id, "visited_at": at} for customer_id, at in sorted(new)],
        )
    return outcome


def _known(connection: Connection, visits: set[tuple[int, datetime]]) -> set[tuple[int, datetime]]:
    if not visits:
        return set()
    moments = [at for _customer_id, at in visits]
    found = connection.execute(
        select(_VISIT.c.customer_id, _VISIT.c.visited_at).where(
            _VISIT.c.customer_id.in_({customer_id for customer_id, _at in visits}),
            _VISIT.c.visited_at.between(min(moments), max(moments)),
        )
    )
    return {(row.customer_id, row.visited_at) for row in found}

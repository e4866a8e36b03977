"""Everything that the store holds of a customer, for her to read (GDPR articles 15 and 20)."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Table, select

from crm_store.models.all import MODELS
from crm_store.models.customer import Customer
from crm_store.models.membership import Membership, MembershipFreeze
from crm_store.recipients import addresses_of
from crm_store.suppressions import suppressions
from crm_store.tables import table_of

Row = dict[str, Any]


def disclose(connection: Connection, customer_id: int) -> dict[str, Any]:
    """By table: her rows, as JSON has them; a table that is added later is in it by itself."""
    customer = table_of(Customer)
    [hers] = _rows(connection, customer, customer.c.id == customer_id)
    told: dict[str, Any] = {"customer": hers}
    for model in MODELS:
        table = table_of(model)
        if "customer_id" in table.c:
            told[table.name] = _rows(connection, table, table.c.customer_id == customer_id)
    told["membership_freeze"] = _freezes(connection, customer_id)
    told["suppression"] = [
        {
            "channel": channel,
            "reach": found.reach,
            "cause": found.cause,
            "source": found.source,
            "since": found.since.isoformat(),
        }
        for (channel, _), found in suppressions(
            connection, addresses_of(connection, customer_id).items()
        ).items()
    ]
    return told


def _freezes(connection: Connection, customer_id: int) -> list[Row]:
    membership, freeze = table_of(Membership), table_of(MembershipFreeze)
    of_hers = select(membership.c.id).where(membership.c.customer_id == customer_id)
    return _rows(connection, freeze, freeze.c.membership_id.in_(of_hers))


def _rows(connection: Connection, table: Table, condition: Any) -> list[Row]:
    query = select(table).where(condition).order_by(*table.primary_key.columns)
    return [
        {name: _plain(value) for name, value in row._mapping.items()}
        for row in connection.execute(query)
    ]


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value

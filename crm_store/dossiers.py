"""A customer with everything known of her, written in bulk."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, insert
from sqlmodel import SQLModel

from crm_store.inserting import insert_new
from crm_store.models.activity import PackageBalance, Purchase, Visit
from crm_store.models.consent import Consent, Suppression
from crm_store.models.customer import Customer, CustomerTag
from crm_store.models.event import Event
from crm_store.models.membership import Membership, MembershipFreeze
from crm_store.suppressions import address_hash
from crm_store.tables import table_of

Values = dict[str, Any]


@dataclass
class Term:
    """A term, as columns of `membership`, and its freezes: first and last day each."""

    values: Values
    freezes: list[tuple[date, date | None]] = field(default_factory=list)


@dataclass
class Dossier:
    """One customer: each row as columns and values, without ids and customer ids.

    All customers of one call carry the same columns, and so do the rows of each other table.
    """

    customer: Values
    tags: list[str] = field(default_factory=list)
    terms: list[Term] = field(default_factory=list)
    visits: list[datetime] = field(default_factory=list)
    purchases: list[Values] = field(default_factory=list)
    packages: list[Values] = field(default_factory=list)
    consents: list[Values] = field(default_factory=list)
    events: list[Values] = field(default_factory=list)
    suppressions: list[Values] = field(default_factory=list)
    """With the `address` in place of its hash."""


def insert_dossiers(connection: Connection, club_id: int, dossiers: Sequence[Dossier]) -> None:
    """Write new customers with all that is theirs: a statement a table, whatever their number.

    Raises SQLAlchemy's `IntegrityError` when one of them is in the store already.
    """
    customer = table_of(Customer)
    made = connection.execute(
        insert(customer).returning(customer.c.id, sort_by_parameter_order=True),
        [dossier.customer | {"club_id": club_id} for dossier in dossiers],
    )
    owned = list(zip(made.scalars(), dossiers, strict=True))
    _insert_terms(connection, owned)
    rows_of: dict[type[SQLModel], list[tuple[int, Values]]] = {
        CustomerTag: [(owner, {"tag": tag}) for owner, one in owned for tag in one.tags],
        Visit: [(owner, {"visited_at": at}) for owner, one in owned for at in one.visits],
        Purchase: [(owner, row) for owner, one in owned for row in one.purchases],
        PackageBalance: [(owner, row) for owner, one in owned for row in one.packages],
        Consent: [(owner, row) for owner, one in owned for row in one.consents],
        Event: [(owner, row) for owner, one in owned for row in one.events],
    }
    for model, rows in rows_of.items():
        _insert(connection, model, ({"customer_id": owner} | row for owner, row in rows))
    suppressions = [
        {name: value for name, value in row.items() if name != "address"}
        | {"address_hash": address_hash(connection, (row["channel"], row["address"]))}
        for one in dossiers
        for row in one.suppressions
    ]
    if suppressions:
        connection.execute(insert_new(connection, table_of(Suppression)), suppressions)


def _insert_terms(connection: Connection, owned: Iterable[tuple[int, Dossier]]) -> None:
    membership = table_of(Membership)
    terms = [(owner, term) for owner, dossier in owned for term in dossier.terms]
    if not terms:
        return
    made = connection.execute(
        insert(membership).returning(membership.c.id, sort_by_parameter_order=True),
        [term.values | {"customer_id": owner} for owner, term in terms],
    )
    freezes = (
        {"membership_id": key, "starts_on": starts_on, "ends_on": ends_on}
        for key, (_owner, term) in zip(made.scalars(), terms, strict=True)
        for starts_on, ends_on in term.freezes
    )
    _insert(connection, MembershipFreeze, freezes)


def _insert(connection: Connection, model: type[SQLModel], rows: Iterable[Values]) -> None:
    listed = list(rows)
    if listed:
        connection.execute(insert(table_of(model)), listed)

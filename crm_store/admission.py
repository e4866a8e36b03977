"""Admission: everyone who has an occasion and meets the condition enters, in one statement."""

from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    SelectBase,
    String,
    bindparam,
    func,
    literal,
    select,
)

from crm_store.asked import KEPT, Asked
from crm_store.columns import moment_given
from crm_store.enrollments import ENROLLMENT
from crm_store.inserting import Insert, insert_new_on
from crm_store.models.campaign import EnrollmentStatus
from crm_store.occasions import COLUMNS, Occasions
from crm_store.scope import CUSTOMER

Among: TypeAlias = Asked[SelectBase]
"""A selection of customers."""


def admit(
    connection: Connection,
    *,
    campaign: str,
    version_id: int,
    occasions: Occasions,
    condition: Asked[ColumnElement[bool]] | None,
    now: datetime,
    not_since: datetime | None = None,
    among: Among | None = None,
) -> int:
    """Enroll everyone who has the occasion, meets the condition and is not in yet.

    One statement. The unique key (campaign, customer, occurrence) makes a repeat a no-op; the
    NOT EXISTS only spares the database the work. Two that admit at once go in that key's order:
    see `crm_store.locks`. With `not_since`, only who has not entered the campaign since then, for
    whatever occasion; of two occasions at once, one counts. `among` selects customers: only they
    are asked for. Returns how many are new.
    """
    statement = _admission(
        connection.dialect.name,
        occasions.sql,
        condition and condition.sql,
        among and among.sql,
        is_limited=not_since is not None,
    )
    values: dict[str, Any] = {"of_campaign": campaign, "of_version": version_id, "entering": now}
    if not_since is not None:
        values["not_since"] = not_since
    for part in (occasions, condition, among):
        if part is not None:
            values |= part.values
    done = connection.execute(statement, values, execution_options={"preserve_rowcount": True})
    return int(done.rowcount)


@lru_cache(KEPT)
def _admission(
    dialect: str,
    occasions: Select[Any],
    condition: ColumnElement[bool] | None,
    among: SelectBase | None,
    *,
    is_limited: bool,
) -> Insert:
    mine = occasions.selected_columns
    campaign = bindparam("of_campaign", type_=String)
    version = bindparam("of_version", type_=Integer)
    now = moment_given("entering")
    already = (
        select(ENROLLMENT.c.id)
        .where(
            ENROLLMENT.c.campaign == campaign,
            ENROLLMENT.c.customer_id == mine.customer_id,
            ENROLLMENT.c.entered_at > moment_given("not_since")
            if is_limited
            else ENROLLMENT.c.occurrence == mine.occurrence,
        )
        .exists()
    )
    wanted = occasions.where(~already)
    if condition is not None:
        wanted = wanted.where(condition)
    if among is not None:
        wanted = wanted.where(CUSTOMER.c.id.in_(among))
    if is_limited:
        wanted = _first_of_each(wanted)
    rows = wanted.add_columns(campaign, version, literal(str(EnrollmentStatus.ACTIVE)), now, now)
    if dialect != "sqlite":
        columns = rows.selected_columns
        rows = rows.order_by(columns.customer_id, columns.occurrence)
    return insert_new_on(dialect, ENROLLMENT).from_select(
        [*COLUMNS, "campaign", "version_id", "status", "entered_at", "next_at"], rows
    )


def _first_of_each(occasions: Select[Any]) -> Select[Any]:
    """One occasion of each customer: the one whose anchor is first."""
    mine = occasions.selected_columns
    number = func.row_number().over(
        partition_by=mine.customer_id, order_by=(mine.anchor_at, mine.anchor_on, mine.occurrence)
    )
    numbered = occasions.add_columns(number.label("number")).subquery()
    return select(*(numbered.c[name] for name in COLUMNS)).where(numbered.c.number == 1)

"""Days that a campaign can count from: dates of a customer, a term, a package, and festivals.

A date comes `once`, or has an anniversary every year. For each field there is an index, for the
club's own date fields made by `index_custom_dates`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any
from zlib import crc32

from sqlalchemy import (
    ColumnElement,
    Connection,
    Date,
    Integer,
    Select,
    String,
    bindparam,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy.types import TypeEngine

from crm_store.asked import KEPT, Asked
from crm_store.columns import date_from_text, day_text
from crm_store.given_rows import as_rows, given_rows
from crm_store.json_values import text_at
from crm_store.models.activity import PackageBalance
from crm_store.occasions import OF_CLUB, Occasions, numbered, occasion
from crm_store.scope import CUSTOMER, MEMBERSHIP
from crm_store.tables import table_of
from crm_store.terms import IS_TERM, TERM, WITH_CUSTOMER, followed

_PACKAGE = table_of(PackageBalance)
CUSTOM = "custom."
DAY = "day:"
"""How the occurrence of a customer's date begins that comes once."""


@dataclass(frozen=True)
class Kept:
    """A day on which the anniversaries of one or two days of the year are kept."""

    day: date
    month_day: int
    """Month x 100 + day."""


def reached(club_id: int, field: str, first: date, last: date) -> Occasions:
    """The dates in a field that lie in [`first`, `last`].

    A term and a package have each their own; of a customer each new date is a new occasion.
    """
    # As text a date of the club's own is compared: so an index can serve it, and ISO dates sort as
    # dates do.
    days = [day.isoformat() if field.startswith(CUSTOM) else day for day in (first, last)]
    return Asked(_reached(field), {"club": club_id, "first": days[0], "last": days[1]})


@lru_cache(KEPT)
def _reached(field: str) -> Select[Any]:
    kind: TypeEngine[Any] = String() if field.startswith(CUSTOM) else Date()
    first, last = bindparam("first", type_=kind), bindparam("last", type_=kind)
    if field.startswith("membership."):
        day = MEMBERSHIP.c[field.removeprefix("membership.")]
        query = occasion(TERM, day).select_from(WITH_CUSTOMER)
        query = query.where(IS_TERM, day.between(first, last))
    elif field == "package.expires_on":
        day = _PACKAGE.c.expires_on
        which = numbered("package", _PACKAGE.c.id) + ":" + day_text(day)
        packages = _PACKAGE.join(CUSTOMER, CUSTOMER.c.id == _PACKAGE.c.customer_id)
        query = occasion(which, day).select_from(packages).where(day.between(first, last))
    elif field.startswith(CUSTOM):
        written = custom_text(field)
        query = occasion(literal(DAY) + written, date_from_text(written)).select_from(CUSTOMER)
        query = query.where(written.between(first, last))
    else:
        day = CUSTOMER.c[field.removeprefix("customer.")]
        query = occasion(literal(DAY) + day_text(day), day).select_from(CUSTOMER)
        query = query.where(day.between(first, last))
    return query.where(OF_CLUB)


def anniversaries(club_id: int, field: str, called: str, kept: Sequence[Kept]) -> Occasions:
    """The anniversaries of the date in a field that are kept on these days, from the year after.

    The occurrence is `called:2026`. Of a customer's terms it is the latest that counts.
    """
    days = as_rows(
        (
            one.day.isoformat(),
            one.month_day,
            f"{one.month_day // 100:02}-{one.month_day % 100:02}",
            str(one.day.year),
            f"{one.day.year}-01-01",
        )
        for one in kept
    )
    return Asked(_anniversaries(field, called), {"club": club_id, _DAYS: days})


_DAYS = "kept_days"


@lru_cache(KEPT)
def _anniversaries(field: str, called: str) -> Select[Any]:
    days = given_rows(
        _DAYS,
        day=Date(),
        month_day=Integer(),
        written=String(),
        year=String(),
        new_year=Date(),
    )
    anniversary = occasion(literal(f"{called}:") + days.c.year, days.c.day)
    if field.startswith("membership."):
        day = MEMBERSHIP.c[field.removeprefix("membership.")]
        query = anniversary.select_from(
            days.join(MEMBERSHIP, MEMBERSHIP.c.start_month_day == days.c.month_day).join(
                CUSTOMER, CUSTOMER.c.id == MEMBERSHIP.c.customer_id
            )
        ).where(IS_TERM, ~followed(), day < days.c.new_year)
    elif field.startswith(CUSTOM):
        written = custom_text(field)
        query = anniversary.select_from(
            days.join(CUSTOMER, _day_of_year(written) == days.c.written)
        ).where(func.substr(written, 1, 4) < days.c.year)
    else:
        day = CUSTOMER.c[field.removeprefix("customer.")]
        query = anniversary.select_from(
            days.join(CUSTOMER, _MONTH_DAYS[field] == days.c.month_day)
        ).where(day < days.c.new_year)
    return query.where(OF_CLUB)


_MONTH_DAYS: dict[str, ColumnElement[Any]] = {
    "customer.birth_date": CUSTOMER.c.birth_month_day,
    "customer.joined_on": CUSTOMER.c.joined_month_day,
}


def index_custom_dates(connection: Connection, keys: Iterable[str]) -> None:
    """Make the indexes of the club's own date fields; those that are there stay as they are."""
    dialect = connection.dialect
    for key in keys:
        written = custom_text(f"{CUSTOM}{key}")
        for kind, expression in (("day", written), ("year", _day_of_year(written))):
            # PostgreSQL cuts long names, and two that begin alike would be one.
            name = f"ix_customer_{kind}_{crc32(key.encode()):08x}"
            if _has_index(connection, name):
                continue
            spelt = dialect.statement_compiler(dialect, None).process(
                expression, include_table=False
            )
            connection.exec_driver_sql(f"CREATE INDEX IF NOT EXISTS {name} ON customer (({spelt}))")


def _has_index(connection: Connection, name: str) -> bool:
    """Asked first: CREATE INDEX waits for every writer, even where there is nothing to make."""
    if connection.dialect.name == "sqlite":
        return False
    return connection.scalar(select(func.to_regclass(name))) is not None


def custom_text(field: str) -> ColumnElement[str]:
    """A date field of the club's own, as it is written."""
    return text_at(CUSTOMER.c.custom, field.removeprefix(CUSTOM))


def _day_of_year(written: ColumnElement[str]) -> ColumnElement[str]:
    """`11-22` of `2026-11-22`."""
    return func.substr(written, literal_column("6"), literal_column("5"), type_=String)

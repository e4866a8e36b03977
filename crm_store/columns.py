"""Column types and SQL functions that mean the same on SQLite and PostgreSQL."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Date,
    DateTime,
    Dialect,
    Integer,
    String,
    bindparam,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement, GenericFunction
from sqlalchemy.types import TypeDecorator

LARGEST_ID = 2**31 - 1
"""What a key of PostgreSQL's can be. It breaks off a query for a larger one; no row has it."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware instant, stored in UTC. A naive datetime is refused: it has no meaning here."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else _in_utc(value)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC)

    # SQLite has no type for it: a fixed-width UTC text without zone sorts and compares rightly.
    # SQLAlchemy writes and reads that text as well, by way of a naive datetime, in thrice the time:
    # a touchpoint has eight of them.

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any] | None:
        return _written if dialect.name == "sqlite" else super().bind_processor(dialect)

    def result_processor(self, dialect: Dialect, coltype: Any) -> Callable[[Any], Any] | None:
        if dialect.name == "sqlite":
            return _read
        return super().result_processor(dialect, coltype)


def _in_utc(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError(f"naive datetime {value!r}: give it a time zone")
    return value if value.tzinfo is UTC else value.astimezone(UTC)


def _written(value: datetime | None) -> str | None:
    if value is None:
        return None
    return _in_utc(value).isoformat(" ", "microseconds").removesuffix("+00:00")


@lru_cache(maxsize=4096)  # the rows of a batch have many moments in common
def _read(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


def moment_given(name: str) -> BindParameter[datetime]:
    """A parameter: an instant, told by its name when the statement is executed."""
    return bindparam(name, type_=UtcDateTime)


def day_given(name: str) -> BindParameter[date]:
    """A parameter: a calendar day."""
    return bindparam(name, type_=Date)


class unindexed(FunctionElement[Any]):  # noqa: N801 - a SQL function is named as SQL names it
    """`unindexed(column)` → the column, for which SQLite takes no index.

    It knows nothing of how many rows an index finds. PostgreSQL does, and chooses for itself.
    """

    inherit_cache = True

    def __init__(self, column: ColumnElement[Any]) -> None:
        super().__init__(column)
        self.type = column.type


@compiles(unindexed, "sqlite")
def _unindexed_sqlite(element: unindexed, compiler: SQLCompiler, **kw: Any) -> str:
    return f"+{compiler.process(element.clauses, **kw)}"


@compiles(unindexed, "postgresql")
def _unindexed_postgresql(element: unindexed, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.clauses, **kw)


class month_day(GenericFunction[int]):  # noqa: N801 - a SQL function is named as SQL names it
    """`month_day(date)` → month x 100 + day (22 November is 1122), for an indexed birthday."""

    type = Integer()
    inherit_cache = True


@compiles(month_day, "sqlite")
def _month_day_sqlite(element: month_day, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST(strftime('%m%d', {compiler.process(element.clauses, **kw)}) AS INTEGER)"


@compiles(month_day, "postgresql")
def _month_day_postgresql(element: month_day, compiler: SQLCompiler, **kw: Any) -> str:
    day = compiler.process(element.clauses, **kw)
    return f"CAST(extract(month from {day}) * 100 + extract(day from {day}) AS INTEGER)"


class days_between(GenericFunction[int]):  # noqa: N801
    """`days_between(earlier, later)` → whole days from one date to another."""

    type = Integer()
    inherit_cache = True


@compiles(days_between, "sqlite")
def _days_between_sqlite(element: days_between, compiler: SQLCompiler, **kw: Any) -> str:
    earlier, later = (compiler.process(part, **kw) for part in element.clauses)
    return f"CAST(julianday(date({later})) - julianday(date({earlier})) AS INTEGER)"


@compiles(days_between, "postgresql")
def _days_between_postgresql(element: days_between, compiler: SQLCompiler, **kw: Any) -> str:
    earlier, later = (compiler.process(part, **kw) for part in element.clauses)
    return f"(CAST({later} AS date) - CAST({earlier} AS date))"


class day_of(GenericFunction[Any]):  # noqa: N801
    """`day_of(instant)` → its UTC calendar day."""

    type = Date()
    inherit_cache = True


@compiles(day_of, "sqlite")
def _day_of_sqlite(element: day_of, compiler: SQLCompiler, **kw: Any) -> str:
    return f"date({compiler.process(element.clauses, **kw)})"


@compiles(day_of, "postgresql")
def _day_of_postgresql(element: day_of, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST({compiler.process(element.clauses, **kw)} AT TIME ZONE 'UTC' AS date)"


class date_from_text(GenericFunction[Any]):  # noqa: N801
    """`date_from_text('2026-11-22')` → that date; NULL for what is no day of the calendar.

    The text may be anything: a field of the club's own may have held words before it held dates.
    """

    type = Date()
    inherit_cache = True


@compiles(date_from_text, "sqlite")
def _date_from_text_sqlite(element: date_from_text, compiler: SQLCompiler, **kw: Any) -> str:
    text = compiler.process(element.clauses, **kw)
    # SQLite makes a date of 'now' and of a number too, and lets February have 31 days.
    return f"CASE WHEN date({text}, '+0 days') = {text} AND {text} > '0001' THEN {text} END"


@compiles(date_from_text, "postgresql")
def _date_from_text_postgresql(element: date_from_text, compiler: SQLCompiler, **kw: Any) -> str:
    text = compiler.process(element.clauses, **kw)
    # One that it cannot read would end the statement for all other rows.
    month = f"CAST(left({text}, 8) || '01' AS date)"
    last = f"extract(day FROM {month} + interval '1 month - 1 day')"
    return (
        f"CASE WHEN {text} ~ '^(?!0000)[0-9]{{4}}-(0[1-9]|1[0-2])-[0-3][0-9]$' THEN"
        f" CASE WHEN CAST(right({text}, 2) AS integer) BETWEEN 1 AND {last}"
        f" THEN CAST({text} AS date) END END"
    )


class words_joined(GenericFunction[str]):  # noqa: N801
    """`words_joined(column)` → all values of a group, joined by line feeds."""

    type = String()
    inherit_cache = True


@compiles(words_joined, "sqlite")
def _words_joined_sqlite(element: words_joined, compiler: SQLCompiler, **kw: Any) -> str:
    return f"group_concat({compiler.process(element.clauses, **kw)}, char(10))"


@compiles(words_joined, "postgresql")
def _words_joined_postgresql(element: words_joined, compiler: SQLCompiler, **kw: Any) -> str:
    return f"string_agg({compiler.process(element.clauses, **kw)}, chr(10))"


class local_day(GenericFunction[Any]):  # noqa: N801
    """`local_day(instant, seconds)` → its calendar day where clocks are `seconds` ahead of UTC."""

    type = Date()
    inherit_cache = True


@compiles(local_day, "sqlite")
def _local_day_sqlite(element: local_day, compiler: SQLCompiler, **kw: Any) -> str:
    instant, seconds = (compiler.process(part, **kw) for part in element.clauses)
    return f"date({instant}, {seconds} || ' seconds')"


@compiles(local_day, "postgresql")
def _local_day_postgresql(element: local_day, compiler: SQLCompiler, **kw: Any) -> str:
    instant, seconds = (compiler.process(part, **kw) for part in element.clauses)
    return f"CAST({instant} AT TIME ZONE 'UTC' + {seconds} * interval '1 second' AS date)"


class days_after(GenericFunction[Any]):  # noqa: N801
    """`days_after(date, days)` → the date so many days later."""

    type = Date()
    inherit_cache = True


@compiles(days_after, "sqlite")
def _days_after_sqlite(element: days_after, compiler: SQLCompiler, **kw: Any) -> str:
    day, days = (compiler.process(part, **kw) for part in element.clauses)
    return f"date({day}, {days} || ' days')"


@compiles(days_after, "postgresql")
def _days_after_postgresql(element: days_after, compiler: SQLCompiler, **kw: Any) -> str:
    day, days = (compiler.process(part, **kw) for part in element.clauses)
    return f"({day} + {days})"


class year_of(GenericFunction[int]):  # noqa: N801
    """`year_of(date)` → 2026."""

    type = Integer()
    inherit_cache = True


@compiles(year_of, "sqlite")
def _year_of_sqlite(element: year_of, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST(strftime('%Y', {compiler.process(element.clauses, **kw)}) AS INTEGER)"


@compiles(year_of, "postgresql")
def _year_of_postgresql(element: year_of, compiler: SQLCompiler, **kw: Any) -> str:
    return f"CAST(extract(year from {compiler.process(element.clauses, **kw)}) AS INTEGER)"


class day_text(GenericFunction[str]):  # noqa: N801
    """`day_text(date)` → '2026-11-22', whatever style the server prefers."""

    type = String()
    inherit_cache = True


@compiles(day_text, "sqlite")
def _day_text_sqlite(element: day_text, compiler: SQLCompiler, **kw: Any) -> str:
    return f"strftime('%Y-%m-%d', {compiler.process(element.clauses, **kw)})"


@compiles(day_text, "postgresql")
def _day_text_postgresql(element: day_text, compiler: SQLCompiler, **kw: Any) -> str:
    return f"to_char({compiler.process(element.clauses, **kw)}, 'YYYY-MM-DD')"

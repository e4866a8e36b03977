"""`INSERT … ON CONFLICT`, spelled for the database at hand."""

from functools import cache
from typing import TypeAlias

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.dml import OnConflictDoNothing as PostgresqlDoNothing
from sqlalchemy.dialects.sqlite.dml import OnConflictDoNothing as SqliteDoNothing
from sqlalchemy.sql.visitors import InternalTraversal

_Parts: TypeAlias = list[tuple[str, InternalTraversal]]
Insert: TypeAlias = sqlite.Insert | postgresql.Insert


def insert_into(connection: Connection, table: Table) -> Insert:
    """The dialect's own INSERT, which knows `ON CONFLICT`."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def insert_new(connection: Connection, table: Table) -> Insert:
    """An INSERT that leaves a row alone whose unique key is already there."""
    return insert_new_on(connection.dialect.name, table)


def insert_new_on(dialect: str, table: Table) -> Insert:
    """As `insert_new`, by the dialect's name."""
    return _SqliteNew(table) if dialect == "sqlite" else _PostgresqlNew(table)


def insert_new_by(connection: Connection, table: Table, key: tuple[str, ...]) -> Insert:
    """As `insert_new`, where only this unique key makes a row a known one; others are errors."""
    return _new_by(connection.dialect.name, key)(table)


# SQLAlchemy never keeps the compiled form of a dialect's INSERT, because it does not look into its
# ON CONFLICT; compiling a large one takes longer than running it. DO NOTHING without a target has
# nothing to look into.


class _SqliteDoNothing(SqliteDoNothing):
    inherit_cache = True
    _traverse_internals: _Parts = []  # noqa: RUF012 - its base declares it so


class _PostgresqlDoNothing(PostgresqlDoNothing):
    inherit_cache = True
    _traverse_internals: _Parts = []  # noqa: RUF012 - its base declares it so


class _SqliteNew(sqlite.Insert):
    inherit_cache = True
    _post_values_clause = _SqliteDoNothing()


class _PostgresqlNew(postgresql.Insert):
    inherit_cache = True
    _post_values_clause = _PostgresqlDoNothing()


@cache
def _new_by(dialect: str, key: tuple[str, ...]) -> type[Insert]:
    """An INSERT of a class of its own: to the cache of compiled forms the class says the key."""
    kind: type[Insert] = sqlite.Insert if dialect == "sqlite" else postgresql.Insert
    do_nothing = _SqliteDoNothing if dialect == "sqlite" else _PostgresqlDoNothing
    body = {"inherit_cache": True, "_post_values_clause": do_nothing(index_elements=key)}
    return type(f"_NewBy_{'_'.join(key)}", (kind,), body)

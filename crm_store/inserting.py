"""`INSERT … ON CONFLICT`, spelled for the database at hand."""

from typing import TypeAlias

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

Insert: TypeAlias = sqlite.Insert | postgresql.Insert


def insert_into(connection: Connection, table: Table) -> Insert:
    """The dialect's own INSERT, which knows `ON CONFLICT`."""
    if connection.dialect.name == "sqlite":
        return sqlite.insert(table)
    return postgresql.insert(table)


def insert_new(connection: Connection, table: Table) -> Insert:
    """An INSERT that leaves a row alone whose unique key is already there."""
    return insert_into(connection, table).on_conflict_do_nothing()

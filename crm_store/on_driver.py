"""Statements that a commit waits for, as a database's driver takes them.

SQLAlchemy finds what it has compiled by the hash of all that a statement consists of, which it
counts anew each time: for the few that every message takes, that is longer than the database needs.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ClauseElement, Connection, CursorResult, Dialect
from sqlalchemy.sql.compiler import SQLCompiler


class OnDriver:
    """A statement of one database, its parameters given by their names. None of them is a list
    that would be written out (`expanding`)."""

    def __init__(self, statement: ClauseElement, dialect: Dialect) -> None:
        compiled = dialect.statement_compiler(dialect, statement)
        self._sql = compiled.string
        self._is_positional = compiled.positional
        order = compiled.positiontup if compiled.positional else compiled.binds
        self._parameters = [_Parameter(name, compiled, dialect) for name in order or ()]

    def execute(self, connection: Connection, given: Mapping[str, Any]) -> CursorResult[Any]:
        """Raises `KeyError` for a parameter without a value."""
        if self._is_positional:
            values = tuple([one.value(given) for one in self._parameters])
            return connection.exec_driver_sql(self._sql, values)
        return connection.exec_driver_sql(
            self._sql, {one.name: one.value(given) for one in self._parameters}
        )


class _Parameter:
    """One place in the statement: its value is given, or the statement's own."""

    def __init__(self, name: str, compiled: SQLCompiler, dialect: Dialect) -> None:
        bound = compiled.binds[name]
        self.name = name
        self._written = bound.type.dialect_impl(dialect).bind_processor(dialect)
        self._own = None if bound.required else self._in_drivers_words(bound.effective_value)
        self._is_given = bound.required

    def value(self, given: Mapping[str, Any]) -> Any:
        return self._in_drivers_words(given[self.name]) if self._is_given else self._own

    def _in_drivers_words(self, value: Any) -> Any:
        return value if self._written is None else self._written(value)

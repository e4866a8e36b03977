"""Many rows handed to a statement as one parameter: its text is the same for any number of them.

With a placeholder for each value a statement would be built and planned anew for each number of
rows; executed row by row it would cost a round trip each. These rows travel as one JSON text,
which both databases read as a table.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

from orjson import dumps
from sqlalchemy import Label, Subquery, Text, bindparam, literal_column, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine

from crm_store.columns import UtcDateTime


def given_rows(parameter: str, rows: str | None = None, /, **columns: TypeEngine[Any]) -> Subquery:
    """What `as_rows` made, bound to `parameter`, as a table with these columns in this order.

    The rows are given here, or when the statement is executed.
    """
    bound = bindparam(parameter, rows, Text, required=rows is None)
    rows_of = _JsonRows(bound).table_valued("value", name="given")
    value = rows_of.c.value

    def column(at: int, name: str, kind: TypeEngine[Any]) -> Label[Any]:
        return _JsonItem(value, literal_column(str(at)), kind).label(name)

    items = (column(at, name, kind) for at, (name, kind) in enumerate(columns.items()))
    return select(*items).subquery(parameter)


def as_rows(rows: Iterable[Sequence[str | int | None]]) -> str:
    """The parameter's value: rows of texts and whole numbers."""
    return dumps([*rows]).decode()


def as_text(moment: datetime) -> str:
    """A moment as a cell of `as_rows`, for a column of `UtcDateTime`."""
    # As SQLAlchemy stores it on SQLite; PostgreSQL reads the same with the zone.
    return moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")


class _JsonRows(FunctionElement[Any]):
    """A JSON array as rows of one column, `value`."""

    inherit_cache = True


class _JsonItem(FunctionElement[Any]):
    """The n-th item of a JSON array."""

    inherit_cache = True

    def __init__(self, value: Any, at: Any, kind: TypeEngine[Any]) -> None:
        super().__init__(value, at)
        self.type = kind


@compiles(_JsonRows, "sqlite")
def _rows_sqlite(element: _JsonRows, compiler: SQLCompiler, **kw: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **kw)})"


@compiles(_JsonRows, "postgresql")
def _rows_postgresql(element: _JsonRows, compiler: SQLCompiler, **kw: Any) -> str:
    return f"jsonb_array_elements(CAST({compiler.process(element.clauses, **kw)} AS jsonb))"


@compiles(_JsonItem, "sqlite")
def _item_sqlite(element: _JsonItem, compiler: SQLCompiler, **kw: Any) -> str:
    value, at = (compiler.process(part, **kw) for part in element.clauses)
    return f"json_extract({value}, '$[{at}]')"


@compiles(_JsonItem, "postgresql")
def _item_postgresql(element: _JsonItem, compiler: SQLCompiler, **kw: Any) -> str:
    value, at = (compiler.process(part, **kw) for part in element.clauses)
    text = f"({value} ->> {at})"
    if isinstance(element.type, UtcDateTime):
        text = f"({text} || '+00')"
    kind = element.type.dialect_impl(compiler.dialect)
    return f"CAST({text} AS {compiler.dialect.type_compiler_instance.process(kind)})"

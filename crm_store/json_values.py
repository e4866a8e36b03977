"""Values inside a JSON column, each by its own JSON type, alike on SQLite and PostgreSQL.

A text is no number and a number is no text: asked for the wrong one, the answer is NULL, and
nothing that a stranger wrote into an event can make a statement fail.
"""

import json
import math
import re
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Float, String, literal_column
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import GenericFunction

from crm_store.event_names import KEY
from crm_store.storable import storable

_SUSPECT = re.compile(r"\\[bf]|\\u00[01789]|\\ud[89a-f]|\\u20[26]|[0-9]{300}")
"""In JSON: what may be more than `storable` lets pass, or a number beyond a float."""


def written(value: Any) -> str:
    """JSON that both databases can look into, whatever it was told.

    One value that a database cannot read would end every statement that passes over its row:
    a NUL, half a character, NaN, a number beyond a float. Texts become `storable`, and such
    numbers null.
    """
    try:
        plain = json.dumps(value, allow_nan=False)
    except ValueError:
        return json.dumps(_readable(value))
    return json.dumps(_readable(value)) if _SUSPECT.search(plain) else plain


def _readable(value: Any) -> Any:
    match value:
        case str():
            return storable(value)
        case dict():
            return {_readable(key): _readable(item) for key, item in value.items()}
        case list() | tuple():
            return [_readable(item) for item in value]
        case bool():
            return value
        case int() | float():
            return value if _is_finite(value) else None
        case _:
            return value


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # an integer beyond every float
        return False


def text_at(column: ColumnElement[Any], key: str) -> ColumnElement[str]:
    """The text under a key of a JSON object; NULL when it is no text."""
    return json_text(column, _spelt(key))


def number_at(column: ColumnElement[Any], key: str) -> ColumnElement[float]:
    """The number under a key; NULL when it is no number."""
    return json_number(column, _spelt(key))


def flag_at(column: ColumnElement[Any], key: str) -> ColumnElement[bool]:
    """The true or false under a key; NULL when it is neither."""
    return json_flag(column, _spelt(key))


def _spelt(key: str) -> ColumnElement[Any]:
    # Written into the statement: an index is found only by an expression spelt as its own.
    if not KEY.fullmatch(key):
        raise ValueError(f"not a plain key: {key!r}")
    return literal_column(key)


class json_text(GenericFunction[str]):  # noqa: N801 - a SQL function is named as SQL names it
    """See `text_at`."""

    type = String()
    inherit_cache = True


class json_number(GenericFunction[float]):  # noqa: N801
    """See `number_at`."""

    type = Float()
    inherit_cache = True


class json_flag(GenericFunction[bool]):  # noqa: N801
    """See `flag_at`."""

    type = Boolean()
    inherit_cache = True


def _parts(element: GenericFunction[Any], compiler: SQLCompiler, kw: Any) -> tuple[str, str]:
    column, key = element.clauses
    return compiler.process(column, **kw), compiler.process(key)


@compiles(json_text, "sqlite")
def _text_sqlite(element: json_text, compiler: SQLCompiler, **kw: Any) -> str:
    column, key = _parts(element, compiler, kw)
    path = f"""'$."{key}"'"""
    return f"CASE json_type({column}, {path}) WHEN 'text' THEN json_extract({column}, {path}) END"


@compiles(json_text, "postgresql")
def _text_postgresql(element: json_text, compiler: SQLCompiler, **kw: Any) -> str:
    column, key = _parts(element, compiler, kw)
    return f"CASE json_typeof({column} -> '{key}') WHEN 'string' THEN {column} ->> '{key}' END"


@compiles(json_number, "sqlite")
def _number_sqlite(element: json_number, compiler: SQLCompiler, **kw: Any) -> str:
    column, key = _parts(element, compiler, kw)
    path = f"""'$."{key}"'"""
    return (
        f"CASE WHEN json_type({column}, {path}) IN ('integer', 'real') "
        f"THEN CAST(json_extract({column}, {path}) AS REAL) END"
    )


@compiles(json_number, "postgresql")
def _number_postgresql(element: json_number, compiler: SQLCompiler, **kw: Any) -> str:
    column, key = _parts(element, compiler, kw)
    # By way of `numeric`: a number too large for a float would end the statement.
    return (
        f"CASE json_typeof({column} -> '{key}') WHEN 'number' "
        f"THEN CAST({column} ->> '{key}' AS numeric) END"
    )


@compiles(json_flag, "sqlite")
def _flag_sqlite(element: json_flag, compiler: SQLCompiler, **kw: Any) -> str:
    column, key = _parts(element, compiler, kw)
    path = f"""'$."{key}"'"""
    return f"CASE json_type({column}, {path}) WHEN 'true' THEN 1 WHEN 'false' THEN 0 END"


@compiles(json_flag, "postgresql")
def _flag_postgresql(element: json_flag, compiler: SQLCompiler, **kw: Any) -> str:
    column, key = _parts(element, compiler, kw)
    return (
        f"CASE json_typeof({column} -> '{key}') WHEN 'boolean' "
        f"THEN CAST({column} ->> '{key}' AS boolean) END"
    )

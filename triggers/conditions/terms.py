"""The typed values that a condition compares, and how a comparison becomes two-valued SQL."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeAlias

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    Float,
    String,
    false,
    func,
    literal,
    not_,
    true,
)

from crm_store.catalogue.field import Field, FieldType
from crm_store.scope import Scope
from triggers.conditions.syntax import ConditionError

Constant: TypeAlias = str | int | float | bool | date | None
Predicate: TypeAlias = Callable[[Scope], ColumnElement[bool]]

NUMERIC = (FieldType.INTEGER, FieldType.NUMBER)
ORDERED = (*NUMERIC, FieldType.DATE)
_LARGEST = 2**53
"""Whole numbers up to here are exact in Python, in SQLite and in PostgreSQL alike."""
_SQL_TYPES: dict[FieldType, Any] = {
    FieldType.TEXT: String,
    FieldType.INTEGER: BigInteger,
    FieldType.NUMBER: Float,
    FieldType.DATE: Date,
}
_CALLED = {
    FieldType.TEXT: "text",
    FieldType.INTEGER: "a whole number",
    FieldType.NUMBER: "a number",
    FieldType.BOOLEAN: "true or false",
    FieldType.DATE: "a date",
    FieldType.TAGS: "a set of tags",
}


@dataclass(frozen=True)
class Term:
    """One side of a comparison: a field, a constant, or a sum of them."""

    text: str
    """As a person would write it."""
    at: int
    type: FieldType | None
    """Nothing for `none`."""
    sql: Callable[[Scope], ColumnElement[Any]]
    always: bool
    """It is never empty."""
    field: Field | None = None
    constant: bool = False
    value: Constant = None
    """Of a constant."""

    @property
    def called(self) -> str:
        """Its type in words: `a whole number`."""
        return _CALLED[self.type] if self.type else "empty"


def field_term(field: Field, at: int) -> Term:
    """A field of the catalogue."""
    return Term(field.name, at, field.type, field.sql, field.always, field=field)


def constant_term(value: object, at: int) -> Term:
    """A constant; refuses numbers and texts that a database could not take."""
    kind: FieldType | None
    if value is None:
        kind = None
    elif isinstance(value, bool):
        kind = FieldType.BOOLEAN
    elif isinstance(value, int | float):
        kind = FieldType.INTEGER if isinstance(value, int) else FieldType.NUMBER
        if abs(value) > _LARGEST:
            raise ConditionError("the number is too large", "write a smaller one", at)
    elif isinstance(value, str):
        kind = FieldType.TEXT
        if any(unicodedata.category(letter) in ("Cc", "Cs") for letter in value):
            fix = "write the text as people see it"
            raise ConditionError("the text holds characters that cannot be seen", fix, at)
    else:
        raise ConditionError("this value cannot be compared", "write a text or a number", at)
    return _constant(kind, value, at)


def matched(term: Term, other: Term) -> Term:
    """`term` as `other` needs it: a text beside a date is read as a date.

    Raises `ConditionError` when the two cannot be compared at all.
    """
    if term.constant and other.type is FieldType.DATE and isinstance(term.value, str):
        return _constant(FieldType.DATE, _date(term.value, term.at), term.at)
    if term.type is other.type or (term.type in NUMERIC and other.type in NUMERIC):
        return term
    raise ConditionError(f"{other.text} is {other.called}", _compare_with(other), term.at)


def number_sql(term: Term) -> Callable[[Scope], ColumnElement[Any]]:
    """The term as a floating-point number, as arithmetic needs it.

    Whole numbers of a database overflow, and PostgreSQL then ends the statement.
    """
    return lambda scope: term.sql(scope).cast(Float)


def known(comparison: ColumnElement[bool]) -> ColumnElement[bool]:
    """A comparison with an empty value is false, not unknown: logic has two values here."""
    return func.coalesce(comparison, false(), type_=Boolean)


def is_true(term: Term) -> Predicate:
    """A field that is true or false, as a condition; false when it is empty."""
    return lambda scope: known(term.sql(scope))


def is_false(term: Term) -> Predicate:
    """`== false`: false when it is empty too."""
    return lambda scope: known(not_(term.sql(scope)))


def is_empty(term: Term) -> Predicate:
    """`is none`."""
    if term.constant or term.type is FieldType.TAGS:
        raise ConditionError(f"`{term.text}` is never empty", "write a field", term.at)
    return lambda scope: term.sql(scope).is_(None)


def equal(left: Term, right: Term) -> Predicate:
    """`==`: false when either side is empty."""
    for one, other in ((left, right), (right, left)):
        if one.constant and one.value is True:
            return is_true(other)
        if one.constant and one.value is False:
            return is_false(other)
    return compared(left, right, lambda a, b: a == b)


def compared(
    left: Term,
    right: Term,
    operator: Callable[[ColumnElement[Any], ColumnElement[Any]], ColumnElement[bool]],
) -> Predicate:
    """Any comparison of two values: false when either side is empty."""

    def sql(scope: Scope) -> ColumnElement[bool]:
        comparison = operator(left.sql(scope), right.sql(scope))
        return comparison if left.always and right.always else known(comparison)

    return sql


def one_of(term: Term, items: list[Term]) -> Predicate:
    """`in [...]`: false when the term is empty."""
    return lambda scope: known(term.sql(scope).in_([item.sql(scope) for item in items]))


def _constant(kind: FieldType | None, value: Any, at: int) -> Term:
    def sql(_scope: Scope) -> ColumnElement[Any]:
        if kind is FieldType.BOOLEAN:
            return true() if value else false()
        return literal(value, _SQL_TYPES[kind]() if kind else None)

    return Term(repr(value)[:60], at, kind, sql, value is not None, constant=True, value=value)


def _date(text: str, at: int) -> date:
    fix = 'write year, month and day, such as "2026-11-22"'
    wrong = ConditionError(f"`{text[:40]}` is not a date", fix, at)
    if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        raise wrong
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise wrong from error


def _compare_with(term: Term) -> str:
    match term.type:
        case FieldType.TEXT:
            example = "a text in quotes"
        case FieldType.DATE:
            example = 'a date such as "2026-11-22"'
        case FieldType.BOOLEAN:
            return f"write `{term.text}` or `not {term.text}`"
        case FieldType.TAGS:
            return f'write `"vip" in {term.text}`'
        case _:
            example = "a number without quotes"
    return f"compare it with {example}"

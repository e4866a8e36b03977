"""The typed values that a condition compares: fields, constants and sums."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, TypeAlias

from crm_store.catalogue.field import Field, FieldType
from triggers.conditions.syntax import ConditionError

Constant: TypeAlias = str | int | float | bool | date | None

NUMERIC = (FieldType.INTEGER, FieldType.NUMBER)
ORDERED = (*NUMERIC, FieldType.DATE)
_LARGEST = 2**53
"""Whole numbers up to here are exact in Python, in SQLite and in PostgreSQL alike."""


@dataclass(frozen=True)
class Term:
    """One side of a comparison: a field, a constant, or a sum of them."""

    text: str
    """As a person would write it."""
    at: int
    type: FieldType | None
    """Nothing for `none`."""
    always: bool
    """It is never empty."""
    constant: bool = False
    """No field is in it."""
    field: Field | None = None
    """What it is, when it is a field."""
    sum: "Sum | None" = None
    """What it is, when it is a sum."""
    value: Constant = None
    """What it is otherwise."""

    @property
    def called(self) -> str:
        """Its type in words: `a whole number`."""
        return self.type.called if self.type else "empty"


@dataclass(frozen=True)
class Sum:
    """Numbers added, subtracted or multiplied; one number and `-` is its negative."""

    sign: Literal["+", "-", "*"]
    parts: tuple[Term, ...]


def field_term(field: Field, at: int) -> Term:
    """A field of the catalogue."""
    return Term(field.name, at, field.type, field.always, field=field)


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


def _constant(kind: FieldType | None, value: Any, at: int) -> Term:
    return Term(repr(value)[:60], at, kind, value is not None, constant=True, value=value)


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

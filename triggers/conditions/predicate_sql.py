"""How a condition is written in two-valued SQL: true or false, never NULL."""

import operator
from collections.abc import Callable
from typing import Any, assert_never

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Date,
    Float,
    String,
    and_,
    false,
    func,
    literal,
    not_,
    or_,
    true,
)

from crm_store.catalogue.field import FieldType
from crm_store.scope import Scope
from triggers.conditions.predicates import (
    AllOf,
    Always,
    AnyOf,
    Compared,
    HasWord,
    IsEmpty,
    IsFalse,
    IsTrue,
    Not,
    OneOf,
    Predicate,
    Sign,
)
from triggers.conditions.terms import Sum, Term

_COMPARISONS: dict[Sign, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_SUMS: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
}
_TYPES: dict[FieldType, Any] = {
    FieldType.TEXT: String,
    FieldType.INTEGER: BigInteger,
    FieldType.NUMBER: Float,
    FieldType.DATE: Date,
}


def predicate_sql(predicate: Predicate, scope: Scope) -> ColumnElement[bool]:
    """The condition for the customer of the scope. Every value is a bound parameter."""
    match predicate:
        case Always(holds):
            return true() if holds else false()
        case AllOf(parts):
            return and_(*(predicate_sql(part, scope) for part in parts))
        case AnyOf(parts):
            return or_(*(predicate_sql(part, scope) for part in parts))
        case Not(part):
            return not_(predicate_sql(part, scope))
        case IsTrue(term):
            return _known(_term_sql(term, scope))
        case IsFalse(term):
            return _known(not_(_term_sql(term, scope)))
        case IsEmpty(term):
            return _term_sql(term, scope).is_(None)
        case Compared(left, sign, right):
            comparison = _COMPARISONS[sign](_side(left, right, scope), _side(right, left, scope))
            return comparison if left.always and right.always else _known(comparison)
        case OneOf(term, items):
            return _known(_term_sql(term, scope).in_([_term_sql(item, scope) for item in items]))
        case HasWord(field, word):
            return field.contains(word, scope)
    assert_never(predicate)


def _known(comparison: ColumnElement[bool]) -> ColumnElement[bool]:
    """A comparison with an empty value is false, not unknown: logic has two values here."""
    return func.coalesce(comparison, false(), type_=Boolean)


def _side(term: Term, other: Term, scope: Scope) -> ColumnElement[Any]:
    """One side of a comparison. Rows are counted until they are more than it asks for: a member of
    years has hundreds of visits."""
    if term.field is not None and isinstance(other.value, int):
        counted = term.field.counted(max(0, other.value) + 1, scope)
        return _term_sql(term, scope) if counted is None else counted
    return _term_sql(term, scope)


def _term_sql(term: Term, scope: Scope) -> ColumnElement[Any]:
    if term.field is not None:
        return term.field.sql(scope)
    if term.sum is not None:
        return _sum_sql(term.sum, scope)
    if term.type is FieldType.BOOLEAN:
        return true() if term.value else false()
    return literal(term.value, _TYPES[term.type]() if term.type else None)


def _sum_sql(sum_: Sum, scope: Scope) -> ColumnElement[Any]:
    """In floating point: whole numbers of a database overflow, and PostgreSQL then ends the
    statement."""
    first, *rest = (_term_sql(part, scope).cast(Float) for part in sum_.parts)
    return _SUMS[sum_.sign](first, rest[0]) if rest else -first

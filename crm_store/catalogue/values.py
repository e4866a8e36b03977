"""How a field's value is written in SQL: from a column, the membership, or a customer's rows."""

from collections.abc import Callable
from typing import Any, TypeAlias

from sqlalchemy import ColumnElement, FromClause, exists, func, or_, select

from crm_store.columns import date_from_text, words_joined
from crm_store.models.club import Club
from crm_store.models.customer import CustomerTag
from crm_store.models.membership import Membership, MembershipFreeze
from crm_store.scope import Scope
from crm_store.tables import table_of

Value: TypeAlias = ColumnElement[Any]
ValueOf: TypeAlias = Callable[[Scope], Value]

_CLUB, _TAG = table_of(Club), table_of(CustomerTag)
_MEMBERSHIP, _FREEZE = table_of(Membership), table_of(MembershipFreeze)


def of_customer(column: str) -> ValueOf:
    """A column of her own row."""
    return lambda scope: scope.customer.c[column]


def name_of_customer(column: str) -> ValueOf:
    """A name; an empty text is no name."""
    return lambda scope: func.nullif(scope.customer.c[column], "")


def of_club(column: str) -> ValueOf:
    """A column of her club."""
    return lambda scope: (
        select(_CLUB.c[column]).where(_CLUB.c.id == scope.customer.c.club_id).scalar_subquery()
    )


def of_membership(value: Callable[[Scope, FromClause], Value]) -> ValueOf:
    """From the membership that the scope joins, else from her latest term."""

    def sql(scope: Scope) -> Value:
        if scope.membership is not None:
            return value(scope, scope.membership)
        latest = _MEMBERSHIP.alias()
        return (
            select(value(scope, latest))
            .where(latest.c.customer_id == scope.customer.c.id)
            .order_by(latest.c.ends_on.desc(), latest.c.id.desc())
            .limit(1)
            .scalar_subquery()
        )

    return sql


def membership_column(column: str) -> ValueOf:
    """A column of the membership."""
    return of_membership(lambda _scope, membership: membership.c[column])


def membership_frozen(scope: Scope, membership: FromClause) -> Value:
    """Whether a freeze covers today."""
    return exists().where(
        _FREEZE.c.membership_id == membership.c.id,
        _FREEZE.c.starts_on <= scope.today_sql,
        or_(_FREEZE.c.ends_on.is_(None), _FREEZE.c.ends_on >= scope.today_sql),
    )


def over_rows(
    rows: FromClause,
    value: Callable[[Scope], Value],
    *where: Callable[[Scope], ColumnElement[bool]],
) -> ValueOf:
    """An aggregate over the rows of a table that belong to her."""
    return lambda scope: (
        select(value(scope))
        .where(
            rows.c.customer_id == scope.customer.c.id,
            *(condition(scope) for condition in where),
        )
        .scalar_subquery()
    )


def has_tag(scope: Scope, tag: str) -> ColumnElement[bool]:
    """Whether she carries the tag."""
    return exists().where(_TAG.c.customer_id == scope.customer.c.id, _TAG.c.tag == tag)


def tags(scope: Scope) -> Value:
    """All her tags, joined by line feeds; an empty text when she has none."""
    return (
        select(func.coalesce(words_joined(_TAG.c.tag), ""))
        .where(_TAG.c.customer_id == scope.customer.c.id)
        .scalar_subquery()
    )


def of_custom(key: str, kind: str) -> ValueOf:
    """A value in `Customer.custom`; `kind` is a `FieldType`."""

    def sql(scope: Scope) -> Value:
        value = scope.customer.c.custom[key]
        as_kind: dict[str, Callable[[], Value]] = {
            "integer": value.as_integer,
            "number": value.as_float,
            "boolean": value.as_boolean,
            "date": lambda: date_from_text(value.as_string()),
        }
        as_value: Callable[[], Value] = as_kind.get(kind, value.as_string)
        return as_value()

    return sql

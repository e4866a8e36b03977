"""The fields that every club has, and how a club adds its own."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, func

from crm_store.catalogue.field import Catalogue, Field, FieldType
from crm_store.catalogue.values import (
    ValueOf,
    has_tag,
    membership_column,
    membership_frozen,
    name_of_customer,
    of_club,
    of_custom,
    of_customer,
    of_membership,
    over_rows,
    tags,
)
from crm_store.columns import day_of, days_between
from crm_store.models.activity import PackageBalance, Purchase, Visit
from crm_store.scope import Scope
from crm_store.tables import table_of

_VISIT, _PURCHASE, _PACKAGE = table_of(Visit), table_of(Purchase), table_of(PackageBalance)
TEXT, INTEGER, NUMBER = FieldType.TEXT, FieldType.INTEGER, FieldType.NUMBER
BOOLEAN, DATE, TAGS = FieldType.BOOLEAN, FieldType.DATE, FieldType.TAGS


def _visited(scope: Scope) -> ColumnElement[bool]:
    return _VISIT.c.visited_at <= scope.now_sql


def _bought(scope: Scope) -> ColumnElement[bool]:
    return _PURCHASE.c.purchased_at <= scope.now_sql


def _last_visit_day(_scope: Scope) -> ColumnElement[Any]:
    return day_of(func.max(_VISIT.c.visited_at))


def _visits_in(days: int) -> ValueOf:
    return over_rows(
        _VISIT,
        lambda _scope: func.count(),
        _visited,
        lambda scope: _VISIT.c.visited_at > scope.days_ago(days),
    )


def _days_since_last_visit(scope: Scope) -> ColumnElement[Any]:
    return days_between(_last_visit_day(scope), scope.today_sql)


# fmt: off
STANDARD_FIELDS: tuple[Field, ...] = (
    Field("customer.ref", TEXT, "Her reference in the club's own system", "M-1042", of_customer("ref"), always=True, personal=True),
    Field("customer.first_name", TEXT, "First name", "Asha", name_of_customer("first_name"), personal=True),
    Field("customer.last_name", TEXT, "Last name", "Verma", name_of_customer("last_name"), personal=True),
    Field("customer.email", TEXT, "E-mail address", "asha@example.org", of_customer("email"), personal=True),
    Field("customer.phone", TEXT, "Phone number, E.164", "+919876543210", of_customer("phone"), personal=True),
    Field("customer.language", TEXT, "Language, as BCP 47 writes it", "hi", of_customer("language")),
    Field("customer.timezone", TEXT, "Time zone, an IANA name", "Asia/Kolkata", of_customer("timezone")),
    Field("customer.birth_date", DATE, "Date of birth", "1992-02-29", of_customer("birth_date"), personal=True),
    Field("customer.joined_on", DATE, "The day she first joined", "2025-03-01", of_customer("joined_on")),
    Field("customer.pipeline", TEXT, "Pipeline she is in", "sales", of_customer("pipeline")),
    Field("customer.stage", TEXT, "Stage of that pipeline", "trial", of_customer("stage")),
    Field("customer.source", TEXT, "Where she came from", "instagram", of_customer("source")),
    Field("customer.tags", TAGS, "Tags the staff put on her", ["vip"], tags, contains=has_tag, always=True),
    Field("membership.plan", TEXT, "Plan of the membership", "annual", membership_column("plan")),
    Field("membership.starts_on", DATE, "First day of the term", "2026-03-12", membership_column("starts_on")),
    Field("membership.ends_on", DATE, "Last day of the term", "2027-03-11", membership_column("ends_on")),
    Field("membership.days_left", INTEGER, "Days until the term ends; negative after it", 30, of_membership(lambda scope, membership: days_between(scope.today_sql, membership.c.ends_on))),
    Field("membership.auto_renew", BOOLEAN, "Renews by itself", False, membership_column("auto_renew")),
    Field("membership.status", TEXT, "`active` or `cancelled`", "active", membership_column("status")),
    Field("membership.frozen", BOOLEAN, "Stands still today", False, of_membership(membership_frozen)),
    Field("visits.total", INTEGER, "Visits so far", 112, over_rows(_VISIT, lambda _scope: func.count(), _visited), always=True),
    *(
        Field(f"visits.last_{days}d", INTEGER, f"Visits in the last {days} days", days // 8, _visits_in(days), always=True)
        for days in (7, 14, 30, 60, 90)
    ),
    Field("visits.last_on", DATE, "Day of the latest visit", "2026-11-19", over_rows(_VISIT, _last_visit_day, _visited)),
    Field("visits.days_since_last", INTEGER, "Days since the latest visit", 3, over_rows(_VISIT, _days_since_last_visit, _visited)),
    Field("purchases.count", INTEGER, "Purchases so far", 4, over_rows(_PURCHASE, lambda _scope: func.count(), _bought), always=True),
    Field("purchases.total", NUMBER, "Spent so far, in the club's currency", 18500, over_rows(_PURCHASE, lambda _scope: func.coalesce(func.sum(_PURCHASE.c.amount), 0), _bought), always=True),
    Field("purchases.last_on", DATE, "Day of the latest purchase", "2026-10-02", over_rows(_PURCHASE, lambda _scope: day_of(func.max(_PURCHASE.c.purchased_at)), _bought)),
    Field("package.remaining", INTEGER, "Sessions left over all her packages", 2, over_rows(_PACKAGE, lambda _scope: func.sum(_PACKAGE.c.remaining))),
    Field("package.expires_on", DATE, "The first day on which a package of hers expires", "2026-12-31", over_rows(_PACKAGE, lambda _scope: func.min(_PACKAGE.c.expires_on))),
    *(
        Field(f"club.{column}", TEXT, label, example, of_club(column), always=True)
        for column, label, example in (
            ("name", "Name of the club", "Lotus Fitness"),
            ("website", "The club's web address", "https://lotus.example"),
            ("phone", "The club's phone number", "+912240001000"),
            ("address", "The club's postal address", "12 MG Road, Pune"),
            ("currency", "The club's currency, ISO 4217", "INR"),
        )
    ),
)
# fmt: on

CUSTOM_EXAMPLES: dict[FieldType, Any] = {
    TEXT: "strength",
    INTEGER: 3,
    NUMBER: 12.5,
    BOOLEAN: True,
    DATE: "2026-11-22",
}
"""The types a club may give a field of its own, each with an example."""


def custom_field(key: str, kind: FieldType, label: str) -> Field:
    """A field of the club's own, `custom.<key>`."""
    return Field(
        f"custom.{key}", kind, label, CUSTOM_EXAMPLES[kind], of_custom(key, kind), personal=True
    )


def catalogue_of(custom: Iterable[Field] = ()) -> Catalogue:
    """The standard fields and a club's own."""
    return Catalogue((*STANDARD_FIELDS, *custom))

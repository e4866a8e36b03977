"""How the value of a field is written in SQL."""

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, assert_never

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Float,
    FromClause,
    Select,
    Table,
    case,
    cast,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
)

from crm_store.catalogue.values import (
    ConditionPoints,
    CountOf,
    DatedRows,
    DaysSince,
    DaysSinceLatest,
    EventPoints,
    FirstDay,
    LatestDay,
    LeastOf,
    MembershipDaysLeft,
    MembershipFrozen,
    NameOfCustomer,
    OfClub,
    OfCustom,
    OfCustomer,
    OfMembership,
    OfMessage,
    PerWeek,
    Rows,
    Scored,
    Segments,
    SumOf,
    Tags,
    Value,
    YearsSince,
)
from crm_store.columns import (
    date_from_text,
    days_between,
    local_day,
    month_day,
    words_joined,
    year_of,
)
from crm_store.happenings import number_of
from crm_store.json_values import flag_at, number_at
from crm_store.models.activity import PackageBalance, Purchase, Visit
from crm_store.models.club import Club
from crm_store.models.customer import CustomerTag
from crm_store.models.membership import MembershipFreeze
from crm_store.models.segment import Segment, SegmentStay
from crm_store.scope import MEMBERSHIP, Scope
from crm_store.tables import table_of

Sql: TypeAlias = ColumnElement[Any]

_CLUB, _TAG, _FREEZE = table_of(Club), table_of(CustomerTag), table_of(MembershipFreeze)
_SEGMENT, _STAY = table_of(Segment), table_of(SegmentStay)
_LATEST = MEMBERSHIP.alias("latest")
_TABLES: dict[str, Table] = {
    table.name: table for table in (table_of(Visit), table_of(Purchase), table_of(PackageBalance))
}


def value_sql(value: Value, scope: Scope) -> Sql:
    """The value for the customer of the scope."""
    match value:
        case OfCustomer(column):
            return scope.customer.c[column]
        case NameOfCustomer(column):
            return func.nullif(scope.customer.c[column], "")
        case Tags():
            return _all_tags(scope)
        case OfMessage():
            raise ValueError("a field of the message is in no table")
        case Segments():
            return _all_segments(scope)
        case Scored(rules):
            return _score(rules, scope)
        case DaysSince(column):
            return days_between(scope.customer.c[column], scope.today_sql)
        case YearsSince(column):
            return _years_since(scope.customer.c[column], scope)
        case PerWeek(rows, weeks):
            return cast(_count(rows, 7 * weeks, scope), Float) / weeks
        case FirstDay(rows):
            return _over(rows, _day(func.min(_moment(rows)), scope), scope)
        case OfClub(column):
            return _of_club(column, scope)
        case OfMembership(column):
            return _of_membership(lambda membership: membership.c[column], scope)
        case MembershipDaysLeft():
            return _of_membership(lambda term: days_between(scope.today_sql, term.c.ends_on), scope)
        case MembershipFrozen():
            return _of_membership(lambda membership: _frozen(membership, scope), scope)
        case CountOf(rows, days):
            return _count(rows, days, scope)
        case SumOf(rows, column, of_none):
            total = func.sum(_TABLES[rows.table].c[column])
            return _over(rows, total if of_none is None else func.coalesce(total, of_none), scope)
        case LeastOf(rows, column):
            return _over(rows, func.min(_TABLES[rows.table].c[column]), scope)
        case LatestDay(rows):
            return _over(rows, _latest_day(rows, scope), scope)
        case DaysSinceLatest(rows):
            return _over(rows, days_between(_latest_day(rows, scope), scope.today_sql), scope)
        case OfCustom(key, kind):
            return _of_custom(key, kind, scope)
    assert_never(value)


def count_sql(value: CountOf, most: int, scope: Scope) -> Sql:
    """The number for the customer of the scope; `most`, where there are more."""
    since = _since(value.rows, value.days, scope)
    some = _select(value.rows, literal_column("1").label("one"), scope, *since).limit(most)
    return select(func.count()).select_from(some.subquery("counted")).scalar_subquery()


def contains_sql(value: Value, word: str, scope: Scope) -> ColumnElement[bool]:
    """Whether a word is in the set that the value is."""
    if isinstance(value, Segments):
        return _in_segment(scope).where(_SEGMENT.c.name == word).exists()
    if not isinstance(value, Tags):
        raise TypeError(f"{value} is no set of words")
    return exists().where(_TAG.c.customer_id == scope.customer.c.id, _TAG.c.tag == word)


def _all_tags(scope: Scope) -> Sql:
    return (
        select(func.coalesce(words_joined(_TAG.c.tag), ""))
        .where(_TAG.c.customer_id == scope.customer.c.id)
        .scalar_subquery()
    )


def _all_segments(scope: Scope) -> Sql:
    names = _in_segment(scope).with_only_columns(
        func.coalesce(words_joined(_SEGMENT.c.name), ""), maintain_column_froms=True
    )
    return names.scalar_subquery()


def _in_segment(scope: Scope) -> Select[Any]:
    """The segments that she is in, as they were last counted."""
    return (
        select(_SEGMENT.c.id)
        .join(_STAY, _STAY.c.segment_id == _SEGMENT.c.id)
        .where(_STAY.c.customer_id == scope.customer.c.id, _STAY.c.left_at.is_(None))
        .correlate_except(_STAY, _SEGMENT)
    )


def _score(rules: Sequence[EventPoints | ConditionPoints], scope: Scope) -> Sql:
    score: Sql = scope.customer.c.score
    for rule in rules:
        match rule:
            case EventPoints(points, name, within):
                since = None if within is None else scope.ago(within)
                happened = number_of(name, scope.customer.c.id, since, scope.now_sql)
                score = score + happened * literal(points)
            case ConditionPoints(points, condition):
                score = score + case((condition.sql(scope), points), else_=0)
    return score


def _years_since(day: Sql, scope: Scope) -> Sql:
    return scope.year_sql - year_of(day) - case((month_day(day) > scope.month_day_sql, 1), else_=0)


def _of_club(column: str, scope: Scope) -> Sql:
    return select(_CLUB.c[column]).where(_CLUB.c.id == scope.customer.c.club_id).scalar_subquery()


def _of_membership(value: Callable[[FromClause], Sql], scope: Scope) -> Sql:
    if scope.membership is not None:
        return value(scope.membership)
    return (
        select(value(_LATEST))
        .where(_LATEST.c.customer_id == scope.customer.c.id)
        .order_by(_LATEST.c.ends_on.desc(), _LATEST.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )


def _frozen(membership: FromClause, scope: Scope) -> Sql:
    return exists().where(
        _FREEZE.c.membership_id == membership.c.id,
        _FREEZE.c.starts_on <= scope.today_sql,
        or_(_FREEZE.c.ends_on.is_(None), _FREEZE.c.ends_on >= scope.today_sql),
    )


def _over(rows: Rows, figure: Sql, scope: Scope, *where: ColumnElement[bool]) -> Sql:
    return _select(rows, figure, scope, *where).scalar_subquery()


def _select(rows: Rows, figure: Sql, scope: Scope, *where: ColumnElement[bool]) -> Select[Any]:
    table = _TABLES[rows.table]
    query = select(figure).where(table.c.customer_id == scope.customer.c.id, *where)
    if isinstance(rows, DatedRows):
        query = query.where(_moment(rows) <= scope.now_sql)
    # Its own rows, even where the statement around it runs over the same table.
    return query.correlate_except(table)


def _count(rows: DatedRows, days: int | None, scope: Scope) -> Sql:
    return _over(rows, func.count(), scope, *_since(rows, days, scope))


def _since(rows: DatedRows, days: int | None, scope: Scope) -> list[ColumnElement[bool]]:
    return [] if days is None else [_moment(rows) > scope.days_ago(days)]


def _latest_day(rows: DatedRows, scope: Scope) -> Sql:
    return _day(func.max(_moment(rows)), scope)


def _day(moment: Sql, scope: Scope) -> Sql:
    """The day in the club: by UTC's an evening in America is tomorrow."""
    return local_day(moment, scope.offset_sql)


def _moment(rows: DatedRows) -> Sql:
    return _TABLES[rows.table].c[rows.moment]


def _of_custom(key: str, kind: str, scope: Scope) -> Sql:
    value = scope.customer.c.custom[key]
    # By its JSON type: a text that was stored before the field became a number is no number.
    number = number_at(scope.customer.c.custom, key)
    as_kind: dict[str, Callable[[], Sql]] = {
        "integer": lambda: cast(number, BigInteger),
        "number": lambda: number,
        "boolean": lambda: flag_at(scope.customer.c.custom, key),
        "date": lambda: date_from_text(value.as_string()),
    }
    as_value: Callable[[], Sql] = as_kind.get(kind, value.as_string)
    return as_value()

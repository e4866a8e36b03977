"""What happened to customers, by its name: recorded events, and what is kept in tables of its own.

`visit_recorded` and `purchase_recorded` are rows of visits and purchases, however they came in:
an import of a year of visits does not write each of them down twice.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple, TypeAlias

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    Table,
    bindparam,
    func,
    or_,
    select,
)

from crm_store.asked import KEPT, Asked
from crm_store.columns import moment_given
from crm_store.event_names import PURCHASE_RECORDED, VISIT_RECORDED
from crm_store.json_values import flag_at, number_at, text_at
from crm_store.models.activity import Purchase, Visit
from crm_store.models.event import Event
from crm_store.models.touchpoint import Touchpoint
from crm_store.occasions import EVENT_IDS, OF_CLUB, Occasions, narrowed, numbered, occasion
from crm_store.scope import CUSTOMER
from crm_store.tables import table_of

Scalar: TypeAlias = str | float | bool
Sign: TypeAlias = Literal["<", "<=", ">", ">="]

_EVENT, _TOUCHPOINT = table_of(Event), table_of(Touchpoint)


@dataclass(frozen=True)
class _Kept:
    """Where happenings of a name are kept."""

    table: Table
    moment: str
    occurrence: str
    data: Mapping[str, str]
    """Key of an event's data → column."""


_ELSEWHERE = {
    VISIT_RECORDED: _Kept(table_of(Visit), "visited_at", "visit", {}),
    PURCHASE_RECORDED: _Kept(
        table_of(Purchase), "purchased_at", "purchase", {"item": "item", "amount": "amount"}
    ),
}


def happenings(
    club_id: int,
    name: str,
    *,
    since: datetime,
    until: datetime,
    equal: Mapping[str, Sequence[Scalar]],
    bounds: Sequence[tuple[str, Sign, float]] = (),
    event_ids: Sequence[int] | None = None,
) -> Occasions:
    """What happened by this name in [`since`, `until`], the moment being the anchor.

    `equal` holds by key the values of which the data has one, `bounds` the numbers it is compared
    with. A text never equals a number. `event_ids` narrows it to these events, and to whom they
    concern: the fast way of the intake.
    """
    wanted = tuple(_Wanted.of(key, values) for key, values in equal.items())
    query = _happenings(name, wanted, tuple(bounds))
    found = Asked(query, {"club": club_id, "since": since, "until": until})
    if name in _ELSEWHERE:
        return narrowed(found, event_ids)
    if event_ids is None:
        return found
    return Asked(_of_events(query), {**found.values, "event_ids": event_ids})


class _Wanted(NamedTuple):
    """What the data may hold under a key, by its JSON type: to Python `1` and `true` are alike."""

    key: str
    texts: tuple[str, ...]
    numbers: tuple[float, ...]
    flags: tuple[bool, ...]

    @classmethod
    def of(cls, key: str, values: Sequence[Scalar]) -> "_Wanted":
        return cls(
            key,
            tuple(one for one in values if isinstance(one, str)),
            tuple(one for one in values if not isinstance(one, bool | str)),
            tuple(one for one in values if isinstance(one, bool)),
        )


@lru_cache(KEPT)
def _happenings(
    name: str, equal: tuple[_Wanted, ...], bounds: tuple[tuple[str, Sign, float], ...]
) -> Select[Any]:
    kept = _ELSEWHERE.get(name)
    table = kept.table if kept else _EVENT
    moment = table.c[kept.moment] if kept else _EVENT.c.occurred_at
    found = occasion(
        numbered(kept.occurrence if kept else "event", table.c.id),
        moment,
        event_id=None if kept else _EVENT.c.id,
    )
    return found.select_from(table.join(CUSTOMER, CUSTOMER.c.id == table.c.customer_id)).where(
        OF_CLUB,
        moment.between(moment_given("since"), moment_given("until")),
        *(_is_one_of(kept, wanted) for wanted in equal),
        *(_compared(kept, key, sign, number) for key, sign, number in bounds),
        *(() if kept else (_EVENT.c.name == name,)),
    )


@lru_cache(KEPT)
def _of_events(happenings: Select[Any]) -> Select[Any]:
    return happenings.where(_EVENT.c.id.in_(EVENT_IDS))


def kept_elsewhere(enrollment: FromClause) -> dict[str, ColumnElement[Any]]:
    """By key of an event's data: what started the enrollment says there, where that is no event.

    NULL where it is an event, or something without this key.
    """
    return {
        key: select(kept.table.c[column])
        .where(
            kept.table.c.customer_id == enrollment.c.customer_id,
            numbered(kept.occurrence, kept.table.c.id) == enrollment.c.occurrence,
        )
        .scalar_subquery()
        for kept in _ELSEWHERE.values()
        for key, column in kept.data.items()
    }


def latest_by_name(
    customer_ids: Sequence[int], names: Sequence[str]
) -> Iterator[tuple[Select[Any], dict[str, Any]]]:
    """SELECTs of (customer, moment) of the latest of these names, one for each table.

    Each with what it asks for.
    """
    recorded = [name for name in names if name not in _ELSEWHERE]
    if recorded:
        yield _LATEST, {"customers": customer_ids, "names": recorded}
    for name in names:
        if name in _ELSEWHERE:
            yield _LATEST_ELSEWHERE[name], {"customers": customer_ids}


# Built once: SQLAlchemy then finds the compiled form by identity.
_LATEST = (
    select(_EVENT.c.customer_id, func.max(_EVENT.c.occurred_at))
    .where(
        _EVENT.c.customer_id.in_(bindparam("customers", expanding=True)),
        _EVENT.c.name.in_(bindparam("names", expanding=True)),
    )
    .group_by(_EVENT.c.customer_id)
)
_LATEST_ELSEWHERE = {
    name: select(kept.table.c.customer_id, func.max(kept.table.c[kept.moment]))
    .where(kept.table.c.customer_id.in_(bindparam("customers", expanding=True)))
    .group_by(kept.table.c.customer_id)
    for name, kept in _ELSEWHERE.items()
}
_HAPPENED = (
    select(_EVENT.c.id)
    .where(
        _EVENT.c.name == bindparam("name"),
        _EVENT.c.occurred_at >= moment_given("since"),
    )
    .limit(1)
)


def may_have_happened(connection: Connection, name: str, since: datetime) -> bool:
    """False when no event of this name is known from `since` on; that is found out cheaply."""
    if name in _ELSEWHERE:
        return True
    asked = {"name": name, "since": since}
    return connection.execute(_HAPPENED, asked).first() is not None


def after_messages(touchpoint_ids: Sequence[int], name: str) -> Select[Any]:
    """SELECT of (touchpoint, when its message left, when it happened after that).

    An event that names a touchpoint in its data is about that one alone.
    """
    kept = _ELSEWHERE.get(name)
    table = kept.table if kept else _EVENT
    moment = table.c[kept.moment] if kept else _EVENT.c.occurred_at
    query = (
        select(_TOUCHPOINT.c.id, _TOUCHPOINT.c.sent_at, moment.label("happened_at"))
        .join(table, table.c.customer_id == _TOUCHPOINT.c.customer_id)
        .where(_TOUCHPOINT.c.id.in_(touchpoint_ids), moment >= _TOUCHPOINT.c.sent_at)
    )
    if kept:
        return query
    about = number_at(_EVENT.c.data, "touchpoint")
    return query.where(_EVENT.c.name == name, or_(about.is_(None), about == _TOUCHPOINT.c.id))


def number_of(
    name: str,
    customer_id: ColumnElement[int],
    since: ColumnElement[datetime] | None,
    until: ColumnElement[datetime],
) -> ColumnElement[int]:
    """How often something of this name happened to a customer, after `since`, by `until`."""
    kept = _ELSEWHERE.get(name)
    table = kept.table if kept else _EVENT
    moment = table.c[kept.moment] if kept else _EVENT.c.occurred_at
    query = select(func.count()).select_from(table)
    query = query.where(table.c.customer_id == customer_id, moment <= until)
    if kept is None:
        query = query.where(_EVENT.c.name == name)
    if since is not None:
        query = query.where(moment > since)
    return query.correlate_except(table).scalar_subquery()


def _is_one_of(kept: _Kept | None, wanted: _Wanted) -> ColumnElement[bool]:
    if kept:
        return kept.table.c[kept.data[wanted.key]].in_([*wanted.texts, *wanted.numbers])
    return or_(
        *(
            at(_EVENT.c.data, wanted.key).in_(values)
            for at, values in (
                (text_at, wanted.texts),
                (number_at, wanted.numbers),
                (flag_at, wanted.flags),
            )
            if values
        )
    )


def _compared(kept: _Kept | None, key: str, sign: Sign, number: float) -> ColumnElement[bool]:
    value: ColumnElement[Any] = (
        kept.table.c[kept.data[key]] if kept else number_at(_EVENT.c.data, key)
    )
    return value.op(sign, is_comparison=True)(number)

"""What an occasion is: who has it, which one, and the day or moment it is anchored at.

Every kind gives a SELECT of the columns in `COLUMNS`, over the plain customer table (and the
membership table, where the occasion is about one), so that a condition of the same `Scope` can
be added to it. Admission turns it into enrollments in one statement. The SELECT of a kind is built
once; the club, the day and all that differs are its values (`crm_store.asked`).
"""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, TypeAlias

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Date,
    Integer,
    Select,
    String,
    bindparam,
    cast,
    literal,
    null,
    select,
)

from crm_store.asked import KEPT, Asked
from crm_store.columns import UtcDateTime, unindexed
from crm_store.models.event import Event
from crm_store.scope import CUSTOMER
from crm_store.tables import table_of

_EVENT = table_of(Event)

COLUMNS = ("customer_id", "membership_id", "event_id", "occurrence", "anchor_on", "anchor_at")

Occasions: TypeAlias = Asked[Select[Any]]

OF_CLUB = unindexed(CUSTOMER.c.club_id) == bindparam("club", type_=Integer)
"""A customer of the club, looked at last: SQLite would take the index of the club, which finds
everybody, to be as good as that of a day."""


def occasion(
    occurrence: ColumnElement[str],
    anchor: ColumnElement[Any],
    *,
    membership_id: ColumnElement[int] | None = None,
    event_id: ColumnElement[int] | None = None,
) -> Select[Any]:
    """A SELECT of `COLUMNS`; the caller says from where. The anchor is a day or a moment."""
    by_day = isinstance(anchor.type, Date)
    return select(
        CUSTOMER.c.id.label("customer_id"),
        _or_null(membership_id, Integer).label("membership_id"),
        _or_null(event_id, Integer).label("event_id"),
        occurrence.label("occurrence"),
        _or_null(anchor if by_day else None, Date).label("anchor_on"),
        _or_null(None if by_day else anchor, UtcDateTime).label("anchor_at"),
    )


def numbered(kind: str, column: ColumnElement[int]) -> ColumnElement[str]:
    """The occurrence `kind:812`."""
    return literal(f"{kind}:") + cast(column, String)


def narrowed(occasions: Occasions, event_ids: Sequence[int] | None) -> Occasions:
    """Only those of the customers whom these events concern: the fast way of the intake."""
    if event_ids is None:
        return occasions
    return Asked(_narrowed(occasions.sql), {**occasions.values, "event_ids": event_ids})


@lru_cache(KEPT)
def _narrowed(occasions: Select[Any]) -> Select[Any]:
    concerned = select(_EVENT.c.customer_id).where(_EVENT.c.id.in_(EVENT_IDS))
    return occasions.where(CUSTOMER.c.id.in_(concerned))


EVENT_IDS: BindParameter[int] = bindparam("event_ids", expanding=True)


def _or_null(value: ColumnElement[Any] | None, type_: Any) -> ColumnElement[Any]:
    return cast(null(), type_) if value is None else value

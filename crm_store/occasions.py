"""Who has an occasion: a membership's last day, a birthday, an event.

Each function gives a SELECT of the columns in `COLUMNS`, over the plain customer table (and the
membership table, where the occasion is about one), so that a condition of the same `Scope` can
be added to it. Admission turns it into enrollments in one statement.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Date, Integer, Select, String, cast, literal, null, select

from crm_store.columns import UtcDateTime
from crm_store.models.event import Event
from crm_store.models.membership import MembershipStatus
from crm_store.scope import CUSTOMER, MEMBERSHIP
from crm_store.tables import table_of

_EVENT = table_of(Event)

COLUMNS = ("customer_id", "membership_id", "event_id", "occurrence", "anchor_on", "anchor_at")

Occasions = Select[Any]


def terms_ending(
    club_id: int, first: date, last: date, plans: Sequence[str] | None = None
) -> Occasions:
    """Terms whose last day is in [`first`, `last`] and that no later term follows."""
    later = MEMBERSHIP.alias("later")
    followed = (
        select(later.c.id)
        .where(
            later.c.customer_id == MEMBERSHIP.c.customer_id,
            later.c.ends_on > MEMBERSHIP.c.ends_on,
            later.c.status == MembershipStatus.ACTIVE,
        )
        .exists()
    )
    query = (
        select(
            CUSTOMER.c.id.label("customer_id"),
            MEMBERSHIP.c.id.label("membership_id"),
            cast(null(), Integer).label("event_id"),
            (literal("term:") + cast(MEMBERSHIP.c.id, String)).label("occurrence"),
            MEMBERSHIP.c.ends_on.label("anchor_on"),
            cast(null(), UtcDateTime).label("anchor_at"),
        )
        .select_from(MEMBERSHIP.join(CUSTOMER, CUSTOMER.c.id == MEMBERSHIP.c.customer_id))
        .where(
            CUSTOMER.c.club_id == club_id,
            MEMBERSHIP.c.ends_on.between(first, last),
            MEMBERSHIP.c.status == MembershipStatus.ACTIVE,
            ~followed,
        )
    )
    return query if plans is None else query.where(MEMBERSHIP.c.plan.in_(plans))


def birthdays(club_id: int, day: date, month_days: Sequence[int]) -> Occasions:
    """Customers whose birthday is kept on `day`: born on one of `month_days`, before this year."""
    return (
        select(
            CUSTOMER.c.id.label("customer_id"),
            cast(null(), Integer).label("membership_id"),
            cast(null(), Integer).label("event_id"),
            literal(f"birthday:{day.year}").label("occurrence"),
            literal(day, Date).label("anchor_on"),
            cast(null(), UtcDateTime).label("anchor_at"),
        )
        .select_from(CUSTOMER)
        .where(
            CUSTOMER.c.club_id == club_id,
            CUSTOMER.c.birth_month_day.in_(month_days),
            CUSTOMER.c.birth_date < date(day.year, 1, 1),
        )
    )


def events_named(
    club_id: int,
    name: str,
    *,
    since: datetime,
    until: datetime,
    data: Mapping[str, Sequence[str]],
    ids: Sequence[int] | None = None,
) -> Occasions:
    """Events that happened in [`since`, `until`], whose data holds one of the given words by key.

    `ids` narrows it to these events: the fast way of the intake.
    """
    query = (
        select(
            CUSTOMER.c.id.label("customer_id"),
            cast(null(), Integer).label("membership_id"),
            _EVENT.c.id.label("event_id"),
            (literal("event:") + cast(_EVENT.c.id, String)).label("occurrence"),
            cast(null(), Date).label("anchor_on"),
            _EVENT.c.occurred_at.label("anchor_at"),
        )
        .select_from(_EVENT.join(CUSTOMER, CUSTOMER.c.id == _EVENT.c.customer_id))
        .where(
            CUSTOMER.c.club_id == club_id,
            _EVENT.c.name == name,
            _EVENT.c.occurred_at.between(since, until),
            *(_EVENT.c.data[key].as_string().in_(words) for key, words in data.items()),
        )
    )
    return query if ids is None else query.where(_EVENT.c.id.in_(ids))

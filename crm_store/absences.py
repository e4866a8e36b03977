"""Members who stay away, and members who come far less than they used to.

Days are the club's: `offset` is how many seconds its clocks are ahead of UTC.
"""

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import (
    ColumnElement,
    Float,
    Integer,
    String,
    and_,
    bindparam,
    func,
    literal,
    select,
)

from crm_store.asked import Asked
from crm_store.columns import day_given, day_text, days_after, local_day, moment_given
from crm_store.models.activity import Visit
from crm_store.occasions import OF_CLUB, Occasions, numbered, occasion
from crm_store.scope import CUSTOMER, MEMBERSHIP
from crm_store.tables import table_of
from crm_store.terms import IS_TERM, WITH_CUSTOMER, followed

_VISIT = table_of(Visit)

RECENT = timedelta(days=14)
"""Over which a drop is looked for."""
USUAL = timedelta(weeks=8)
"""Over which her mean is taken, before that."""
LEAST_VISITS = 4
"""In those eight weeks. With fewer not one would be expected in a fortnight: there is no habit
to fall from."""


def absent(
    club_id: int, days: int, first: date, last: date, *, offset: int, now: datetime
) -> Occasions:
    """Whose latest visit was `days` before a day in [`first`, `last`], which is the anchor.

    The occurrence is the day of that visit: one for each absence.
    """
    values = {
        **{"club": club_id, "days": days, "offset": offset, "now": now},
        "begins": _midnight(first - timedelta(days=days), offset),
        "ends": _midnight(last - timedelta(days=days - 1), offset),
    }
    return Asked(_ABSENT, values)


def never_came(club_id: int, days: int, first: date, last: date, now: datetime) -> Occasions:
    """Whose latest term began `days` before a day in [`first`, `last`], and who never came."""
    ago = timedelta(days=days)
    values = {"club": club_id, "days": days, "first": first - ago, "last": last - ago, "now": now}
    return Asked(_NEVER_CAME, values)


def dropped(club_id: int, below: float, day: date, *, offset: int) -> Occasions:
    """Who came less than `below` of her mean on the morning of `day`, and not yet the day before.

    On a morning her visits of the last 14 days, by the week, stand against the mean of the eight
    weeks before those. Only a visit that has just left the 14 days can make it less: so none but
    the visitors of that one day are looked at.
    """
    midnight, one_day = _midnight(day, offset), timedelta(days=1)
    values = {
        **{"club": club_id, "below": below, "called": f"drop:{day.isoformat()}", "anchor": day},
        **_spans("today", midnight),
        **_spans("yesterday", midnight - one_day),
    }
    return Asked(_DROPPED, values)


_LATER = _VISIT.alias("later")
_CAME_AGAIN = (
    select(_LATER.c.id)
    .where(
        _LATER.c.customer_id == _VISIT.c.customer_id,
        _LATER.c.visited_at > _VISIT.c.visited_at,
        _LATER.c.visited_at <= moment_given("now"),
    )
    .exists()
)
_DAYS = bindparam("days", type_=Integer)
_DAY = local_day(_VISIT.c.visited_at, bindparam("offset", type_=Integer))
_ABSENT = (
    occasion(literal("absent:") + day_text(_DAY), days_after(_DAY, _DAYS))
    .select_from(_VISIT.join(CUSTOMER, CUSTOMER.c.id == _VISIT.c.customer_id))
    .where(
        OF_CLUB,
        _VISIT.c.visited_at >= moment_given("begins"),
        _VISIT.c.visited_at < moment_given("ends"),
        _VISIT.c.visited_at <= moment_given("now"),
        ~_CAME_AGAIN,
    )
)
_VISITED = (
    select(_VISIT.c.id)
    .where(_VISIT.c.customer_id == CUSTOMER.c.id, _VISIT.c.visited_at <= moment_given("now"))
    .exists()
)
_NEVER_CAME = (
    occasion(numbered("never", MEMBERSHIP.c.id), days_after(MEMBERSHIP.c.starts_on, _DAYS))
    .select_from(WITH_CUSTOMER)
    .where(
        OF_CLUB,
        MEMBERSHIP.c.starts_on.between(day_given("first"), day_given("last")),
        IS_TERM,
        ~followed(),
        ~_VISITED,
    )
)


def _spans(morning: str, midnight: datetime) -> dict[str, datetime]:
    """What `_is_below` asks of a morning."""
    return {
        morning: midnight,
        f"{morning}_recent": midnight - RECENT,
        f"{morning}_usual": midnight - RECENT - USUAL,
    }


def _is_below(morning: str) -> ColumnElement[bool]:
    usual = _visits(f"{morning}_usual", f"{morning}_recent")
    recent = _visits(f"{morning}_recent", morning)
    below = bindparam("below", type_=Float)
    return and_(recent * (USUAL / RECENT) < below * usual, usual >= LEAST_VISITS)


def _visits(since: str, until: str) -> ColumnElement[int]:
    return (
        select(func.count())
        .select_from(_VISIT)
        .where(
            _VISIT.c.customer_id == CUSTOMER.c.id,
            _VISIT.c.visited_at >= moment_given(since),
            _VISIT.c.visited_at < moment_given(until),
        )
        .scalar_subquery()
    )


_PASSED = (
    select(_VISIT.c.customer_id)
    .where(
        _VISIT.c.visited_at >= moment_given("yesterday_recent"),
        _VISIT.c.visited_at < moment_given("today_recent"),
    )
    .distinct()
    .subquery("passed")
)
_DROPPED = (
    occasion(bindparam("called", type_=String), day_given("anchor"))
    .select_from(_PASSED.join(CUSTOMER, CUSTOMER.c.id == _PASSED.c.customer_id))
    .where(OF_CLUB, _is_below("today"), ~_is_below("yesterday"))
)


def _midnight(day: date, offset: int) -> datetime:
    return datetime.combine(day, time.min, UTC) - timedelta(seconds=offset)

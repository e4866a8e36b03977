"""Members who stay away, and members who come far less than they used to.

Days are the club's: `offset` is how many seconds its clocks are ahead of UTC.
"""

from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Integer, and_, func, literal, select

from crm_store.columns import UtcDateTime, day_text, days_after, local_day
from crm_store.models.activity import Visit
from crm_store.occasions import Occasions, numbered, occasion, of_club
from crm_store.scope import CUSTOMER, MEMBERSHIP
from crm_store.tables import table_of
from crm_store.terms import IS_TERM, WITH_CUSTOMER, followed

_VISIT = table_of(Visit)
_LATER = _VISIT.alias("later")

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
    came_again = select(_LATER.c.id).where(
        _LATER.c.customer_id == _VISIT.c.customer_id,
        _LATER.c.visited_at > _VISIT.c.visited_at,
        _LATER.c.visited_at <= now,
    )
    day = local_day(_VISIT.c.visited_at, literal(offset, Integer))
    return (
        occasion(literal("absent:") + day_text(day), days_after(day, literal(days, Integer)))
        .select_from(_VISIT.join(CUSTOMER, CUSTOMER.c.id == _VISIT.c.customer_id))
        .where(
            of_club(club_id),
            _VISIT.c.visited_at >= _midnight(first - timedelta(days=days), offset),
            _VISIT.c.visited_at < _midnight(last - timedelta(days=days - 1), offset),
            _VISIT.c.visited_at <= now,
            ~came_again.exists(),
        )
    )


def never_came(club_id: int, days: int, first: date, last: date, now: datetime) -> Occasions:
    """Whose latest term began `days` before a day in [`first`, `last`], and who never came."""
    ago = timedelta(days=days)
    visited = select(_VISIT.c.id).where(
        _VISIT.c.customer_id == CUSTOMER.c.id, _VISIT.c.visited_at <= now
    )
    anchor = days_after(MEMBERSHIP.c.starts_on, literal(days, Integer))
    return (
        occasion(numbered("never", MEMBERSHIP.c.id), anchor)
        .select_from(WITH_CUSTOMER)
        .where(
            of_club(club_id),
            MEMBERSHIP.c.starts_on.between(first - ago, last - ago),
            IS_TERM,
            ~followed(),
            ~visited.exists(),
        )
    )


def dropped(club_id: int, below: float, day: date, *, offset: int) -> Occasions:
    """Who came less than `below` of her mean on the morning of `day`, and not yet the day before.

    On a morning her visits of the last 14 days, by the week, stand against the mean of the eight
    weeks before those. Only a visit that has just left the 14 days can make it less: so none but
    the visitors of that one day are looked at.
    """
    left = _midnight(day, offset) - RECENT - timedelta(days=1)
    passed = (
        select(_VISIT.c.customer_id)
        .where(_VISIT.c.visited_at >= left, _VISIT.c.visited_at < left + timedelta(days=1))
        .distinct()
        .subquery("passed")
    )
    return (
        occasion(f"drop:{day.isoformat()}", day)
        .select_from(passed.join(CUSTOMER, CUSTOMER.c.id == passed.c.customer_id))
        .where(
            of_club(club_id),
            _is_below(below, _midnight(day, offset)),
            ~_is_below(below, _midnight(day, offset) - timedelta(days=1)),
        )
    )


def _is_below(below: float, morning: datetime) -> ColumnElement[bool]:
    usual = _visits(morning - RECENT - USUAL, morning - RECENT)
    recent = _visits(morning - RECENT, morning)
    return and_(recent * (USUAL / RECENT) < below * usual, usual >= LEAST_VISITS)


def _visits(since: datetime, until: datetime) -> ColumnElement[int]:
    return (
        select(func.count())
        .select_from(_VISIT)
        .where(
            _VISIT.c.customer_id == CUSTOMER.c.id,
            _VISIT.c.visited_at >= literal(since, UtcDateTime),
            _VISIT.c.visited_at < literal(until, UtcDateTime),
        )
        .scalar_subquery()
    )


def _midnight(day: date, offset: int) -> datetime:
    return datetime.combine(day, time.min, UTC) - timedelta(seconds=offset)

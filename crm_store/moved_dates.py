"""Dates that campaigns count from, where they were moved while somebody was inside.

A customer's date that comes once is an occasion of its own, `day:2026-03-01`. Whoever follows it to
another day takes that day's occasion over, and so does not enter for it a second time.
"""

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    and_,
    bindparam,
    func,
    or_,
    select,
    update,
)

from crm_store.asked import KEPT, Asked
from crm_store.columns import day_text
from crm_store.dates import CUSTOM, custom_text
from crm_store.enrollments import CAMPAIGN, ENROLLMENT, IS_ACTIVE, wake
from crm_store.scope import CUSTOMER, MEMBERSHIP, is_of_club
from crm_store.terms import TERM

_OTHER = ENROLLMENT.alias("other")
_OF_TERM = "membership."
_AT_ONCE = 5_000
"""Fewer than the values that a statement may have."""


class OtherDay(NamedTuple):
    """An enrollment whose date may be another one than it counts from."""

    id: int
    occurrence: str
    anchor_on: date
    written: str
    """The date as it stands now: ISO 8601, as far as anybody keeps to it."""


def other_days(
    connection: Connection, field: str, among: Asked[ColumnElement[bool]], *, yearly: bool
) -> list[OtherDay]:
    """Those of the enrollments whose date in `field` is not the day that they count from.

    `yearly`: whose day of the year is not; of 29 February it may yet be kept on that day.
    """
    rows = connection.execute(_other_days(field, among.sql, yearly=yearly), among.values)
    # By id: whoever changes them takes them in this order (`crm_store.locks`). Were SQLite to put
    # them in order, it would read the whole table in that order.
    return sorted(OtherDay(*row) for row in rows)


@lru_cache(KEPT)
def _other_days(field: str, among: ColumnElement[bool], *, yearly: bool) -> Select[Any]:
    customers: FromClause = ENROLLMENT.join(CUSTOMER, CUSTOMER.c.id == ENROLLMENT.c.customer_id)
    if field.startswith(CUSTOM):
        written = custom_text(field)
    elif field.startswith(_OF_TERM):
        of_term = and_(MEMBERSHIP.c.customer_id == CUSTOMER.c.id, ENROLLMENT.c.occurrence == TERM)
        customers = customers.join(MEMBERSHIP, of_term)
        written = day_text(MEMBERSHIP.c[field.removeprefix(_OF_TERM)])
    else:
        written = day_text(CUSTOMER.c[field.removeprefix("customer.")])
    # Compared as text: a club's own field may hold what is no date.
    both: list[ColumnElement[str]] = [written, day_text(ENROLLMENT.c.anchor_on)]
    now, then = (func.substr(one, 6, 5) for one in both) if yearly else both
    columns = (ENROLLMENT.c.id, ENROLLMENT.c.occurrence, ENROLLMENT.c.anchor_on, written)
    return select(*columns).select_from(customers).where(among, now != then)


def these(enrollment_ids: Sequence[int]) -> Asked[ColumnElement[bool]]:
    """Enrollments by their id."""
    return Asked(_THESE, {"these": enrollment_ids})


def inside(club_id: int, campaign: str, version_id: int) -> Asked[ColumnElement[bool]]:
    """Who of a club is in a campaign under this version of it."""
    return Asked(_INSIDE, {"club": club_id, "of_campaign": campaign, "of_version": version_id})


def versions_inside(connection: Connection, club_id: int) -> dict[str, list[int]]:
    """By campaign: its versions under which somebody of a club is in it."""
    versions: dict[str, list[int]] = {}
    for campaign, version_id in connection.execute(_VERSIONS_INSIDE, {"club": club_id}):
        versions.setdefault(campaign, []).append(version_id)
    return versions


_THESE = ENROLLMENT.c.id.in_(bindparam("these", expanding=True))
_OF_CLUB = is_of_club(ENROLLMENT, bindparam("club"))
_INSIDE = and_(
    IS_ACTIVE,
    bindparam("of_campaign") == CAMPAIGN,
    ENROLLMENT.c.version_id == bindparam("of_version"),
    _OF_CLUB,
)
_VERSIONS_INSIDE = (
    select(CAMPAIGN, ENROLLMENT.c.version_id)
    .where(IS_ACTIVE, _OF_CLUB)
    .distinct()
    .order_by(ENROLLMENT.c.version_id)
)


def wake_these(connection: Connection, enrollment_ids: Sequence[int], now: datetime) -> None:
    """Have `advance` look at these enrollments now."""
    for first in range(0, len(enrollment_ids), _AT_ONCE):
        some = these(enrollment_ids[first : first + _AT_ONCE])
        wake(connection, Asked(_STILL_ACTIVE, some.values), now)


_STILL_ACTIVE = and_(_THESE, IS_ACTIVE)


def take_over(connection: Connection, enrollment_id: int, occurrence: str) -> bool:
    """Let an enrollment be for this occurrence; not where the customer has entered for it."""
    entered = select(_OTHER.c.id).where(
        _OTHER.c.campaign == ENROLLMENT.c.campaign,
        _OTHER.c.customer_id == ENROLLMENT.c.customer_id,
        _OTHER.c.occurrence == occurrence,
    )
    done = connection.execute(
        update(ENROLLMENT)
        .where(
            ENROLLMENT.c.id == enrollment_id,
            or_(ENROLLMENT.c.occurrence == occurrence, ~entered.exists()),
        )
        .values(occurrence=occurrence)
    )
    return bool(done.rowcount)

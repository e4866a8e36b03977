"""Moments of a rate limit, given out to all processes that send for a club.

Each takes as many as it will need soon. So they keep a limit together without asking for every
message, and what one does not use is lost, not saved up.
"""

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, select, update

from crm_store.columns import UtcDateTime
from crm_store.inserting import insert_new
from crm_store.models.operation import LimitUse
from crm_store.tables import table_of

FARTHEST = timedelta(minutes=1)
"""Nobody takes moments farther ahead than this and one interval. What lies beyond is of a limit
that was slower then, or of a clock that was wrong."""

_USE = table_of(LimitUse)
_OF_LIMIT = (_USE.c.club_id == bindparam("club"), _USE.c.name == bindparam("limit"))
_READ = select(_USE.c.free_from).where(*_OF_LIMIT).with_for_update()
_WRITE = update(_USE).where(*_OF_LIMIT).values(free_from=bindparam("until", type_=UtcDateTime))


def reserve(
    connection: Connection,
    club_id: int,
    name: str,
    *,
    interval: timedelta,
    number: int,
    now: datetime,
    latest: datetime,
) -> datetime:
    """The first of `number` moments, an `interval` apart from each other and from everybody else's.

    When that is after `latest`, none is taken: it is the first that could be had.
    """
    limit = {"club": club_id, "limit": name}
    new = insert_new(connection, _USE).values(club_id=club_id, name=name, free_from=now)
    connection.execute(new)
    free_from: datetime = connection.execute(_READ, limit).scalar_one()
    first = max(free_from, now) if free_from <= now + FARTHEST + interval else now
    if first <= latest:
        connection.execute(_WRITE, {**limit, "until": first + number * interval})
    return first

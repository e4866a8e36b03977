"""Segments: who is in one, counted by difference, and who entered and left.

A count writes only what has changed since the last one, in two statements. Who is in a segment
when it is first counted, or when its condition was changed, has not entered it then: a new
segment starts no campaign for those who were always in it.
"""

from dataclasses import dataclass
from datetime import datetime
from functools import cache, lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Integer,
    Select,
    SelectBase,
    String,
    Update,
    bindparam,
    delete,
    func,
    null,
    select,
    update,
)

from crm_store.admission import Among
from crm_store.asked import KEPT, Asked
from crm_store.columns import UtcDateTime, moment_given
from crm_store.inserting import Insert, insert_new_on
from crm_store.models.segment import Segment, SegmentStay
from crm_store.occasions import Occasions, numbered, occasion
from crm_store.scope import CUSTOMER
from crm_store.tables import table_of

_SEGMENT, _STAY = table_of(Segment), table_of(SegmentStay)


@dataclass(frozen=True)
class Counted:
    """What a count has changed."""

    entered: int
    left: int


def count_segment(
    connection: Connection,
    club_id: int,
    name: str,
    *,
    digest: str,
    condition: Asked[ColumnElement[bool]],
    now: datetime,
    among: Among | None = None,
) -> Counted:
    """Bring the stays in a segment up to date with its condition (over the plain customer table).

    `digest` stands for the condition's words. `among` selects customers: the others are taken to
    be where they were.
    """
    segment = {"club": club_id, "called": name, "now": now}
    connection.execute(_new_segment(connection.dialect.name), segment)
    # The lock keeps a second count waiting until this one is written.
    segment_id, known = connection.execute(_SEGMENT_OF, segment).one()
    is_same = known == digest
    count = _count(connection.dialect.name, condition.sql, among and among.sql, is_same=is_same)
    values = {**segment, "segment": segment_id, **condition.values}
    if among is not None:
        values |= among.values
    left = connection.execute(count.leave, values).rowcount
    entered = connection.execute(
        count.enter, values, execution_options={"preserve_rowcount": True}
    ).rowcount
    connection.execute(_KEEP_COUNT, {"segment": segment_id, "new_digest": digest, "now": now})
    return Counted(entered, left) if is_same else Counted(0, 0)


_CLUB, _CALLED = bindparam("club", type_=Integer), bindparam("called", type_=String)
_ID, _NOW = bindparam("segment", type_=Integer), moment_given("now")
_SEGMENT_OF = (
    select(_SEGMENT.c.id, _SEGMENT.c.digest)
    .where(_SEGMENT.c.club_id == _CLUB, _SEGMENT.c.name == _CALLED)
    .with_for_update()
)
_KEEP_COUNT = (
    update(_SEGMENT)
    .where(_SEGMENT.c.id == _ID)
    .values(digest=bindparam("new_digest"), counted_at=_NOW)
)


@cache
def _new_segment(dialect: str) -> Insert:
    return insert_new_on(dialect, _SEGMENT).values(
        club_id=_CLUB, name=_CALLED, digest="", counted_at=_NOW
    )


class _Count(NamedTuple):
    """The two statements of a count."""

    leave: Update | Delete
    enter: Insert


@lru_cache(KEPT)
def _count(
    dialect: str, condition: ColumnElement[bool], among: SelectBase | None, *, is_same: bool
) -> _Count:
    still_in = select(CUSTOMER.c.id).where(CUSTOMER.c.id == _STAY.c.customer_id, condition)
    open_stays = (_STAY.c.segment_id == _ID, _STAY.c.left_at.is_(None))
    gone = [*open_stays, ~still_in.exists()]
    inside = select(_STAY.c.id).where(_STAY.c.customer_id == CUSTOMER.c.id, *open_stays)
    new = [~inside.exists(), CUSTOMER.c.club_id == _CLUB, condition]
    if among is not None:
        gone.append(_STAY.c.customer_id.in_(among))
        new.append(CUSTOMER.c.id.in_(among))
    entered_at = _NOW if is_same else null().cast(UtcDateTime)
    return _Count(
        update(_STAY).where(*gone).values(left_at=_NOW) if is_same else delete(_STAY).where(*gone),
        insert_new_on(dialect, _STAY).from_select(
            ["segment_id", "customer_id", "entered_at"],
            select(_ID, CUSTOMER.c.id, entered_at).where(*new),
        ),
    )


def count_of(connection: Connection, club_id: int, condition: ColumnElement[bool]) -> int:
    """How many customers of the club meet a condition at this moment."""
    query = select(func.count()).select_from(CUSTOMER)
    return connection.execute(query.where(CUSTOMER.c.club_id == club_id, condition)).scalar_one()


def entered(club_id: int, name: str, since: datetime, until: datetime) -> Occasions:
    """Who entered a segment in [`since`, `until`]; the anchor is that moment."""
    return Asked(_ENTERED, {"club": club_id, "segment": name, "since": since, "until": until})


def left(club_id: int, name: str, since: datetime, until: datetime) -> Occasions:
    """Who left a segment in [`since`, `until`]; the anchor is that moment."""
    return Asked(_LEFT, {"club": club_id, "segment": name, "since": since, "until": until})


def _turned(moment: ColumnElement[datetime]) -> Select[Any]:
    stays = _STAY.join(_SEGMENT, _SEGMENT.c.id == _STAY.c.segment_id)
    since, until = (moment_given(name) for name in ("since", "until"))
    return (
        occasion(numbered("stay", _STAY.c.id), moment)
        .select_from(stays.join(CUSTOMER, CUSTOMER.c.id == _STAY.c.customer_id))
        .where(
            _SEGMENT.c.club_id == bindparam("club"),
            _SEGMENT.c.name == bindparam("segment"),
            moment.between(since, until),
        )
    )


_ENTERED, _LEFT = _turned(_STAY.c.entered_at), _turned(_STAY.c.left_at)

"""Segments: who is in one, counted by difference, and who entered and left.

A count writes only what has changed since the last one, in two statements. Who is in a segment
when it is first counted, or when its condition was changed, has not entered it then: a new
segment starts no campaign for those who were always in it.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Connection,
    SelectBase,
    delete,
    func,
    literal,
    null,
    select,
    update,
)

from crm_store.columns import UtcDateTime
from crm_store.inserting import insert_new
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
    condition: ColumnElement[bool],
    now: datetime,
    among: SelectBase | None = None,
) -> Counted:
    """Bring the stays in a segment up to date with its condition (over the plain customer table).

    `digest` stands for the condition's words. `among` selects customers: the others are taken to
    be where they were.
    """
    connection.execute(
        insert_new(connection, _SEGMENT).values(
            club_id=club_id, name=name, digest="", counted_at=now
        )
    )
    segment_id, known = connection.execute(
        # The lock keeps a second count waiting until this one is written.
        select(_SEGMENT.c.id, _SEGMENT.c.digest)
        .where(_SEGMENT.c.club_id == club_id, _SEGMENT.c.name == name)
        .with_for_update()
    ).one()
    is_same = known == digest
    still_in = select(CUSTOMER.c.id).where(CUSTOMER.c.id == _STAY.c.customer_id, condition)
    open_stays = (_STAY.c.segment_id == segment_id, _STAY.c.left_at.is_(None))
    gone = [*open_stays, ~still_in.exists()]
    new = [CUSTOMER.c.club_id == club_id, condition]
    if among is not None:
        gone.append(_STAY.c.customer_id.in_(among))
        new.append(CUSTOMER.c.id.in_(among))
    ended = (
        update(_STAY).where(*gone).values(left_at=now) if is_same else delete(_STAY).where(*gone)
    )
    left = connection.execute(ended).rowcount
    inside = select(_STAY.c.id).where(_STAY.c.customer_id == CUSTOMER.c.id, *open_stays).exists()
    entered = connection.execute(
        insert_new(connection, _STAY).from_select(
            ["segment_id", "customer_id", "entered_at"],
            select(
                literal(segment_id),
                CUSTOMER.c.id,
                literal(now, UtcDateTime) if is_same else null().cast(UtcDateTime),
            ).where(~inside, *new),
        ),
        execution_options={"preserve_rowcount": True},
    ).rowcount
    connection.execute(
        update(_SEGMENT).where(_SEGMENT.c.id == segment_id).values(digest=digest, counted_at=now)
    )
    return Counted(entered, left) if is_same else Counted(0, 0)


def count_of(connection: Connection, club_id: int, condition: ColumnElement[bool]) -> int:
    """How many customers of the club meet a condition at this moment."""
    query = select(func.count()).select_from(CUSTOMER)
    return connection.execute(query.where(CUSTOMER.c.club_id == club_id, condition)).scalar_one()


def entered(club_id: int, name: str, since: datetime, until: datetime) -> Occasions:
    """Who entered a segment in [`since`, `until`]; the anchor is that moment."""
    return _turned(club_id, name, _STAY.c.entered_at, since, until)


def left(club_id: int, name: str, since: datetime, until: datetime) -> Occasions:
    """Who left a segment in [`since`, `until`]; the anchor is that moment."""
    return _turned(club_id, name, _STAY.c.left_at, since, until)


def _turned(
    club_id: int, name: str, moment: ColumnElement[datetime], since: datetime, until: datetime
) -> Occasions:
    stays = _STAY.join(_SEGMENT, _SEGMENT.c.id == _STAY.c.segment_id)
    return (
        occasion(numbered("stay", _STAY.c.id), moment)
        .select_from(stays.join(CUSTOMER, CUSTOMER.c.id == _STAY.c.customer_id))
        .where(_SEGMENT.c.club_id == club_id, _SEGMENT.c.name == name, moment.between(since, until))
    )

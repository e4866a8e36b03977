"""Everyone, or everyone in a segment: whom a festival or a newsletter is for."""

from datetime import date, datetime

from sqlalchemy import Integer, String, bindparam, select

from crm_store.asked import Asked
from crm_store.columns import day_given, moment_given
from crm_store.models.segment import Segment, SegmentStay
from crm_store.occasions import Occasions, occasion
from crm_store.scope import CUSTOMER
from crm_store.tables import table_of

_SEGMENT, _STAY = table_of(Segment), table_of(SegmentStay)


def on_day(club_id: int, occurrence: str, day: date) -> Occasions:
    """Every customer of the club; the anchor is a day."""
    return Asked(_ON_DAY, {"club": club_id, "called": occurrence, "anchor": day})


def at_moment(
    club_id: int, occurrence: str, moment: datetime, segment: str | None = None
) -> Occasions:
    """Every customer of the club, or of a segment, who was there by a moment, the anchor."""
    values = {"club": club_id, "called": occurrence, "anchor": moment}
    if segment is None:
        return Asked(_AT_MOMENT, values)
    return Asked(_AT_MOMENT_IN_SEGMENT, {**values, "segment": segment})


_CLUB = bindparam("club", type_=Integer)
_CALLED = bindparam("called", type_=String)
_MOMENT = moment_given("anchor")
_OF_CLUB = CUSTOMER.c.club_id == _CLUB
_ON_DAY = occasion(_CALLED, day_given("anchor")).select_from(CUSTOMER).where(_OF_CLUB)
_AT_MOMENT = (
    occasion(_CALLED, _MOMENT)
    .select_from(CUSTOMER)
    .where(_OF_CLUB, CUSTOMER.c.created_at <= _MOMENT)
)
_IN_SEGMENT = (
    select(_STAY.c.customer_id)
    .join(_SEGMENT, _SEGMENT.c.id == _STAY.c.segment_id)
    .where(
        _SEGMENT.c.club_id == _CLUB,
        _SEGMENT.c.name == bindparam("segment"),
        _STAY.c.left_at.is_(None),
    )
)
_AT_MOMENT_IN_SEGMENT = _AT_MOMENT.where(CUSTOMER.c.id.in_(_IN_SEGMENT))

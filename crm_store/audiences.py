"""Everyone, or everyone in a segment: whom a festival or a newsletter is for."""

from datetime import date, datetime

from sqlalchemy import select

from crm_store.models.segment import Segment, SegmentStay
from crm_store.occasions import Occasions, occasion
from crm_store.scope import CUSTOMER
from crm_store.tables import table_of

_SEGMENT, _STAY = table_of(Segment), table_of(SegmentStay)


def everyone(
    club_id: int,
    occurrence: str,
    anchor: date | datetime,
    *,
    segment: str | None = None,
    known_by: datetime | None = None,
) -> Occasions:
    """Every customer of the club, or of a segment; with `known_by` those who were there by then."""
    query = occasion(occurrence, anchor).select_from(CUSTOMER).where(CUSTOMER.c.club_id == club_id)
    if known_by is not None:
        query = query.where(CUSTOMER.c.created_at <= known_by)
    if segment is not None:
        members = (
            select(_STAY.c.customer_id)
            .join(_SEGMENT, _SEGMENT.c.id == _STAY.c.segment_id)
            .where(
                _SEGMENT.c.club_id == club_id, _SEGMENT.c.name == segment, _STAY.c.left_at.is_(None)
            )
        )
        query = query.where(CUSTOMER.c.id.in_(members))
    return query

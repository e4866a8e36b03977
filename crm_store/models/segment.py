"""A named segment of a club's customers, and who stays in it since when."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from crm_store.columns import UtcDateTime


class Segment(SQLModel, table=True):
    """A segment of segments.yaml that has been counted."""

    __table_args__ = (UniqueConstraint("club_id", "name"),)

    id: int | None = Field(default=None, primary_key=True)
    club_id: int = Field(foreign_key="club.id")
    name: str
    digest: str
    """Of the condition that it was last counted by: other words are another segment."""
    counted_at: datetime = Field(sa_type=UtcDateTime)


class SegmentStay(SQLModel, table=True):
    """One stay of a customer in a segment; open while `left_at` is empty."""

    __tablename__ = "segment_stay"
    __table_args__ = (
        Index(
            "ix_segment_stay_open",
            "customer_id",
            "segment_id",
            unique=True,
            sqlite_where=text("left_at IS NULL"),
            postgresql_where=text("left_at IS NULL"),
        ),
        Index("ix_segment_stay_entered", "segment_id", "entered_at"),
        Index("ix_segment_stay_left", "segment_id", "left_at"),
        Index("ix_segment_stay_customer", "customer_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    segment_id: int = Field(foreign_key="segment.id", ondelete="CASCADE")
    customer_id: int = Field(foreign_key="customer.id", ondelete="CASCADE")
    entered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """Empty for who was in it when it was first counted: she has not entered it."""
    left_at: datetime | None = Field(default=None, sa_type=UtcDateTime)

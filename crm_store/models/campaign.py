"""A campaign's versions, and the customers in it."""

from datetime import date, datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from crm_store.columns import UtcDateTime


class CampaignVersion(SQLModel, table=True):
    """A campaign file as it once stood. Who entered under it finishes under it."""

    __tablename__ = "campaign_version"
    __table_args__ = (
        UniqueConstraint("campaign", "digest"),
        UniqueConstraint("campaign", "version"),
    )

    id: int | None = Field(default=None, primary_key=True)
    campaign: str
    version: int
    digest: str
    """SHA-256 of the definition: a file saved again unchanged is no new version."""
    definition: dict[str, Any] = Field(sa_type=JSON)
    created_at: datetime = Field(sa_type=UtcDateTime)


class EnrollmentStatus(StrEnum):
    """How far a customer is in a campaign."""

    ACTIVE = "active"
    """There are steps to come."""
    COMPLETED = "completed"
    EXITED = "exited"
    """An `exit_on` event came, or the date moved and the campaign ends by that."""
    HELD_OUT = "held_out"
    """Chance keeps her out of it, for comparison: she is never written to."""


class Enrollment(SQLModel, table=True):
    """A customer in a campaign for one occurrence of its trigger."""

    __table_args__ = (
        UniqueConstraint("campaign", "customer_id", "occurrence"),
        Index("ix_enrollment_customer", "customer_id"),
        Index("ix_enrollment_membership", "membership_id"),
        Index("ix_enrollment_event", "event_id"),
        Index(
            "ix_enrollment_next",
            "next_at",
            "campaign",
            sqlite_where=text("status = 'active'"),
            postgresql_where=text("status = 'active'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    campaign: str
    version_id: int = Field(foreign_key="campaign_version.id")
    customer_id: int = Field(foreign_key="customer.id", ondelete="CASCADE")
    occurrence: str
    """Which one: ``event:812``, ``term:77``, ``birthday:2026``. Never an id of a run."""
    membership_id: int | None = Field(default=None, foreign_key="membership.id", ondelete="CASCADE")
    event_id: int | None = Field(default=None, foreign_key="event.id", ondelete="CASCADE")
    anchor_on: date | None = None
    """The day that offsets count from, when the trigger is a day."""
    anchor_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """The moment that offsets count from, when the trigger is an event."""
    entered_at: datetime = Field(sa_type=UtcDateTime)
    exits_from: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """An `exit_on` event from this moment on ends it."""
    status: str = EnrollmentStatus.ACTIVE
    goal_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """Up to when the goal's event counts for her; nothing when the campaign has no goal."""
    next_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When `advance` has to look at it again."""
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    end_reason: str | None = None

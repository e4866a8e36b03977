"""A membership: one row is one term of it, from its first day to its last."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import Column, Computed, Index, Integer, UniqueConstraint
from sqlmodel import Field, SQLModel

from crm_store.columns import UtcDateTime, month_day


class MembershipStatus(StrEnum):
    """`active` covers a term that has ended too: whether it ended is for the dates to say."""

    ACTIVE = "active"
    CANCELLED = "cancelled"


class Membership(SQLModel, table=True):
    """One term. A renewal is a new row with the same `ref`; a moved end changes this row."""

    __table_args__ = (
        UniqueConstraint("customer_id", "ref", "starts_on"),
        Index("ix_membership_ends_on", "ends_on", "plan"),
        Index("ix_membership_starts_on", "starts_on"),
        Index("ix_membership_anniversary", "start_month_day"),
        Index("ix_membership_customer", "customer_id", "ends_on"),
    )

    id: int | None = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id", ondelete="CASCADE")
    ref: str
    plan: str
    starts_on: date
    start_month_day: int | None = Field(
        default=None,
        sa_column=Column(
            Integer, Computed(month_day(Column("starts_on")), persisted=True), nullable=True
        ),
    )
    """Month x 100 + day, kept by the database."""
    ends_on: date
    """The last day the member may train."""
    auto_renew: bool = False
    status: str = MembershipStatus.ACTIVE
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class MembershipFreeze(SQLModel, table=True):
    """A span in which a term stands still; an open end is a freeze that still lasts."""

    __tablename__ = "membership_freeze"
    __table_args__ = (UniqueConstraint("membership_id", "starts_on"),)

    id: int | None = Field(default=None, primary_key=True)
    membership_id: int = Field(foreign_key="membership.id", ondelete="CASCADE")
    starts_on: date
    ends_on: date | None = None

"""A customer, and the tags staff put on her."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, Column, Computed, Index, Integer, UniqueConstraint
from sqlmodel import Field, SQLModel

from crm_store.columns import UtcDateTime, month_day


class Customer(SQLModel, table=True):
    """One person known to a club. `ref` is the name other systems know her by."""

    __table_args__ = (
        UniqueConstraint("club_id", "ref"),
        Index("ix_customer_birthday", "birth_month_day"),
        Index("ix_customer_email", "email"),
        Index("ix_customer_joined_on", "joined_on"),
        Index("ix_customer_anniversary", "joined_month_day"),
        Index("ix_customer_phone", "phone"),
    )

    id: int | None = Field(default=None, primary_key=True)
    club_id: int = Field(foreign_key="club.id", index=True)
    ref: str
    first_name: str = ""
    last_name: str = ""
    email: str | None = None
    """Normalised address, or nothing: an address that cannot be written to is not kept here."""
    phone: str | None = None
    """E.164, such as ``+919876543210``."""
    language: str | None = None
    timezone: str | None = None
    """IANA name; the club's when empty."""
    birth_date: date | None = None
    birth_month_day: int | None = Field(
        default=None,
        sa_column=Column(
            Integer, Computed(month_day(Column("birth_date")), persisted=True), nullable=True
        ),
    )
    """Month x 100 + day, kept by the database: 29 February is 229."""
    joined_on: date | None = None
    joined_month_day: int | None = Field(
        default=None,
        sa_column=Column(
            Integer, Computed(month_day(Column("joined_on")), persisted=True), nullable=True
        ),
    )
    pipeline: str | None = None
    stage: str | None = None
    stage_changed_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    score: int = 0
    """Points that steps gave her; `customer.score` adds those of the rules in scores.yaml."""
    source: str | None = None
    custom: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    """Values of the club's own fields, as `fields:` in club.yaml declares them."""
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class CustomerTag(SQLModel, table=True):
    """A tag on a customer: a row each, so that a condition can use an index."""

    __tablename__ = "customer_tag"
    __table_args__ = (Index("ix_customer_tag_tag", "tag", "customer_id"),)

    customer_id: int = Field(foreign_key="customer.id", primary_key=True, ondelete="CASCADE")
    tag: str = Field(primary_key=True)

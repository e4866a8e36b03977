"""An event: something that happened to a customer, named in the past tense."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from crm_store.columns import UtcDateTime


class Event(SQLModel, table=True):
    """One event. (`source`, `source_id`) is unique: the same delivery twice is one event."""

    __table_args__ = (
        UniqueConstraint("source", "source_id"),
        Index("ix_event_name", "name", "occurred_at"),
        Index("ix_event_customer", "customer_id", "name", "occurred_at"),
        # The intake's inbox: tiny, whatever the size of the table.
        Index(
            "ix_event_unhandled",
            "id",
            sqlite_where=text("handled_at IS NULL"),
            postgresql_where=text("handled_at IS NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id", ondelete="CASCADE")
    name: str
    data: dict[str, Any] = Field(default_factory=dict, sa_type=JSON)
    source: str
    """Who says so: ``cli``, ``import``, a webhook's name."""
    source_id: str
    """The sender's own id of this event."""
    occurred_at: datetime = Field(sa_type=UtcDateTime)
    recorded_at: datetime = Field(sa_type=UtcDateTime)
    handled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When the intake looked at it; it says nothing about what was sent."""

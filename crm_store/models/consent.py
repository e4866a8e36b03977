"""What a customer allows, and the addresses never to write to."""

from datetime import datetime

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from crm_store.columns import UtcDateTime

ANY_TOPIC = "*"


class Consent(SQLModel, table=True):
    """A customer's standing answer for a channel and a topic, and where it was given."""

    __table_args__ = (UniqueConstraint("customer_id", "channel", "topic"),)

    id: int | None = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id", ondelete="CASCADE")
    channel: str
    topic: str = ANY_TOPIC
    """A topic of the club, or ``*`` for everything on the channel."""
    granted: bool
    source: str
    proof: str = ""
    """The words she agreed to, or the file and line that say so."""
    given_at: datetime = Field(sa_type=UtcDateTime)


class Suppression(SQLModel, table=True):
    """An address never to write to, whoever has it."""

    __table_args__ = (
        UniqueConstraint("channel", "address"),
        Index("ix_suppression_address", "address"),
    )

    id: int | None = Field(default=None, primary_key=True)
    channel: str
    address: str
    """Normalised as `Customer.email` and `Customer.phone` are."""
    cause: str
    """``opt_out``, ``hard_bounce``, ``complaint``, ``manual``."""
    source: str
    created_at: datetime = Field(sa_type=UtcDateTime)

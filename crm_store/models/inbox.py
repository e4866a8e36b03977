"""The inbox: what others have sent us over the web, kept as it came until somebody reads it."""

from datetime import datetime

from sqlalchemy import JSON, Index, LargeBinary, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from crm_store.columns import UtcDateTime


class InboundMessage(SQLModel, table=True):
    """One message from outside. (club, `source`, `source_id`) is unique: a replay is no second.

    Only what was verified gets here. A row without `handled_at` waits to be read.
    """

    __tablename__ = "inbound_message"
    __table_args__ = (
        UniqueConstraint("club_id", "source", "source_id"),
        Index(
            "ix_inbound_message_waiting",
            "club_id",
            "not_before",
            sqlite_where=text("handled_at IS NULL"),
            postgresql_where=text("handled_at IS NULL"),
        ),
        Index("ix_inbound_message_handled", "handled_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    club_id: int = Field(foreign_key="club.id")
    source: str
    """Which door it came through: ``postmark``, ``lead_form``."""
    source_id: str
    """The sender's own id of it, else a digest of its body."""
    headers: dict[str, str] = Field(default_factory=dict, sa_type=JSON)
    """Those that its reader needs, by lower-case name; never one that carries a secret."""
    body: bytes = Field(sa_type=LargeBinary)
    """Raw; emptied once it is read, for what it said is then in the store."""
    received_at: datetime = Field(sa_type=UtcDateTime)
    not_before: datetime = Field(sa_type=UtcDateTime)
    """When it may be taken: at once, after a pause, or when whoever took it must be dead."""
    attempts: int = 0
    handled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    failure: str | None = None
    """Why it could not be used; its body is kept then. Never an address or a name."""

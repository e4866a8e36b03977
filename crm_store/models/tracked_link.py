"""Where the counted links of messages lead."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from crm_store.columns import UtcDateTime


class TrackedLink(SQLModel, table=True):
    """One address that messages of a campaign lead to. It is never changed: links name its id."""

    __tablename__ = "tracked_link"
    __table_args__ = (UniqueConstraint("campaign", "url"),)

    id: int | None = Field(default=None, primary_key=True)
    campaign: str
    url: str
    """Whole, and alike for everybody: nothing of a customer's is in it."""
    created_at: datetime = Field(sa_type=UtcDateTime)

"""A token by which another program may tell us things over the HTTP API."""

from datetime import datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from crm_store.columns import UtcDateTime


class ApiToken(SQLModel, table=True):
    """One token. Only its hash is kept: who loses it gets a new one."""

    __tablename__ = "api_token"
    __table_args__ = (UniqueConstraint("token_hash"), UniqueConstraint("club_id", "name"))

    id: int | None = Field(default=None, primary_key=True)
    club_id: int = Field(foreign_key="club.id")
    name: str
    """Whose it is: `website`, `turnstile`. It stands as the source of what comes with it."""
    token_hash: str
    """SHA-256 of the token, hexadecimal: a token is random and long, so no slow hash is needed."""
    created_at: datetime = Field(sa_type=UtcDateTime)

"""A club: the business whose customers these are."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from crm_store.columns import UtcDateTime


class Club(SQLModel, table=True):
    """One club. `code` is its stable name; a chain has several in one store."""

    id: int | None = Field(default=None, primary_key=True)
    code: str = Field(unique=True)
    name: str
    timezone: str
    """IANA name, such as ``Asia/Kolkata``."""
    country: str
    """ISO 3166-1 alpha-2; how local phone numbers are read."""
    language: str
    currency: str
    website: str = ""
    phone: str = ""
    address: str = ""
    updated_at: datetime = Field(sa_type=UtcDateTime)

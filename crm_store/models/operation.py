"""What operators decide about a store: pauses and limits, whose installation it is, its keys."""

from datetime import datetime

from sqlmodel import Field, SQLModel

from crm_store.columns import UtcDateTime

EVERYTHING = "*"


class Pause(SQLModel, table=True):
    """A campaign, or everything, that sends nothing until somebody resumes it."""

    campaign: str = Field(primary_key=True)
    """A campaign, or ``*``."""
    reason: str
    since: datetime = Field(sa_type=UtcDateTime)


class LimitUse(SQLModel, table=True):
    """How far a rate limit is used up, by all processes together."""

    __tablename__ = "limit_use"

    club_id: int = Field(foreign_key="club.id", primary_key=True)
    name: str = Field(primary_key=True)
    """A channel, or one of its providers: ``email``, ``email/google``."""
    free_from: datetime = Field(sa_type=UtcDateTime)
    """All moments before it are given out."""


class LedgerHome(SQLModel, table=True):
    """An installation that sends from this store, and how far it has come.

    The installation keeps the same count in a file of its own. A store that knows fewer batches
    than the file was put back from a backup.
    """

    __tablename__ = "ledger_home"

    home: str = Field(primary_key=True)
    batches: int = 0
    """Claims so far."""
    mode: str
    """``rehearsal`` or ``live``: what counts as sent in one has not been sent in the other."""
    fingerprint: str
    """Of the database's physical place: a copy of the file or of the database has another."""
    seen_at: datetime = Field(sa_type=UtcDateTime)


class KeyMark(SQLModel, table=True):
    """A secret key that this store was used with. Its address hashes were made with one of them."""

    __tablename__ = "key_mark"

    fingerprint: str = Field(primary_key=True)
    """Of the key; see `crm_store.keys`."""
    first_seen_at: datetime = Field(sa_type=UtcDateTime)

"""What a customer allows, and the addresses never to write to."""

from datetime import datetime
from enum import StrEnum

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


class Step(StrEnum):
    """How far an answer has come."""

    REQUESTED = "requested"
    """She, or somebody in her name, asked for messages; she has not confirmed it yet."""
    GRANTED = "granted"
    REFUSED = "refused"
    TAKEN_BACK = "taken_back"
    """A refusal that she ended: nothing is granted by that."""


class ConsentRecord(SQLModel, table=True):
    """One answer as it was given, and its proof. Rows are added and never changed.

    It names no address, so that it may stay as proof when the customer's data is erased.
    """

    __tablename__ = "consent_record"
    __table_args__ = (Index("ix_consent_record_customer", "customer_id"),)

    id: int | None = Field(default=None, primary_key=True)
    customer_id: int | None = Field(default=None, foreign_key="customer.id", ondelete="SET NULL")
    channel: str
    topic: str
    address_hash: str | None = None
    """Of the address that she had on the channel then; see `crm_store.suppressions`."""
    step: str
    source: str
    """By which way it came: ``one_click``, ``preferences``, ``import``, ``sms_reply``."""
    proof: str = ""
    """The words she agreed to, or the file and line that say so."""
    text_version: str = ""
    """Which version of the club's consent text she had before her."""
    touchpoint_id: int | None = None
    """The message whose link she used."""
    given_at: datetime = Field(sa_type=UtcDateTime)


class Cause(StrEnum):
    """Why an address is suppressed."""

    OPT_OUT = "opt_out"
    HARD_BOUNCE = "hard_bounce"
    COMPLAINT = "complaint"
    ERASURE = "erasure"
    """Her data was erased, as she had asked."""
    MANUAL = "manual"


class Reach(StrEnum):
    """What a suppression keeps back."""

    MARKETING = "marketing"
    """All but messages of transactional topics."""
    EVERYTHING = "everything"


class Suppression(SQLModel, table=True):
    """An address not to write to, whoever has it. It outlives the customer it was first about."""

    id: int | None = Field(default=None, primary_key=True)
    channel: str
    address_hash: str = Field(unique=True)
    """Keyed, of the channel and the normalised address: see `crm_store.suppressions`."""
    reach: str = Reach.EVERYTHING
    cause: str
    source: str
    created_at: datetime = Field(sa_type=UtcDateTime)

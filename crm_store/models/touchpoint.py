"""A touchpoint: one contact with one customer, and all that became of it.

    planned → queued → claimed → sending → accepted → delivered | bounced | complained
                 ↑        │         ├──→ rejected    the server said never (5xx)
                 └────────┴─────────┼──→ (queued)    not now: 4xx, or the lease ran out unsent
                                    └──→ in_doubt    no knowing whether it was taken

    planned, queued, claimed ──→ suppressed | expired | cancelled | failed

What is told of it after the hand-over moves it forward only, whatever comes first: see
`crm_store.feedback`.

The unique key (campaign, customer, occurrence, step, channel) is inserted before anything
is sent; that is what makes a second message impossible (promise G2).
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from crm_store.columns import UtcDateTime


class State(StrEnum):
    """Where a touchpoint stands."""

    PLANNED = "planned"
    QUEUED = "queued"
    CLAIMED = "claimed"
    SENDING = "sending"
    DONE = "done"
    """A task or an update: nothing had to leave."""
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    REJECTED = "rejected"
    SUPPRESSED = "suppressed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    FAILED = "failed"
    IN_DOUBT = "in_doubt"


WAITING = (State.PLANNED, State.QUEUED)
OPEN = (*WAITING, State.CLAIMED, State.SENDING)
TAKEN = (State.ACCEPTED, State.DELIVERED, State.BOUNCED, State.COMPLAINED)
"""States in which a server took the message, whatever became of it then."""
SENT = (State.SENDING, State.ACCEPTED, State.DELIVERED, State.COMPLAINED, State.IN_DOUBT)
"""States in which the message has, or may have, reached her: what a cap counts."""


class Touchpoint(SQLModel, table=True):
    """One contact. The row is the truth about it; nothing else is."""

    __table_args__ = (
        UniqueConstraint("campaign", "customer_id", "occurrence", "step", "channel"),
        Index("ix_touchpoint_enrollment", "enrollment_id"),
        Index("ix_touchpoint_customer", "customer_id", "sent_at"),
        Index("ix_touchpoint_message", "message_id"),
        Index(
            "ix_touchpoint_provider",
            "provider_ref",
            sqlite_where=text("provider_ref IS NOT NULL"),
            postgresql_where=text("provider_ref IS NOT NULL"),
        ),
        Index(
            "ix_touchpoint_coupon",
            "coupon",
            unique=True,
            sqlite_where=text("coupon IS NOT NULL"),
            postgresql_where=text("coupon IS NOT NULL"),
        ),
        # One for all who have it in hand: it stays put as `claimed` becomes `sending`.
        Index(
            "ix_touchpoint_held",
            "lease_until",
            sqlite_where=text("claim_token IS NOT NULL"),
            postgresql_where=text("claim_token IS NOT NULL"),
        ),
        *(
            Index(
                f"ix_touchpoint_{state}",
                *columns,
                sqlite_where=text(f"state = '{state}'"),
                postgresql_where=text(f"state = '{state}'"),
            )
            for state, columns in {
                "planned": ("due_at",),
                "queued": ("campaign", "not_before", "id"),
                "in_doubt": ("id",),
            }.items()
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    enrollment_id: int = Field(foreign_key="enrollment.id", ondelete="CASCADE")
    version_id: int = Field(foreign_key="campaign_version.id")
    campaign: str
    customer_id: int = Field(foreign_key="customer.id", ondelete="CASCADE")
    occurrence: str
    step: str
    """The step's id, or `<id>.timeout`."""
    variant: str = ""
    """Which way of a fork was taken; empty where there is none."""
    channel: str
    """A channel of messages, or `task`, `update`, `webhook`."""
    is_marketing: bool = True
    """Whether caps count it: not a transactional message, nor what writes to nobody."""
    coupon: str | None = None
    """The customer's own code, where the step gives one."""
    state: str
    reason: str | None = None
    """A `Reason` for the state, where one is needed; see `crm_store.reasons`."""
    detail: str = ""
    """The server's words or the template's error. Never an address or a name."""
    due_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    """After this it is no longer useful, and is not sent."""
    not_before: datetime = Field(sa_type=UtcDateTime)
    """Earliest next attempt: `due_at`, or later after a 4xx."""
    queued_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    attempts: int = 0
    resends: int = 0
    """How often it was sent again out of doubt: each time the same Message-ID."""
    claim_token: str | None = None
    """Fencing: only the holder of the token may move the row on."""
    lease_until: datetime | None = Field(default=None, sa_type=UtcDateTime)
    sent_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When `sending` was committed."""
    settled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    message_id: str | None = None
    """Our Message-ID: a pure function of the unique key."""
    provider_ref: str | None = None
    """The provider's own id of the message."""
    language: str | None = None
    created_at: datetime = Field(sa_type=UtcDateTime)

"""A finished message, and what the world answered: the two nouns between engine and wire."""

from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from crm_messaging.dlt import DltTags


@dataclass(frozen=True)
class EmailParts:
    """A rendered e-mail: nothing in it is a template any more."""

    subject: str
    html: str
    text: str


class Letter(NamedTuple):
    """A whole RFC 5322 message, CRLF line ends. What many letters share is in memory once."""

    pieces: tuple[bytes, ...]
    is_ascii: bool
    is_tidy: bool
    """Every line ends in CRLF, the last one too, and none begins with a dot: SMTP can take it as
    it is, and nobody has to look through the whole of it again."""

    @classmethod
    def of(cls, octets: bytes) -> "Letter":
        """Of octets that nobody has looked through."""
        return cls((octets,), octets.isascii(), is_tidy=False)

    def __bytes__(self) -> bytes:
        return b"".join(self.pieces)


class OutgoingEmail(NamedTuple):
    """An e-mail ready for the wire."""

    touchpoint_id: int
    message_id: str
    sender: str
    """Envelope sender, ASCII."""
    recipient: str
    """Envelope recipient."""
    letter: Letter


@dataclass(frozen=True)
class OutgoingSms:
    """A text message ready for the wire."""

    touchpoint_id: int
    message_id: str
    recipient: str
    """E.164."""
    body: str
    dlt: DltTags | None = None
    """For India: what the gateway has to be told of the club's registration."""


@dataclass(frozen=True)
class OutgoingCall:
    """A call to another system, ready for the wire."""

    touchpoint_id: int
    message_id: str
    url: str
    recipient: str
    """What stands for an address: a call has none that could change or be suppressed."""
    body: bytes
    """JSON, UTF-8."""


Outgoing = OutgoingEmail | OutgoingSms | OutgoingCall


class Outcome(StrEnum):
    """What a hand-over came to. The engine turns it into a touchpoint's state."""

    ACCEPTED = "accepted"
    """The server took responsibility (SMTP 250 after the dot, HTTP 2xx)."""
    DEFERRED = "deferred"
    """Not now: 4xx, no connection, or a break before the last byte. Surely not taken."""
    REJECTED = "rejected"
    """Never: 5xx."""
    IN_DOUBT = "in_doubt"
    """The last byte may have left and no reply came. Taken or not: nobody knows."""


class Receipt(NamedTuple):
    """The answer to one hand-over."""

    touchpoint_id: int
    outcome: Outcome
    detail: str = ""
    """The server's reply, without addresses, at most 200 characters."""
    provider_ref: str | None = None
    retry_at: datetime | None = None
    """When the server itself said when to come again (HTTP Retry-After)."""
    connected: bool = True
    """False when no server was reached at all: the attempt does not count against the message."""


class MaySend(Protocol):
    """Asked by a channel just before the last byte of a message leaves.

    It commits the state `sending` (many messages to a commit) and answers whether the message
    may still go: an opt-out, an exit or a lost lease in the meantime says no.
    """

    def __call__(self, touchpoint_id: int) -> Awaitable[bool]: ...


class Channel(Protocol):
    """A way out of the house. Opened once, used for many batches, closed at the end."""

    name: str
    """`email` or `sms`: the word that campaigns use."""

    @property
    def concurrency(self) -> int:
        """How many messages it can hand over at the same time."""
        ...

    async def hand_over(self, message: Outgoing, may_send: MaySend) -> Receipt | None:
        """Hand one message over. Never raises for what a server does: that is a `Receipt`.

        `None` when `may_send` said no: nothing has left.
        """
        ...

    async def close(self) -> None:
        """End the connections politely."""
        ...

"""What each mishap of an SMTP hand-over means for the message: one table, looked up once."""

from enum import StrEnum

from crm_messaging.channels.wording import without_addresses
from crm_messaging.message import Outcome, OutgoingEmail, Receipt


class Point(StrEnum):
    """How far a hand-over had come."""

    SESSION = "session"
    """Connecting, greeting, EHLO, STARTTLS, AUTH: nothing was said about this message yet."""
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    BODY = "body"
    """The server waits for the message; its final dot has not been written."""
    DOT = "dot"
    """The final dot has been written."""


class Fault(StrEnum):
    """What the server did instead of the reply that was hoped for."""

    TEMPORARY = "4yz"
    PERMANENT = "5yz"
    SILENCE = "silence"
    """The connection broke, or no reply came in time."""
    GARBAGE = "garbage"
    """Something that is no SMTP reply, or not one to this question."""


_DEFERRED, _REJECTED, _IN_DOUBT = Outcome.DEFERRED, Outcome.REJECTED, Outcome.IN_DOUBT

# A server that refuses the session (wrong password, blocked network) says nothing about the
# message: a mistake in club.yaml must not reject the customers' mail. Before the final dot
# the server may not keep a message (RFC 5321 §4.1.1.4), so a break there is harmless; after
# the dot it may have taken the message even if no reply came (RFC 1047).
_OUTCOMES: dict[Point, tuple[Outcome, Outcome, Outcome, Outcome]] = {
    #               4yz        5yz        silence    garbage
    Point.SESSION: (_DEFERRED, _DEFERRED, _DEFERRED, _DEFERRED),
    Point.MAIL: (_DEFERRED, _REJECTED, _DEFERRED, _DEFERRED),
    Point.RCPT: (_DEFERRED, _REJECTED, _DEFERRED, _DEFERRED),
    Point.DATA: (_DEFERRED, _REJECTED, _DEFERRED, _DEFERRED),
    Point.BODY: (_DEFERRED, _DEFERRED, _DEFERRED, _DEFERRED),
    Point.DOT: (_DEFERRED, _REJECTED, _IN_DOUBT, _IN_DOUBT),
}


class HandOverFailed(Exception):
    """A hand-over that did not end with a 2yz after the dot."""

    def __init__(self, point: Point, fault: Fault, said: str) -> None:
        super().__init__(f"{fault} at {point}")
        self.point = point
        self.fault = fault
        self.said = said

    @property
    def session_is_gone(self) -> bool:
        """The connection cannot carry anything more: it broke, or the server is closing it."""
        return self.fault in (Fault.SILENCE, Fault.GARBAGE) or self.said.startswith("421")

    def receipt(self, message: OutgoingEmail) -> Receipt:
        return Receipt(
            message.touchpoint_id,
            _OUTCOMES[self.point][list(Fault).index(self.fault)],
            without_addresses(self.said, message.recipient),
            connected=self.point is not Point.SESSION,
        )

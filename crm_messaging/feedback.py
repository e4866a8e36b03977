"""What the world says about a message after it was handed over: one fact about one recipient.

Bounce mails, the webhooks of e-mail providers and the delivery reports of SMS all come down to
this. What it means for touchpoints and suppressions is decided where it is applied.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Verdict(StrEnum):
    """What became of a message. `sentence` says it to a person."""

    sentence: str

    def __new__(cls, word: str, sentence: str) -> "Verdict":
        one = str.__new__(cls, word)
        one._value_ = word
        one.sentence = sentence
        return one

    DELIVERED = "delivered", "It reached the mailbox or the phone."
    DELAYED = "delayed", "It has not arrived yet; the receiving server is still trying."
    SOFT_BOUNCE = "soft_bounce", "It did not arrive this time; another message may."
    MAILBOX_FULL = "mailbox_full", "The mailbox or phone has no room."
    BLOCKED = "blocked", "The receiving server refused us or the message, not the address."
    HARD_BOUNCE = "hard_bounce", "There is no such address, and there will be none."
    COMPLAINT = "complaint", "The customer called it spam."
    AUTO_REPLY = "auto_reply", "The mailbox answered by itself; the message arrived."
    UNSUBSCRIBED = "unsubscribed", "The customer asked the provider for no more messages."
    OPENED = "opened", "A machine or a person loaded its pictures."
    CLICKED = "clicked", "A machine or a person followed a link in it."
    FAILED = "failed", "The text message could not be delivered."


@dataclass(frozen=True)
class Feedback:
    """One fact about one recipient of one message. `None` or "" is what the source did not say."""

    verdict: Verdict
    channel: str
    """`email` or `sms`."""
    occurred_at: datetime | None = None
    """Aware; when it happened, as far as the source says."""
    message_id: str | None = None
    """Our Message-ID, with its angle brackets, as the source gives it back."""
    provider_ref: str | None = None
    """The provider's own id of the message."""
    recipient: str | None = None
    """The address or number that it is about, as the source writes it."""
    return_path: str | None = None
    """The envelope sender that the message left with, to which the report came back."""
    status: str = ""
    """RFC 3463 code (`5.1.1`), or the provider's code."""
    detail: str = ""
    """The source's words on one line, without addresses and numbers."""
    source_id: str | None = None
    """The same fact told twice has the same one; it holds no address."""

"""What the readers of the single kinds of mail find, before it is tied to our own message."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from crm_messaging.feedback import Verdict


@dataclass(frozen=True)
class Finding:
    """A verdict on one recipient."""

    verdict: Verdict
    recipient: str | None = None
    status: str = ""
    detail: str = ""
    """The words it was judged by, addresses and all."""
    occurred_at: datetime | None = None


def moment(date: str) -> datetime | None:
    """The moment that a date of RFC 5322 names, aware; `None` when it names none."""
    try:
        read = parsedate_to_datetime(date)
        return (read if read.tzinfo else read.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None

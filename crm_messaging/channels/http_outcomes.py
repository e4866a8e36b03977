"""What an HTTP provider's answer, or its silence, means for a message."""

from datetime import MAXYEAR, UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import httpx

from crm_messaging.channels.wording import without_addresses
from crm_messaging.message import Outcome, Outgoing, Receipt
from crm_store.storable import storable

# A POST that sends a message must not be repeated on a guess (RFC 9110 §9.2.2), so only what
# surely was not taken is deferred.
NOT_TAKEN_NOW = {408, 429, 503}
# The account, its password or the URL is wrong. That is a mistake in club.yaml, not in the
# customer's number, and must not reject her messages.
SET_UP_WRONG = {401, 403, 404, 405, 407}


def refused(message: Outgoing, answer: httpx.Response, said: str) -> Receipt:
    """The receipt for an answer that is not a success; `said` is the provider's own text."""
    status = answer.status_code
    detail = without_addresses(f"HTTP {status} {said}", message.recipient)
    if status in NOT_TAKEN_NOW:
        return later(message, answer, said)
    if status in SET_UP_WRONG or answer.is_redirect:
        return _receipt(message, Outcome.DEFERRED, detail, connected=False)
    if 400 <= status < 500:
        return never(message, answer, said)
    # A 500, 502 or 504 may come after the message was passed on; so may a success of a kind
    # that the settings do not name.
    return _receipt(message, Outcome.IN_DOUBT, detail)


def later(message: Outgoing, answer: httpx.Response, said: str) -> Receipt:
    """The provider said that it has not taken the message now."""
    detail = without_addresses(f"HTTP {answer.status_code} {said}", message.recipient)
    return _receipt(message, Outcome.DEFERRED, detail, retry_at=retry_at(answer))


def never(message: Outgoing, answer: httpx.Response, said: str) -> Receipt:
    """The provider said that it will not take the message."""
    detail = without_addresses(f"HTTP {answer.status_code} {said}", message.recipient)
    return _receipt(message, Outcome.REJECTED, detail)


def silent(message: Outgoing, error: httpx.RequestError) -> Receipt:
    """The receipt when no answer came."""
    detail = without_addresses(f"{type(error).__name__}: {error}", message.recipient)
    match error:
        case (
            httpx.ConnectError()
            | httpx.ConnectTimeout()
            | httpx.PoolTimeout()
            | httpx.ProxyError()
            | httpx.UnsupportedProtocol()
            | httpx.LocalProtocolError()
        ):
            return _receipt(message, Outcome.DEFERRED, detail, connected=False)
        case _:
            # Some of the request may have been read, and acted on.
            return _receipt(message, Outcome.IN_DOUBT, detail)


def accepted(message: Outgoing, provider_ref: str) -> Receipt:
    """The provider took it and gave it a reference."""
    reference = storable(provider_ref)  # what no database keeps would fail the whole commit
    return Receipt(message.touchpoint_id, Outcome.ACCEPTED, provider_ref=reference)


def unreadable(message: Outgoing, answer: httpx.Response) -> Receipt:
    """A success without the reference that should come with it: a proxy's page, or an error
    told with status 200. Taken or not, nobody knows."""
    detail = f"HTTP {answer.status_code} without a message id: {answer.text[:300]}"
    return _receipt(message, Outcome.IN_DOUBT, without_addresses(detail, message.recipient))


def retry_at(answer: httpx.Response) -> datetime | None:
    """The moment in Retry-After (RFC 9110 §10.2.3), UTC.

    Seconds count from the answer's own Date; without a Date they say nothing.
    """
    value = answer.headers.get("retry-after", "").strip()
    if not (value.isascii() and value.isdecimal()):
        return _moment(value)
    said_at = _moment(answer.headers.get("date", ""))
    # A day is as long as anybody means; more is a mistake.
    pause = timedelta(seconds=min(int(value[:9]), 86_400))
    return said_at + pause if said_at and said_at.year < MAXYEAR else None


def _moment(http_date: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(http_date)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _receipt(
    message: Outgoing,
    outcome: Outcome,
    detail: str,
    *,
    connected: bool = True,
    retry_at: datetime | None = None,
) -> Receipt:
    return Receipt(message.touchpoint_id, outcome, detail, connected=connected, retry_at=retry_at)

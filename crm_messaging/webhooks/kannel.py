"""What Kannel tells us: it fetches a URL for each delivery report and each incoming message.

The delivery report's URL is made in `crm_messaging.channels.kannel`. That of incoming messages
stands in Kannel's configuration:

    get-url = ".../hooks/kannel/incoming?key=...&id=%I&from=%q&coding=%c&charset=%C&text=%b"
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qs

from crm_messaging.feedback import Feedback, Verdict
from crm_messaging.incoming import IncomingText

_BY_TYPE = {
    "1": (Verdict.DELIVERED, "delivered to the phone"),
    "2": (Verdict.FAILED, "not delivered to the phone"),
    "4": (Verdict.DELAYED, "waiting at the operator"),
    "16": (Verdict.FAILED, "refused by the operator"),
}
"""User guide, chapter 10. 8, taken by the operator, is no news."""
_LATEST = 4_102_444_800
"""The year 2100, in seconds of Unix."""


def parameters(query: str) -> dict[str, str]:
    """The URL's parameters. What is percent-encoded is octets: one character is one octet."""
    read = parse_qs(query, keep_blank_values=True, encoding="latin-1", max_num_fields=50)
    return {name: values[0] for name, values in read.items()}


def feedback_of(told: Mapping[str, str]) -> Feedback | None:
    """What a delivery report says of a message; `None` when it is no news."""
    ours, kind = told.get("id"), told.get("type")
    if not ours or kind not in _BY_TYPE:
        return None
    verdict, words = _BY_TYPE[kind]
    return Feedback(
        verdict,
        "sms",
        occurred_at=_moment(told.get("at", "")),
        message_id=f"<{ours}>",
        provider_ref=told.get("ref") or None,
        recipient=told.get("to") or None,
        status=_error_code(told.get("answer", "")),
        detail=f"Kannel: {words}",
        source_id=f"kannel:{ours}:{kind}",
    )


def _moment(seconds: str) -> datetime | None:
    if not (
        seconds.isascii() and seconds.isdigit() and len(seconds) < 12 and 0 < int(seconds) < _LATEST
    ):
        return None
    return datetime.fromtimestamp(int(seconds), UTC)


def _error_code(answer: str) -> str:
    """`NACK/0x0000000b/Invalid Destination Address` → `0x0000000b` (SMPP 3.4, section 5.1.3)."""
    parts = answer.split("/")
    return parts[1][:16] if len(parts) > 1 and parts[1].startswith("0x") else ""


def incoming_of(told: Mapping[str, str]) -> IncomingText | None:
    """The text message that a customer wrote; `None` when it is not one."""
    sender, message = told.get("from"), told.get("id")
    if not sender or not message or "text" not in told:
        return None
    octets = told["text"].encode("latin-1", "replace")
    return IncomingText("sms", sender, _decoded(octets, told), message)


def _decoded(octets: bytes, told: Mapping[str, str]) -> str:
    """Kannel names the alphabet that it has turned the text into; octets may be anything."""
    charset = told.get("charset", "").lower()
    if told.get("coding") == "2" or charset.startswith("utf-16"):
        return octets.decode("utf-16-be", "replace")
    return octets.decode("cp1252" if charset == "windows-1252" else "utf-8", "replace")

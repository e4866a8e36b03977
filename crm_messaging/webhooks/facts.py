"""What every provider's report is made into: the parts of a `Feedback` that all have in common."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from crm_messaging.bounces.meaning import verdict_of_failure
from crm_messaging.channels.wording import without_addresses
from crm_messaging.feedback import Feedback, Verdict

OURS = "sampark"
"""The name under which our Message-ID rides in a provider's metadata, tags or variables."""

_EARLIEST, _LATEST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)


def fact(
    verdict: Verdict,
    *,
    recipient: str = "",
    provider_ref: str = "",
    message_id: str = "",
    occurred_at: datetime | None = None,
    status: str = "",
    said: str = "",
    told_as: str = "",
    about: str = "",
    return_path: str = "",
) -> Feedback:
    """A fact about an e-mail.

    `said` is what the last server, or the provider, says in words. `told_as` is the provider's
    own id of the fact; without it, what the fact is about stands for it (`about` tells apart
    what is alike otherwise: the links of two clicks in one second). A fact about nobody knows
    which message at nobody knows what time has no id: two of them may well be two.
    """
    identity = told_as
    if not told_as and (provider_ref or message_id or occurred_at):
        parts = (verdict, recipient.lower(), provider_ref, message_id, occurred_at, about)
        identity = "|".join(str(part or "") for part in parts)
    return Feedback(
        verdict=verdict,
        channel="email",
        occurred_at=occurred_at,
        message_id=bracketed(message_id) or None,
        provider_ref=provider_ref or None,
        recipient=recipient or None,
        return_path=return_path or None,
        status=status[:20],
        detail=without_addresses(said, recipient),
        source_id=_digest(identity) if identity else None,
    )


def _digest(identity: str) -> str:
    return hashlib.sha256(identity.encode("utf-8", "replace")).hexdigest()[:40]


def bounced(claimed: Verdict, said: str, status: str = "") -> Verdict:
    """A provider's own class of a bounce, made milder where the server's answer speaks against it.

    Providers call much "hard" that says nothing of the address: a blocked sender, a full mailbox.
    """
    if claimed is not Verdict.HARD_BOUNCE:
        return claimed
    read, _ = verdict_of_failure(said, status)
    return read if read in (Verdict.BLOCKED, Verdict.MAILBOX_FULL) else claimed


def bracketed(message_id: str) -> str:
    """`a@b` → `<a@b>`; providers write it both ways."""
    bare = message_id.strip().strip("<>")
    return f"<{bare}>" if bare and "@" in bare else ""


def from_epoch(seconds: Any) -> datetime | None:
    """A Unix time in seconds, or in milliseconds where it would be far in the future."""
    try:
        number = float(seconds)
        return _sensible(datetime.fromtimestamp(number / 1000 if number > 1e11 else number, UTC))
    except (TypeError, ValueError, OverflowError, OSError):
        return None


def from_iso(written: str) -> datetime | None:
    """ISO 8601 with any number of digits of a second; UTC where no offset is written."""
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return None
    return _sensible(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def metadata_in(written: Any) -> Any:
    """Metadata that a provider gives back as it was sent: a JSON object in a text."""
    if not isinstance(written, str):
        return written
    try:
        return json.loads(written)
    except (ValueError, RecursionError):
        return None


def _sensible(moment: datetime) -> datetime | None:
    return moment if _EARLIEST < moment < _LATEST else None

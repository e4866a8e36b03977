"""Mailgun's webhooks, today's and those that it calls legacy.

Format: https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhooks
"""

import hashlib
import hmac
from datetime import datetime, timedelta

from crm_messaging.bounces.meaning import verdict_of_failure
from crm_messaging.feedback import Feedback, Verdict
from crm_messaging.webhooks.facts import OURS, fact, from_epoch
from crm_messaging.webhooks.posted import (
    FORM,
    Fields,
    Forged,
    Malformed,
    Posted,
    inner,
    octets,
    text,
)

FRESH = timedelta(days=1)
"""Mailgun repeats for eight hours. An older signature is refused: the inbox remembers the token
of a used one for longer."""

_EVENTS = {
    "delivered": Verdict.DELIVERED,
    "opened": Verdict.OPENED,
    "clicked": Verdict.CLICKED,
    "complained": Verdict.COMPLAINT,
    "unsubscribed": Verdict.UNSUBSCRIBED,
    "rejected": Verdict.BLOCKED,
}
"""The same today and in legacy webhooks; failures need a second look."""
_OWN_LIST = {
    "suppress-bounce": Verdict.HARD_BOUNCE,
    "suppress-complaint": Verdict.COMPLAINT,
    "suppress-unsubscribe": Verdict.UNSUBSCRIBED,
    "605": Verdict.HARD_BOUNCE,
    "606": Verdict.UNSUBSCRIBED,
    "607": Verdict.COMPLAINT,
}
"""Why Mailgun did not even try, by reason, or by its own code in a legacy webhook."""


def verify(posted: Posted, secret: str, now: datetime) -> None:
    """Raise `Forged` unless the signature in the body is fresh and made with the secret.

    It covers the time and a token, not the rest of the body: so each token counts once.
    """
    timestamp, token, signature = (_signed(posted, name) for name in _SIGNED)
    made = hmac.new(octets(secret), octets(timestamp + token), hashlib.sha256).hexdigest()
    if not token or not hmac.compare_digest(octets(signature), octets(made)):
        raise Forged
    signed_at = from_epoch(timestamp)
    if signed_at is None or abs(now - signed_at) > FRESH:
        raise Forged


def source_id(posted: Posted) -> str:
    """The token: whatever body comes with it a second time is a replay."""
    return _signed(posted, "token")


def read(posted: Posted) -> list[Feedback]:
    """The fact in an event, if it is one."""
    found = _legacy(posted) if _is_form(posted) else _today(posted)
    return [] if found is None else [found]


_SIGNED = ("timestamp", "token", "signature")


def _is_form(posted: Posted) -> bool:
    return posted.content_type == FORM


def _signed(posted: Posted, name: str) -> str:
    if _is_form(posted):
        # Of two values the last is Mailgun's own; the first may be a variable of a message.
        return posted.form.get(name, [""])[-1]
    return text(posted.object, "signature", name)


def _today(posted: Posted) -> Feedback | None:
    event = inner(posted.object, "event-data")
    if not isinstance(event, dict):
        raise Malformed("There is no event in the body.")
    status = event.get("delivery-status")
    said = text(status, "message") or text(status, "description") or text(event, "reject", "reason")
    kind, code = text(event, "event"), text(status, "enhanced-code") or text(status, "code")
    verdict = _EVENTS.get(kind)
    if kind == "failed":
        verdict = (
            Verdict.DELAYED
            if text(event, "severity") == "temporary"
            else _failure(text(event, "reason"), said, code)
        )
    if verdict is None:
        return None
    return fact(
        verdict,
        recipient=text(event, "recipient") or _bare(text(event, "message", "headers", "to")),
        message_id=text(event, "user-variables", OURS)
        or text(event, "message", "headers", "message-id"),
        occurred_at=from_epoch(event.get("timestamp")),
        status=code,
        said=said,
        # Its ids are unique for a day.
        told_as=text(event, "id") and f"{text(event, 'id')} {text(event, 'timestamp')}",
        about=text(event, "url"),
        return_path=text(event, "envelope", "sender"),
    )


def _legacy(posted: Posted) -> Feedback | None:
    event: Fields = {name: values[0] for name, values in posted.form.items()}
    kind, code = text(event, "event"), text(event, "code")
    if not kind:
        raise Malformed(
            "This is no report on a message; it may be a route for mail that Mailgun receives.",
            "Give the route another address.",
        )
    said = text(event, "error") or text(event, "description") or text(event, "notification")
    verdict = _EVENTS.get(kind)
    if kind in ("bounced", "dropped"):
        verdict = _failure(code, said, code)
    if verdict is None:
        return None
    return fact(
        verdict,
        recipient=text(event, "recipient"),
        message_id=text(event, OURS) or text(event, "Message-Id") or text(event, "message-id"),
        occurred_at=from_epoch(_signed(posted, "timestamp")),
        status=code,
        said=said,
        about=text(event, "url"),
    )


def _failure(reason: str, said: str, code: str) -> Verdict:
    """Mailgun calls permanent all that it tries no more: only the answer says what was wrong."""
    if reason in _OWN_LIST:
        return _OWN_LIST[reason]
    verdict, _ = verdict_of_failure(f"{code} {said}", code)
    return verdict


def _bare(mailbox: str) -> str:
    """`Asha <asha@example.org>` → the address."""
    return mailbox.rpartition("<")[2].strip("> ")

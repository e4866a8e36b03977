"""SendGrid's signed event webhook.

Format: https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
"""

import re

from crm_messaging.feedback import Feedback, Verdict
from crm_messaging.webhooks.facts import OURS, bounced, fact, from_epoch
from crm_messaging.webhooks.keys import check_ecdsa, p256_key
from crm_messaging.webhooks.posted import Fields, Posted, octets, text
from crm_messaging.webhooks.settings import SendgridWebhook

SIGNATURE = "x-twilio-email-event-webhook-signature"
TIMESTAMP = "x-twilio-email-event-webhook-timestamp"

_EVENTS = {
    "delivered": Verdict.DELIVERED,
    "deferred": Verdict.DELAYED,
    "open": Verdict.OPENED,
    "click": Verdict.CLICKED,
    "spamreport": Verdict.COMPLAINT,
    "unsubscribe": Verdict.UNSUBSCRIBED,
    "group_unsubscribe": Verdict.UNSUBSCRIBED,
}
"""Others, such as `processed`, tell nothing new. `bounce` and `dropped` need a second look."""

_DROPPED = {
    "bounced address": Verdict.HARD_BOUNCE,
    "invalid": Verdict.HARD_BOUNCE,
    "unsubscribed address": Verdict.UNSUBSCRIBED,
    "spam reporting address": Verdict.COMPLAINT,
}
_NOT_THE_ADDRESS = {
    "content": Verdict.BLOCKED,
    "reputation": Verdict.BLOCKED,
    "frequency or volume too high": Verdict.BLOCKED,
    "technical failure": Verdict.SOFT_BOUNCE,
    "mailbox unavailable": Verdict.SOFT_BOUNCE,
}
"""Classes of bounces that SendGrid itself does not take for a wrong address."""
_FILTER = re.compile(r"\.(filter|recvd)")


def verify(posted: Posted, settings: SendgridWebhook) -> None:
    """Raise `Forged` unless SendGrid signed the timestamp and the raw body."""
    signed = octets(posted.headers.get(TIMESTAMP, "")) + posted.body
    check_ecdsa(p256_key(settings.public_key), posted.headers.get(SIGNATURE, ""), signed)


def read(posted: Posted) -> list[Feedback]:
    """The facts in a batch of events."""
    return [
        _fact(verdict, event)
        for event in posted.objects
        if (verdict := _verdict(event)) is not None
    ]


def _verdict(event: Fields) -> Verdict | None:
    kind = text(event, "event")
    if kind == "dropped":
        return _DROPPED.get(text(event, "reason").lower(), Verdict.BLOCKED)
    if kind != "bounce":
        return _EVENTS.get(kind)
    if text(event, "type") == "blocked":
        return Verdict.BLOCKED
    classed = _NOT_THE_ADDRESS.get(text(event, "bounce_classification").lower())
    return bounced(classed or Verdict.HARD_BOUNCE, text(event, "reason"), text(event, "status"))


def _not_its_own(smtp_id: str) -> str:
    """The Message-ID that a mail came with; SendGrid makes one for a mail without."""
    return "" if "@ismtpd" in smtp_id else smtp_id


def _fact(verdict: Verdict, event: Fields) -> Feedback:
    return fact(
        verdict,
        recipient=text(event, "email"),
        # SendGrid's own id of the message, without what its servers add on the way.
        provider_ref=_FILTER.split(text(event, "sg_message_id"))[0],
        message_id=text(event, OURS) or _not_its_own(text(event, "smtp-id")),
        occurred_at=from_epoch(event.get("timestamp")),
        status=text(event, "status"),
        said=text(event, "reason") or text(event, "response"),
        told_as=text(event, "sg_event_id"),
        about=text(event, "url"),
    )

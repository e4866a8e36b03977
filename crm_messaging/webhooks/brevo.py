"""Brevo's webhook for transactional e-mail, single or batched.

Format: https://developers.brevo.com/docs/transactional-webhooks
"""

from crm_messaging.feedback import Feedback, Verdict
from crm_messaging.webhooks.facts import (
    OURS,
    bounced,
    bracketed,
    fact,
    from_epoch,
    metadata_in,
)
from crm_messaging.webhooks.posted import Fields, Malformed, Posted, text

_EVENTS = {
    "delivered": Verdict.DELIVERED,
    "deferred": Verdict.DELAYED,
    "soft_bounce": Verdict.SOFT_BOUNCE,
    "hard_bounce": Verdict.HARD_BOUNCE,
    "invalid_email": Verdict.HARD_BOUNCE,
    "blocked": Verdict.BLOCKED,
    "error": Verdict.SOFT_BOUNCE,
    "spam": Verdict.COMPLAINT,
    "complaint": Verdict.COMPLAINT,
    "unsubscribe": Verdict.UNSUBSCRIBED,
    "unsubscribed": Verdict.UNSUBSCRIBED,
    "opened": Verdict.OPENED,
    "unique_opened": Verdict.OPENED,
    "proxy_open": Verdict.OPENED,
    "unique_proxy_open": Verdict.OPENED,
    "click": Verdict.CLICKED,
}
"""Others, such as `request`, tell nothing new."""


def read(posted: Posted) -> list[Feedback]:
    """The facts in an event, or in a batch of them."""
    return [found for event in posted.objects if (found := _fact(event)) is not None]


def _fact(event: Fields) -> Feedback | None:
    if "items" in event:
        raise Malformed(
            "This is Brevo's webhook for mail that it receives.",
            "Give it the webhook for transactional e-mail.",
        )
    verdict = _EVENTS.get(text(event, "event"))
    if verdict is None:
        return None
    said = text(event, "reason")
    message_id = bracketed(text(event, "message-id"))
    moments = (from_epoch(event.get(one)) for one in ("ts_epoch", "s_epoch", "ts_event", "ts"))
    return fact(
        bounced(verdict, said),
        recipient=text(event, "email"),
        provider_ref=message_id,
        # Through its SMTP relay a mail keeps the Message-ID that it came with.
        message_id=text(metadata_in(event.get("X-Mailin-custom")), OURS) or message_id,
        occurred_at=next(filter(None, moments), None),
        said=said,
        about=text(event, "link"),
    )

"""UniSender Go's webhook, in its two forms: grouped by user, and one event a call.

Format: https://godocs.unisender.ru/web-api-ref#callback-format
"""

import hashlib
from collections.abc import Iterator
from hmac import compare_digest

from crm_messaging.feedback import Feedback, Verdict
from crm_messaging.webhooks.facts import OURS, bounced, fact, from_iso, metadata_in
from crm_messaging.webhooks.posted import Fields, Forged, Posted, each, inner, octets, text

_STATUSES = {
    "delivered": Verdict.DELIVERED,
    "opened": Verdict.OPENED,
    "clicked": Verdict.CLICKED,
    "unsubscribed": Verdict.UNSUBSCRIBED,
    "spam": Verdict.COMPLAINT,
    "soft_bounced": Verdict.SOFT_BOUNCE,
    "hard_bounced": Verdict.HARD_BOUNCE,
}
"""Others, such as `sent`, tell nothing new."""
_DELIVERY = {
    "err_user_unknown": Verdict.HARD_BOUNCE,
    "err_user_inactive": Verdict.HARD_BOUNCE,
    "err_mailbox_discarded": Verdict.HARD_BOUNCE,
    "err_domain_inactive": Verdict.HARD_BOUNCE,
    "err_mailbox_full": Verdict.MAILBOX_FULL,
    "err_will_retry": Verdict.DELAYED,
    "err_unsubscribed": Verdict.UNSUBSCRIBED,
    "err_spam_rejected": Verdict.BLOCKED,
    "err_spam_skipped": Verdict.BLOCKED,
    "err_blacklisted": Verdict.BLOCKED,
    "err_too_large": Verdict.BLOCKED,
    "err_delivery_failed": Verdict.SOFT_BOUNCE,
    "err_unreachable": Verdict.SOFT_BOUNCE,
    "err_destination_misconfigured": Verdict.SOFT_BOUNCE,
    "err_skip_letter": Verdict.SOFT_BOUNCE,
    "err_lost": Verdict.SOFT_BOUNCE,
}
"""What the detail of a bounce says, by `delivery_status`: it knows better than hard or soft."""


_MD5_LENGTH = 32


def verify(posted: Posted, api_key: str) -> None:
    """Raise `Forged` unless `auth` is the MD5 of the body with the API key in its place.

    MD5 and the form are UniSender's. It is taken over the octets as they came.
    """
    auth = text(posted.object, "auth")
    if len(auth) != _MD5_LENGTH or posted.body.count(octets(auth)) != 1:
        raise Forged
    keyed = posted.body.replace(octets(auth), octets(api_key))
    made = hashlib.md5(keyed, usedforsecurity=False).hexdigest()
    if not compare_digest(octets(auth), octets(made)):
        raise Forged


def read(posted: Posted) -> list[Feedback]:
    """The facts in a call."""
    return [found for event in _events(posted.object) if (found := _fact(event)) is not None]


def _events(call: Fields) -> Iterator[object]:
    if "events_by_user" not in call:
        yield call
    for user in each(call, "events_by_user"):
        for event in each(user, "events"):
            if text(event, "event_name") == "transactional_email_status":
                yield inner(event, "event_data")


def _fact(event: object) -> Feedback | None:
    verdict = _STATUSES.get(text(event, "status"))
    if verdict is None:
        return None
    said = text(event, "delivery_info", "destination_response")
    detail = text(event, "delivery_info", "delivery_status")
    if verdict in (Verdict.SOFT_BOUNCE, Verdict.HARD_BOUNCE):
        verdict = bounced(_DELIVERY.get(detail, verdict), said)
    return fact(
        verdict,
        recipient=text(event, "email"),
        provider_ref=text(event, "job_id"),
        message_id=text(metadata_in(inner(event, "metadata")), OURS),
        occurred_at=from_iso(text(event, "event_time")),
        status=detail,
        said=said,
        about=text(event, "url"),
    )

"""Postmark's webhooks: delivery, bounce, spam complaint, open, click, subscription change.

Format: https://postmarkapp.com/developer/webhooks/webhooks-overview
"""

from crm_messaging.feedback import Feedback, Verdict
from crm_messaging.webhooks.facts import OURS, bounced, fact, from_iso
from crm_messaging.webhooks.posted import Fields, Malformed, Posted, text

_RECORDS = {
    "Delivery": Verdict.DELIVERED,
    "Open": Verdict.OPENED,
    "Click": Verdict.CLICKED,
    "SpamComplaint": Verdict.COMPLAINT,
}
_BOUNCES = {
    "HardBounce": Verdict.HARD_BOUNCE,
    "BadEmailAddress": Verdict.HARD_BOUNCE,
    "Transient": Verdict.DELAYED,
    "DnsError": Verdict.SOFT_BOUNCE,
    "SoftBounce": Verdict.SOFT_BOUNCE,
    "Unsubscribe": Verdict.UNSUBSCRIBED,
    "SpamNotification": Verdict.COMPLAINT,
    "SpamComplaint": Verdict.COMPLAINT,
    "AutoResponder": Verdict.AUTO_REPLY,
    "AddressChange": Verdict.AUTO_REPLY,
    "ChallengeVerification": Verdict.AUTO_REPLY,
    "Subscribe": None,
    "OpenRelayTest": None,
}
"""By `Type`. What is not here was refused, but not for the address: blocked."""
_SUPPRESSIONS = {
    "HardBounce": Verdict.HARD_BOUNCE,
    "SpamComplaint": Verdict.COMPLAINT,
    "ManualSuppression": Verdict.UNSUBSCRIBED,
}
_TIMES = ("DeliveredAt", "BouncedAt", "ReceivedAt", "ChangedAt")


def read(posted: Posted) -> list[Feedback]:
    """The fact in a record, if it is one."""
    record = posted.object
    verdict = _verdict(record)
    if verdict is None:
        return []
    said = text(record, "Details") or text(record, "Description")
    if text(record, "RecordType") == "Bounce":
        verdict = bounced(verdict, said)
    told_as = text(record, "ID") and f"{text(record, 'RecordType')} {text(record, 'ID')}"
    return [
        fact(
            verdict,
            recipient=text(record, "Recipient") or text(record, "Email"),
            provider_ref=text(record, "MessageID"),
            message_id=text(record, "Metadata", OURS),
            occurred_at=from_iso(next(filter(None, (text(record, one) for one in _TIMES)), "")),
            said=said,
            told_as=told_as,
            about=text(record, "OriginalLink"),
        )
    ]


def _verdict(record: Fields) -> Verdict | None:
    kind = text(record, "RecordType")
    if kind == "Inbound" or "FromFull" in record:
        raise Malformed(
            "This is Postmark's webhook for mail that it receives.",
            "Give it the webhooks of a message stream for mail that is sent.",
        )
    if kind == "Bounce":
        return _BOUNCES.get(text(record, "Type"), Verdict.BLOCKED)
    if kind == "SubscriptionChange":
        # Who is subscribed again at the provider has not thereby agreed to our messages.
        if record.get("SuppressSending") is not True:
            return None
        return _SUPPRESSIONS.get(text(record, "SuppressionReason"), Verdict.UNSUBSCRIBED)
    return _RECORDS.get(kind)

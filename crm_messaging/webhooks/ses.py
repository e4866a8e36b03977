"""Amazon SES, through Amazon SNS: bounce, complaint and delivery notifications, and the events of
a configuration set.

Formats: https://docs.aws.amazon.com/sns/latest/dg/http-notification-json.html and
https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from crm_messaging.feedback import Feedback, Verdict
from crm_messaging.webhooks.facts import bounced, fact, from_iso
from crm_messaging.webhooks.keys import check_rsa
from crm_messaging.webhooks.posted import (
    Fields,
    Forged,
    Malformed,
    Posted,
    each,
    inner,
    octets,
    text,
)
from crm_messaging.webhooks.settings import SesWebhook

_SNS_HOST = re.compile(r"sns\.[a-z]{2}(-[a-z]+){1,2}-\d\.amazonaws\.com(\.cn)?")
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[0-9a-zA-Z]{1,64}\.pem")
_ALGORITHMS = {"1": SHA1(), "2": SHA256()}  # noqa: S303 - SNS signs with SHA-1 unless told not to
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": (
        *("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
    ),
}
_SIGNED["UnsubscribeConfirmation"] = _SIGNED["SubscriptionConfirmation"]

_TRANSIENT = {
    "MailboxFull": Verdict.MAILBOX_FULL,
    "MessageTooLarge": Verdict.BLOCKED,
    "ContentRejected": Verdict.BLOCKED,
    "AttachmentRejected": Verdict.BLOCKED,
}


def certificate_url(posted: Posted, settings: SesWebhook) -> str:
    """Where the certificate of the key lies that signed the request: at Amazon SNS itself.

    Raises `Forged` for any other place, where anybody could put one, and for a topic that is not
    the club's: anybody can have topics.
    """
    envelope = posted.object
    url = text(envelope, "SigningCertURL")
    path = _path_at_sns(url)
    if text(envelope, "TopicArn") not in settings.topics:
        raise Forged
    if path is None or not _CERTIFICATE.fullmatch(path):
        raise Forged
    return url


def verify(posted: Posted, certificate: bytes) -> None:
    """Raise `Forged` unless the key in the certificate signed the request."""
    envelope = posted.object
    names = _SIGNED.get(text(envelope, "Type"))
    algorithm = _ALGORITHMS.get(text(envelope, "SignatureVersion"))
    if names is None or algorithm is None:
        raise Forged
    # The Subject is left out where there is none.
    values = ((name, envelope.get(name)) for name in names)
    signed = "".join(f"{name}\n{value}\n" for name, value in values if value is not None)
    check_rsa(certificate, text(envelope, "Signature"), octets(signed), algorithm)


def source_id(posted: Posted) -> str:
    """SNS repeats a message with the same MessageId."""
    return text(posted.object, "MessageId") or posted.digest()


def subscribe_url(posted: Posted) -> str | None:
    """The address to visit so that a topic may send here; `None` for an ordinary message.

    Raises `Malformed` when it does not lead to Amazon SNS.
    """
    if text(posted.object, "Type") != "SubscriptionConfirmation":
        return None
    url = text(posted.object, "SubscribeURL")
    if _path_at_sns(url) is None:
        raise Malformed("The address that would confirm the subscription is not of Amazon SNS.")
    return url


def read(posted: Posted) -> list[Feedback]:
    """The facts in a notification, one for each recipient."""
    envelope = posted.object
    if text(envelope, "Type") != "Notification":
        return []
    message = Posted(octets(str(envelope.get("Message", "")))).object
    kind = text(message, "eventType") or text(message, "notificationType")
    if kind == "Received":
        raise Malformed(
            "This topic tells of mail that SES receives.",
            "Give it a topic that tells of bounces, complaints and deliveries.",
        )
    return list(_facts(kind, message))


def _facts(kind: str, message: Fields) -> Iterator[Feedback]:
    match kind:
        case "Bounce":
            for one in each(message, "bounce", "bouncedRecipients"):
                said, status = text(one, "diagnosticCode"), text(one, "status")
                verdict = bounced(_bounce(inner(message, "bounce")), said, status)
                yield _fact(verdict, message, "bounce", one, said, status)
        case "Complaint":
            if text(message, "complaint", "complaintFeedbackType") != "not-spam":
                for one in each(message, "complaint", "complainedRecipients"):
                    yield _fact(Verdict.COMPLAINT, message, "complaint", one)
        case "Delivery":
            said = text(message, "delivery", "smtpResponse")
            for one in each(message, "delivery", "recipients"):
                yield _fact(Verdict.DELIVERED, message, "delivery", one, said)
        case "DeliveryDelay":
            for one in each(message, "deliveryDelay", "delayedRecipients"):
                said, status = text(one, "diagnosticCode"), text(one, "status")
                yield _fact(Verdict.DELAYED, message, "deliveryDelay", one, said, status)
        case "Open" | "Click":
            verdict = Verdict.OPENED if kind == "Open" else Verdict.CLICKED
            yield _fact(verdict, message, kind.lower(), _only_recipient(message))
        case "Reject" | "Rendering Failure":
            part = "reject" if kind == "Reject" else "failure"
            said = text(message, part, "reason") or text(message, part, "errorMessage")
            for one in each(message, "mail", "destination"):
                yield _fact(Verdict.BLOCKED, message, part, one, said)
        case "Subscription":
            if inner(message, "subscription", "newTopicPreferences", "unsubscribeAll") is True:
                one = _only_recipient(message)
                yield _fact(Verdict.UNSUBSCRIBED, message, "subscription", one)


def _bounce(bounce: Any) -> Verdict:
    if text(bounce, "bounceType") == "Permanent":
        return Verdict.HARD_BOUNCE
    return _TRANSIENT.get(text(bounce, "bounceSubType"), Verdict.SOFT_BOUNCE)


def _fact(
    verdict: Verdict, message: Fields, part: str, one: Any, said: str = "", status: str = ""
) -> Feedback:
    return fact(
        verdict,
        recipient=one if isinstance(one, str) else text(one, "emailAddress"),
        provider_ref=text(message, "mail", "messageId"),
        message_id=_our_message_id(message),
        occurred_at=_moment(message, part),
        status=status,
        said=said,
        about=text(message, part, "link"),
        return_path=text(message, "mail", "source"),
    )


def _moment(message: Fields, part: str) -> datetime | None:
    written = text(message, part, "timestamp") or text(message, "mail", "timestamp")
    return from_iso(written)


def _our_message_id(message: Fields) -> str:
    """As we wrote it; SES puts its own into the mail that leaves."""
    for header in each(message, "mail", "headers"):
        if text(header, "name").lower() == "message-id":
            return text(header, "value")
    return ""


def _only_recipient(message: Fields) -> str:
    """Opens and clicks name nobody; our mails have one recipient each."""
    everybody = [one for one in each(message, "mail", "destination") if isinstance(one, str)]
    return everybody[0] if len(everybody) == 1 else ""


def _path_at_sns(url: str) -> str | None:
    """The path of an address that leads to Amazon SNS and nowhere else; else `None`."""
    try:
        parts = urlsplit(url)
        is_plain = parts.scheme == "https" and parts.netloc == parts.hostname
    except ValueError:
        return None
    return parts.path if is_plain and _SNS_HOST.fullmatch(parts.netloc) else None

"""What Twilio tells us: status callbacks and incoming messages, both signed.

https://www.twilio.com/docs/usage/security describes the signature.
"""

import hmac
import re
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha1, sha256
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from crm_messaging.feedback import Feedback, Verdict
from crm_messaging.incoming import IncomingText
from crm_messaging.reply_words import Wish

SIGNATURE_HEADER = "x-twilio-signature"

_BY_STATUS = {
    "delivered": Verdict.DELIVERED,
    "read": Verdict.DELIVERED,
    "undelivered": Verdict.FAILED,
    "failed": Verdict.FAILED,
}
"""Others (queued, sending, sent, ...) say nothing that the ledger does not know."""
_BY_CODE = {
    "21211": Verdict.HARD_BOUNCE,  # no valid number
    "21614": Verdict.HARD_BOUNCE,  # no mobile number
    "30005": Verdict.HARD_BOUNCE,  # unknown, or no longer in use
    "21610": Verdict.UNSUBSCRIBED,  # she wrote STOP to Twilio
    "30004": Verdict.BLOCKED,
    "30007": Verdict.BLOCKED,  # taken for spam by her operator
    "30034": Verdict.BLOCKED,  # the sender is not registered
}
_WISHES = {"STOP": Wish.STOP, "START": Wish.START, "HELP": Wish.HELP}


def is_signed(
    token: str, url: str, signature: str, *, form: Sequence[tuple[str, str]], body: bytes
) -> bool:
    """Whether a request to `url` bears Twilio's signature; an empty `form` means another body.

    `url` is the one that Twilio was given, with its parameters. A form is signed with it; the
    SHA-256 of any other body stands in the parameter `bodySHA256`.
    """
    if not form:
        said = parse_qs(urlsplit(url).query).get("bodySHA256", [""])[0]
        if body and not hmac.compare_digest(sha256(body).hexdigest(), said.lower()):
            return False
    pairs = "".join(name + value for name, value in sorted(set(form)))
    return any(
        hmac.compare_digest(_signature(token, spelling + pairs), signature.encode())
        for spelling in _spellings(url)
    )


def _signature(token: str, text: str) -> bytes:
    return b64encode(hmac.digest(token.encode(), text.encode(), sha1))


def _spellings(url: str) -> Iterator[str]:
    """The URL with and without its port: Twilio signs it in either way."""
    yield url
    parts = urlsplit(url)
    if parts.port is not None:
        yield parts._replace(netloc=parts.netloc.rpartition(":")[0]).geturl()
    else:
        port = 443 if parts.scheme == "https" else 80
        yield parts._replace(netloc=f"{parts.netloc}:{port}").geturl()


def source_id_of(form: Mapping[str, str]) -> str | None:
    """The same for the same news; `None` when it is about no message."""
    message = form.get("MessageSid") or form.get("SmsSid")
    return f"{message}:{_status(form)}" if message else None


def feedback_of(form: Mapping[str, str]) -> Feedback | None:
    """What a status callback says of a message; `None` when it is no news, or no callback."""
    message, status = form.get("MessageSid") or form.get("SmsSid"), _status(form)
    if not message or status not in _BY_STATUS:
        return None
    code = form.get("ErrorCode", "")
    verdict = _BY_STATUS[status]
    if verdict is Verdict.FAILED:
        verdict = _BY_CODE.get(code, verdict)
    return Feedback(
        verdict,
        "sms",
        provider_ref=message,
        recipient=form.get("To"),
        status=code if re.fullmatch(r"\d{1,6}", code) else "",
        detail=f"Twilio: {status}" + (f", error {code}" if code.isdigit() else ""),
        source_id=f"twilio:{message}:{status}",
    )


def incoming_of(form: Mapping[str, str]) -> IncomingText | None:
    """The text message that a customer wrote; `None` for a status callback."""
    message, sender = form.get("MessageSid") or form.get("SmsSid"), form.get("From")
    if not message or not sender or _status(form) != "received":
        return None
    wish = _WISHES.get(form.get("OptOutType", ""))
    return IncomingText("sms", sender, form.get("Body", ""), message, wish)


def _status(form: Mapping[str, str]) -> str:
    return (form.get("MessageStatus") or form.get("SmsStatus") or "").lower()


def twiml(text: str) -> bytes:
    """What Twilio is answered to an incoming message: send `text` back, or nothing."""
    said = f"<Message>{escape(text)}</Message>" if text else ""
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{said}</Response>'.encode()

"""Reading a caught message back. It may be anything at all: nothing in it is trusted."""

import email
import json
import re
from dataclasses import dataclass
from email.message import Message

from inscriptis import get_text

from crm_messaging.mime_words import decoded_words
from crm_store.charsets import charset_named

_LANG = re.compile(r"<html[^>]*\blang=[\"']?([A-Za-z-]{2,12})", re.IGNORECASE)
_SCRIPTS = (("hi", re.compile("[\u0900-\u097f]")), ("ru", re.compile("[\u0400-\u04ff]")))


@dataclass(frozen=True)
class CaughtEmail:
    """An e-mail taken apart. `sender` and `recipient` are the envelope's, not the headers'."""

    sender: str
    recipient: str
    subject: str
    language: str
    """A code such as `hi`, or empty when nothing tells."""
    html: str
    text: str
    headers: tuple[tuple[str, str], ...]
    """As they stand in the message, decoded, in order."""


@dataclass(frozen=True)
class CaughtSms:
    """A text message as the provider would have got it."""

    sender: str
    recipient: str
    body: str
    sid: str
    """The provider's reference that was given back."""

    @property
    def language(self) -> str:
        return _language_of(self.body)


def read_email(raw: bytes) -> CaughtEmail:
    """Take a stored e-mail apart; what cannot be decoded is replaced, never refused."""
    # The older policy: the newer one raises on some malformed headers.
    message = email.message_from_bytes(raw)
    headers = tuple((name, _decoded(str(value))) for name, value in message.items())
    first = {name.lower(): value for name, value in reversed(headers)}
    html, text = _part(message, "text/html"), _part(message, "text/plain")
    declared = first.get("content-language", "") or "".join(_LANG.findall(html)[:1])
    return CaughtEmail(
        sender=first.get("return-path", "").strip("<> "),
        recipient=first.get("delivered-to", ""),
        subject=first.get("subject", ""),
        language=declared or _language_of(text),
        html=html,
        text=text or (get_text(html) if html else ""),
        headers=headers,
    )


def read_sms(raw: bytes) -> CaughtSms:
    """A stored text message."""
    return CaughtSms(**json.loads(raw))


def _part(message: Message, kind: str) -> str:
    for part in message.walk():
        if part.get_content_type() == kind and part.get_content_disposition() != "attachment":
            payload = part.get_payload(decode=True)
            if isinstance(payload, bytes):
                return _text(payload, part.get_content_charset())
    return ""


def _decoded(header: str) -> str:
    """A header's text with its encoded words read and its folding undone."""
    return " ".join(decoded_words(header).split())


def _text(octets: bytes, charset: str | None) -> str:
    return octets.decode(charset_named(charset) or "utf-8", "replace")


def _language_of(text: str) -> str:
    return next((code for code, script in _SCRIPTS if script.search(text)), "")

"""The bytes of an e-mail: RFC 5322 and RFC 2045 to 2047, built directly.

The standard library's `EmailMessage` takes longer than everything else a message costs. What it
makes of these bytes when it reads them is this module's test.
"""

import re
from binascii import b2a_base64
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime, parseaddr
from hashlib import sha256

from email_validator import EmailNotValidError, validate_email

from crm_messaging.message import EmailParts
from crm_messaging.mime_words import MAX_LINE, BadHeader, phrase, structured, unstructured
from crm_store.errors import SamparkError

_PLAIN_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_OURS = frozenset(
    {"from", "to", "cc", "bcc", "sender", "return-path", "subject", "date", "message-id"}
    | {"mime-version", "content-type", "content-transfer-encoding"}
)


class BadAddress(SamparkError):
    """An address, or the name beside it, that cannot be written into a message."""


@dataclass(frozen=True)
class Mailbox:
    """A name, perhaps empty, and an address."""

    name: str
    address: str


def message_id_for(key: str, domain: str) -> str:
    """`<...@domain>`: the same key and domain give the same Message-ID, whenever and wherever."""
    digest = sha256(key.encode()).hexdigest()[:40]
    return f"<{digest}@{ascii_domain(domain)}>"


def build_email(
    parts: EmailParts,
    *,
    sender: Mailbox,
    recipient: Mailbox,
    message_id: str,
    date: datetime,
    headers: Mapping[str, str],
) -> bytes:
    """A multipart/alternative message (RFC 2046 section 5.1.4) of text and HTML.

    CRLF line ends, no line over 998 octets, pure ASCII. The same arguments give the same bytes.
    Raises `BadAddress` and `BadHeader`.
    """
    # Neither base64 nor a header of ours can hold "=_": only a 7bit body has to be looked at.
    boundary = f"=_{sha256(message_id.encode()).hexdigest()[:32]}"
    head = [
        f"From: {_mailbox(sender)}",
        f"To: {_mailbox(recipient)}",
        unstructured("Subject", parts.subject),
        f"Date: {format_datetime(date)}",
        f"Message-ID: {_checked_id(message_id)}",
        *(_extra(name, value) for name, value in headers.items()),
        "MIME-Version: 1.0",
        f'Content-Type: multipart/alternative; boundary="{boundary}"',
        "",
        "",
    ]
    return (
        "\r\n".join(head)
        + f"--{boundary}\r\n"
        + _part("plain", parts.text, boundary)
        + f"\r\n--{boundary}\r\n"
        + _part("html", parts.html, boundary)
        + f"\r\n--{boundary}--\r\n"
    ).encode("ascii")


def ascii_address(address: str) -> str:
    """The address as SMTP takes it everywhere: its domain in IDNA (RFC 5891). Raises `BadAddress`.

    A local part other than ASCII needs SMTPUTF8 (RFC 6531) at every server on the way.
    """
    if _PLAIN_ADDRESS.fullmatch(address) and len(address) <= 254:
        return address
    try:
        valid = validate_email(
            address,
            check_deliverability=False,
            allow_smtputf8=False,
            allow_domain_literal=False,
            globally_deliverable=False,
        )
    except EmailNotValidError:
        raise BadAddress(
            "The e-mail address cannot be used.",
            "It must be like asha@example.org, with plain letters and digits before the @.",
        ) from None
    if valid.ascii_email is None:
        raise BadAddress("The e-mail address has no ASCII form.", "Ask for another address.")
    return valid.ascii_email


def ascii_domain(domain: str) -> str:
    """A domain in IDNA. Raises `BadAddress`."""
    return ascii_address(f"postmaster@{domain}").partition("@")[2]


def _mailbox(mailbox: Mailbox) -> str:
    address = ascii_address(mailbox.address)
    if not mailbox.name:
        return address
    try:
        name = phrase(mailbox.name)
    except BadHeader as error:
        raise BadAddress(error.reason, "Correct the name beside the address.") from None
    return f"{name}\r\n <{address}>" if len(name) + len(address) > 68 else f"{name} <{address}>"


def _checked_id(message_id: str) -> str:
    if not re.fullmatch(r"<[\x21-\x3b\x3d\x3f-\x7e]{1,900}>", message_id):
        raise BadHeader("The Message-ID is not of the form <left@right>.")
    return message_id


def _extra(name: str, value: str) -> str:
    if not _HEADER_NAME.fullmatch(name) or name.lower() in _OURS:
        raise BadHeader(f"The header {name!r} cannot be set.", "Choose another name.")
    if name.lower() == "reply-to":
        return f"{name}: {_mailbox(Mailbox(*parseaddr(value)))}"
    return structured(name, value)


def _part(subtype: str, text: str, boundary: str) -> str:
    """A part's header and body: as it is where that is safe in 7 bits, else in base64."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n")
    # RFC 2045 section 6.8: text is brought to CRLF also before it is encoded.
    body = "\r\n".join(lines)
    encoding = "7bit"
    if not (text.isascii() and _is_plain(lines)) or boundary in text:
        encoding = "base64"
        encoded = b2a_base64(body.encode("utf-8", "replace"), newline=False).decode("ascii")
        body = "\r\n".join([encoded[at : at + 76] for at in range(0, len(encoded), 76)])
    return (
        f'Content-Type: text/{subtype}; charset="utf-8"\r\n'
        f"Content-Transfer-Encoding: {encoding}\r\n\r\n{body}"
    )


def _is_plain(lines: list[str]) -> bool:
    """Whether ASCII lines may stand in a message as they are (RFC 5322 section 2.3)."""
    return max(map(len, lines)) <= MAX_LINE and "".join(lines).isprintable()

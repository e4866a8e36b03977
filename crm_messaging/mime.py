"""The bytes of an e-mail: RFC 5322 and RFC 2045 to 2047, built directly.

The standard library's `EmailMessage` takes longer than everything else a message costs. What it
makes of these bytes when it reads them is this module's test.

Bodies leave as they are, in eight bits (RFC 6152) where they are not ASCII: nothing has to be
encoded per message. The SMTP channel encodes them anew for the rare server without 8BITMIME. A
message that is signed leaves in seven bits instead, as RFC 6376 section 5.3 wants it: a server on
the way that encoded it anew would break the signature.
"""

import re
from binascii import b2a_base64
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, parseaddr
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple, TypeAlias

from email_validator import EmailNotValidError, validate_email

from crm_messaging.message import Letter
from crm_messaging.mime_words import BadHeader, phrase, structured, unstructured
from crm_messaging.wire_text import BOUNDARY_BEGIN, WireParts, WireText
from crm_store.errors import SamparkError

Sign: TypeAlias = Callable[[Sequence[str], bytes, datetime], str]
"""From header fields (folded, without their last line ends), a body, and the message's date: one
more field, to stand before them."""

_PLAIN_ADDRESS = re.compile(
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_BOUNDARY = f"{BOUNDARY_BEGIN.decode()}Sampark_" + "QXZJ" * 8
"""Only bodies that are not clean and leave as they are have to be searched for it."""
_DELIMITER = b"--" + _BOUNDARY.encode()
_MULTIPART = (
    "MIME-Version: 1.0",
    f'Content-Type: multipart/alternative; boundary="{_BOUNDARY}"',
)
_BEGIN = _DELIMITER + b"\r\n"
_BETWEEN, _END = b"\r\n" + _BEGIN, b"\r\n" + _DELIMITER + b"--\r\n"
_HEADS = {
    (subtype, encoding): (
        f'Content-Type: text/{subtype}; charset="utf-8"\r\n'
        f"Content-Transfer-Encoding: {encoding}\r\n\r\n"
    ).encode("ascii")
    for subtype in ("plain", "html")
    for encoding in ("7bit", "8bit", "base64")
}
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_HEADER_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]*")
_MESSAGE_ID = re.compile(r"<[\x21-\x3b\x3d\x3f-\x7e]{1,900}>")
_OURS = frozenset(
    {"from", "to", "cc", "bcc", "sender", "return-path", "subject", "date", "message-id"}
    | {"mime-version", "content-type", "content-transfer-encoding"}
)


class BadAddress(SamparkError):
    """An address, or the name beside it, that cannot be written into a message."""


class Mailbox(NamedTuple):
    """A name, perhaps empty, and an address."""

    name: str
    address: str


def message_id_for(key: str, domain: str) -> str:
    """`<...@domain>`: the same key and domain give the same Message-ID, whenever and wherever."""
    digest = sha256(key.encode()).hexdigest()[:40]
    return f"<{digest}@{ascii_domain(domain)}>"


def build_email(
    parts: WireParts,
    *,
    sender: Mailbox,
    recipient: Mailbox,
    message_id: str,
    date: datetime,
    fields: Sequence[str] = (),
    sign: Sign | None = None,
) -> Letter:
    """A multipart/alternative message (RFC 2046 section 5.1.4) of text and HTML.

    `fields` are more of them as they will stand, folded, without their last line ends.
    CRLF line ends, no line over 998 octets, headers in ASCII; a message that is signed is ASCII
    throughout. The same arguments give the same bytes. Raises `BadAddress` and `BadHeader`.
    """
    header_fields = [
        _sender(sender),
        f"To: {_mailbox(recipient)}",
        unstructured("Subject", parts.subject),
        _date(date),
        f"Message-ID: {_checked_id(message_id)}",
        *fields,
        *_MULTIPART,
    ]
    seven_bit = sign is not None
    text_head, text = _part("plain", parts.text, seven_bit)
    html_head, html = _part("html", parts.html, seven_bit)
    body = (_BEGIN, text_head, *text.pieces, _BETWEEN, html_head, *html.pieces, _END)
    is_ascii = text.is_ascii and html.is_ascii
    if not is_ascii:
        # RFC 2045 section 6.4: the whole is at least what its parts are.
        header_fields.append("Content-Transfer-Encoding: 8bit")
    if sign is not None:
        header_fields.insert(0, sign(header_fields, b"".join(body), date))
    header = "\r\n".join((*header_fields, "", "")).encode("ascii")
    return Letter((header, *body), is_ascii, text.clean and html.clean)


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


@lru_cache(maxsize=64)
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


@lru_cache(maxsize=64)
def _sender(sender: Mailbox) -> str:
    return f"From: {_mailbox(sender)}"


@lru_cache(maxsize=1024)
def _date(date: datetime) -> str:
    # The cache takes one moment in two zones for the same.
    return f"Date: {format_datetime(date.astimezone(UTC))}"


def _checked_id(message_id: str) -> str:
    if not _MESSAGE_ID.fullmatch(message_id):
        raise BadHeader("The Message-ID is not of the form <left@right>.")
    return message_id


def header_field(name: str, value: str) -> str:
    """`Name: value`, folded, for `build_email`: a field that it does not write itself.

    Raises `BadAddress` and `BadHeader`.
    """
    if not _HEADER_NAME.fullmatch(name) or name.lower() in _OURS:
        raise BadHeader(f"The header {name!r} cannot be set.", "Choose another name.")
    if name.lower() == "reply-to":
        return f"{name}: {_mailbox(Mailbox(*parseaddr(value)))}"
    return structured(name, value)


def _part(subtype: str, text: WireText, seven_bit: bool) -> tuple[bytes, WireText]:
    """A body and the header of its part: as it is where that is safe, else in base64, of a text
    with CRLF line ends (RFC 2045 section 6.8).
    """
    if (seven_bit and not text.is_ascii) or not _may_stand(text):
        return _HEADS[subtype, "base64"], WireText((_base64(text.octets),), True, True, True)
    return _HEADS[subtype, "7bit" if text.is_ascii else "8bit"], text


def _may_stand(text: WireText) -> bool:
    """Whether text may be in a message as it is: RFC 5322 section 2.3, RFC 2045 section 2.8."""
    if not text.has_short_lines:
        return False
    return text.clean or _is_harmless(text.octets)


def _is_harmless(octets: bytes) -> bool:
    return _DELIMITER not in octets and _CONTROL.search(octets) is None


def _base64(octets: bytes) -> bytes:
    encoded = b2a_base64(octets, newline=False)
    return b"\r\n".join([encoded[at : at + 76] for at in range(0, len(encoded), 76)])

"""A mail taken apart: its headers, what it says in words, its reports, and what it returns.

The standard library's parser takes any bytes; what it makes of broken ones is read here with
patience. A message inside the mail is what the mail returns, never the mail itself.
"""

import html
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from email import message_from_bytes, message_from_string
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from functools import cached_property
from typing import Any

from crm_messaging.bounces.addresses import addresses_in
from crm_messaging.bounces.report_phrases import RETURNED_MESSAGE_BEGINS
from crm_store.charsets import charset_named

MAX_READ = 256 * 1024
"""Bytes of a mail that are looked at; a report stands before what it returns."""
_MAX_NOTICE = 20_000
_MAX_HEADER = 10_000

REPORTS = frozenset(
    {
        "message/delivery-status",
        "message/global-delivery-status",
        "message/feedback-report",
        "message/disposition-notification",
        "message/global-disposition-notification",
    }
)
"""The parts for machines: RFC 3464, RFC 5965, RFC 8098, and their forms for UTF-8 (RFC 6533)."""

_RETURNED = frozenset(
    {
        "message/rfc822",
        "message/global",
        "message/rfc822-headers",
        "message/global-headers",
        "text/rfc822-headers",
        "message/partial",
    }
)
_BEGINS = re.compile(
    "|".join(
        [
            *(re.escape(line) for line in RETURNED_MESSAGE_BEGINS),
            # The first of its headers, where no such line stands before them.
            r"^(?:return-path|received|dkim-signature|message-id|mime-version|x-[\w-]+):[ \t]*\S",
        ]
    ),
    re.MULTILINE | re.IGNORECASE,
)
_RFC2231 = re.compile(rb"(?<=[\w-])\*\d{0,3}\*?(?=[ \t]{0,9}=)")
"""`charset*0*=`: parameters in pieces. No report needs them; on broken ones the parser may fail."""
_UNSEEN = ("style", "script", "head")
_BREAKS = ("br", "br/", "p", "div", "tr", "li", "h1", "h2", "h3")
_HALF = re.compile("[\ud800-\udfff]")
_QUOTED = re.compile(r"^(?:> ?)+", re.MULTILINE)


@dataclass(frozen=True)
class Report:
    """A part for machines: its MIME type, and its text as it stands."""

    kind: str
    text: str


@dataclass(frozen=True)
class Mail:
    """A mail, read once."""

    raw: bytes
    """Its first `MAX_READ` bytes."""
    message: Message
    reports: tuple[Report, ...]
    returned: Message | None
    """The message that the mail is about, or its headers alone, where a part holds it."""
    words: str
    """What the mail says to a person, and what follows it in the same parts."""

    def header(self, name: str) -> str:
        """The first such header, decoded, on one line; "" without one."""
        return next(iter(self.headers(name)), "")

    def headers(self, *names: str) -> list[str]:
        """All such headers, decoded, in the order of the names."""
        return _headers(self.message, names)

    def returned_headers(self, *names: str) -> list[str]:
        """The same of the message that the mail returns, as a part or within its words."""
        found = [] if self.returned is None else _headers(self.returned, names)
        return found or self._in_words(names)

    @cached_property
    def notice(self) -> str:
        """What the mail says to a person, without what it returns."""
        begin = _BEGINS.search(self.words)
        return self.words[: min(begin.start() if begin else _MAX_NOTICE, _MAX_NOTICE)]

    @cached_property
    def notice_lines(self) -> list[tuple[str, frozenset[str]]]:
        """Each line of the notice, with the addresses in it in small letters."""
        return [
            (line, frozenset(one.lower() for one in addresses_in(line)))
            for line in self.notice.splitlines()
        ]

    def _in_words(self, names: Iterable[str]) -> list[str]:
        """Headers of a message that is repeated in the text, with lines broken anywhere."""
        rest = self.words[len(self.notice) :]
        return [
            " ".join(found.split())
            for name in names
            for found in re.findall(
                rf"^{re.escape(name)}:[ \t]*(?:\n[ \t]+)?(\S.*)", rest, re.MULTILINE | re.IGNORECASE
            )
        ]


def open_mail(raw: bytes) -> Mail:
    """Take a mail apart. Raises `RecursionError` for one that is nested beyond all use."""
    raw = _RFC2231.sub(b"", raw[:MAX_READ])
    message = message_from_bytes(raw)
    reports: list[Report] = []
    returned: Message | None = None
    texts: list[str] = []
    pages: list[str] = []
    for part in _parts(message):
        kind = part.get_content_type()
        if kind in REPORTS:
            reports.append(Report(kind, _report_text(part)))
        elif kind in _RETURNED:
            returned = returned if returned is not None else _returned(part)
        elif kind == "text/html":
            pages.append(_without_tags(_text(part)))
        elif part.get_content_maintype() in ("text", "multipart"):
            texts.append(_text(part))
    words = _QUOTED.sub("", "\n\n".join(texts if any(map(str.strip, texts)) else pages))
    words = words.replace("\r\n", "\n").replace("\r", "\n")
    return Mail(raw, message, tuple(reports), returned, words)


def decoded(raw: bytes, charset: str | None = None) -> str:
    """Text of which one knows the charset or not; what cannot be read is left as it looks."""
    guesses = ["iso2022_jp" if b"\x1b$" in raw else None, charset_named(charset), "utf-8"]
    for guess in filter(None, guesses):
        try:
            return _HALF.sub("\ufffd", raw.decode(guess))
        except ValueError:
            continue
    return raw.decode("latin-1")


def _parts(message: Message) -> Iterator[Message]:
    """The leaves, in order; a message within the mail, and a report, is one leaf."""
    if message.get_content_maintype() == "multipart" and message.is_multipart():
        for part in _inner(message):
            yield from _parts(part)
    else:
        yield message


def _inner(message: Message) -> list[Message]:
    """The messages that a part consists of. Not asked of text: the library would decode it."""
    payload: Any = message.get_payload() if message.is_multipart() else []
    return [one for one in payload if isinstance(one, Message)]


def _text(part: Message) -> str:
    raw = part.get_payload(decode=True)
    return decoded(raw, part.get_content_charset()) if isinstance(raw, bytes) else ""


def _report_text(part: Message) -> str:
    """The groups of fields, an empty line between them, whatever encoding they came in."""
    if not part.is_multipart():
        return _text(part)
    text = "\n\n".join(map(_group, _inner(part)))
    encoded = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    if encoded not in ("base64", "quoted-printable"):
        return text
    # The parser took the encoded text for headers; the same part as plain text is decoded.
    head = f"Content-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: {encoded}\n\n"
    return _text(message_from_string(head + text))


def _group(group: Message) -> str:
    fields = [f"{name}: {value}" for name, value in _pairs(group)]
    return "\n".join([*fields, "", _text(group)]).strip()


def _pairs(message: Message) -> Iterable[tuple[str, str]]:
    return ((name, _readable(str(value))) for name, value in message.raw_items())


def _returned(part: Message) -> Message:
    inner = _inner(part)
    return inner[0] if inner else message_from_string(_text(part).lstrip())


def _headers(message: Message, names: Iterable[str]) -> list[str]:
    wanted = [name.lower() for name in names]
    pairs = [(name.lower(), value) for name, value in _pairs(message)]
    found = [
        _decoded_words(value[:_MAX_HEADER])
        for want in wanted
        for name, value in pairs
        if name == want
    ]
    return [" ".join(value.split()) for value in found]


def _readable(value: str) -> str:
    """Octets that the parser has put aside as surrogates, as text."""
    if value.isascii() and "\x1b$" not in value:
        return value
    return decoded(value.encode("utf-8", "surrogateescape"))


def _decoded_words(value: str) -> str:
    """Encoded words (RFC 2047) as text; broken ones as they stand."""
    if "=?" not in value:
        return value
    try:
        pieces = decode_header(value)
    except (HeaderParseError, ValueError):
        return value
    return "".join(
        piece if isinstance(piece, str) else decoded(piece, charset) for piece, charset in pieces
    )


def _without_tags(page: str) -> str:
    """The text of a page. By hand, as no pattern does it in linear time on any bytes."""
    shown: list[str] = []
    unseen = ""
    for piece in page.split("<"):
        tag, closed, text = piece.partition(">")
        name = tag[:20].lower().split(maxsplit=1)[0] if tag[:20].strip() else ""
        if not closed:
            text = "" if shown else tag
        elif unseen:
            unseen = "" if name == f"/{unseen}" else unseen
        elif name in _UNSEEN:
            unseen = name
        if not unseen:
            shown.append("\n" if name.removeprefix("/") in _BREAKS else " ")
            shown.append(text)
    return html.unescape("".join(shown))

"""Text as it stands in the body of a message: UTF-8, lines that end in CRLF.

It is kept in pieces, so that what many messages share is encoded and looked through once: no octet
depends on the piece before it, as it would in base64 or in folded quoted-printable.
"""

from typing import NamedTuple

from crm_messaging.message import EmailParts
from crm_messaging.mime_words import MAX_LINE

BOUNDARY_BEGIN = b"=_"
"""RFC 2045 section 6.7: no quoted-printable text holds it. Nor does base64, nor most text."""
CONTROLS = bytes({*range(0x20), 0x7F} - {*b"\t\r\n"})
"""No clean text holds one."""


class WireText(NamedTuple):
    """Octets in pieces, and what is known of them.

    Clean text has no control character but tabs and line ends, no line that begins with a dot,
    and nothing that a boundary of ours could begin with. Text that is not clean may still be
    harmless.
    """

    pieces: tuple[bytes, ...]
    clean: bool
    is_ascii: bool
    has_short_lines: bool
    """No line is longer than `MAX_LINE`."""

    @property
    def octets(self) -> bytes:
        """The text in one piece."""
        return b"".join(self.pieces)

    @classmethod
    def of(cls, text: str) -> "WireText":
        """Any text; a CR, an LF or both end a line."""
        octets = encoded(text)
        return cls((octets,), is_clean(octets), octets.isascii(), longest_line(octets) <= MAX_LINE)


class WireParts(NamedTuple):
    """A rendered e-mail, its bodies as they leave."""

    subject: str
    html: WireText
    text: WireText

    @classmethod
    def of(cls, parts: EmailParts) -> "WireParts":
        """The plain way from words to octets."""
        return cls(parts.subject, WireText.of(parts.html), WireText.of(parts.text))


def encoded(text: str) -> bytes:
    """The octets of a text. What UTF-8 cannot say is replaced."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\n", "\r\n").encode("utf-8", "replace")


def is_clean(octets: bytes) -> bool:
    """Whether octets are those of a clean text; see `WireText`."""
    return (
        b"\n." not in octets
        and not octets.startswith(b".")
        and BOUNDARY_BEGIN not in octets
        and len(octets.translate(None, CONTROLS)) == len(octets)
    )


def longest_line(octets: bytes) -> int:
    """Octets of the longest line, without its end."""
    return max(map(len, octets.split(b"\r\n")))

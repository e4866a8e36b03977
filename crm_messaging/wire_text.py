"""Text as it stands in the body of a message: UTF-8, lines that end in CRLF.

Encoding is done piece by piece, so that a piece that many messages share is encoded once: no
octet depends on the piece before it, as it would in base64 or in folded quoted-printable.
"""

from collections.abc import Iterable
from typing import NamedTuple

from crm_messaging.message import EmailParts

_DOT, _LF = b".\n"
_CONTROLS = bytes({*range(0x20), 0x7F} - {*b"\t\r\n"})


class WireText(NamedTuple):
    """`octets`, and whether they are `clean`: nothing in them needs a second look.

    Clean text has no control character but tabs and line ends, and no line that begins with a
    dot. Text that is not clean may still be harmless.
    """

    octets: bytes
    clean: bool

    @classmethod
    def of(cls, text: str) -> "WireText":
        """Any text; a CR, an LF or both end a line."""
        octets = _octets(text)
        return cls(octets, not octets.startswith(b".") and _is_clean(octets))

    @classmethod
    def joined(cls, pieces: Iterable[str], known: "KnownPieces") -> "WireText":
        """The text that `pieces` make together, those that are `known` without encoding them."""
        joined: list[bytes] = []
        all_clean = True
        for piece in pieces:
            octets, clean = known.get(piece) or _piece(piece)
            if octets:
                if octets[0] == _DOT and (not joined or joined[-1][-1] == _LF):
                    clean = False
                all_clean = all_clean and clean
                joined.append(octets)
        return cls(b"".join(joined), all_clean)


class WireParts(NamedTuple):
    """A rendered e-mail, its bodies as they leave."""

    subject: str
    html: WireText
    text: WireText

    @classmethod
    def of(cls, parts: EmailParts) -> "WireParts":
        """The plain way from words to octets."""
        return cls(parts.subject, WireText.of(parts.html), WireText.of(parts.text))


KnownPieces = dict[str, tuple[bytes, bool]]
"""Encoded pieces by their text, as `known_pieces` makes them."""


def known_pieces(texts: Iterable[str]) -> KnownPieces:
    """Each text encoded, as a piece that may stand anywhere in a line."""
    return {text: _piece(text) for text in texts}


def _piece(text: str) -> tuple[bytes, bool]:
    if text.isprintable():
        return text.encode("utf-8"), True
    octets = _octets(text)
    return octets, _is_clean(octets)


def _octets(text: str) -> bytes:
    if "\r" in text:
        text = str(text).replace("\r\n", "\n").replace("\r", "\n")
    if "\n" in text:
        # As a plain string: `Markup` would look through what it is given here.
        text = str(text).replace("\n", "\r\n")
    return text.encode("utf-8", "replace")


def _is_clean(octets: bytes) -> bool:
    return b"\n." not in octets and len(octets.translate(None, _CONTROLS)) == len(octets)

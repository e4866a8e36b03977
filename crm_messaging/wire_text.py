"""Text as it stands in the body of a message: UTF-8, lines that end in CRLF.

Encoding is done piece by piece, so that a piece that many messages share is encoded once: no
octet depends on the piece before it, as it would in base64 or in folded quoted-printable.
"""

from collections.abc import Iterable
from typing import NamedTuple

from crm_messaging.message import EmailParts

BOUNDARY_BEGIN = b"=_"
"""RFC 2045 section 6.7: no quoted-printable text holds it. Nor does base64, nor most text."""
_OF_TWO_PIECES = (b".", b"_")
"""What may be the end of a line's end and a dot, or of `BOUNDARY_BEGIN`, as a piece's beginning."""
_CONTROLS = bytes({*range(0x20), 0x7F} - {*b"\t\r\n"})


class WireText(NamedTuple):
    """Octets in pieces, and whether they are `clean`: nothing in them needs a second look.

    Clean text has no control character but tabs and line ends, no line that begins with a dot,
    and nothing that a boundary of ours could begin with. Text that is not clean may still be
    harmless.
    """

    pieces: tuple[bytes, ...]
    clean: bool

    @property
    def octets(self) -> bytes:
        """The text in one piece."""
        return b"".join(self.pieces)

    @classmethod
    def of(cls, text: str) -> "WireText":
        """Any text; a CR, an LF or both end a line."""
        octets = _octets(text)
        return cls((octets,), not octets.startswith(b".") and _is_clean(octets))

    @classmethod
    def joined(cls, pieces: Iterable[str], known: "KnownPieces") -> "WireText":
        """The text that `pieces` make together, those that are `known` without encoding them."""
        pieces = [*pieces]
        octets = tuple([known.get(piece) or _harmless(piece) for piece in pieces])
        if None in octets:
            return cls.of("".join(pieces))
        return cls(octets, True)  # type: ignore[arg-type]  # it has just been looked for


class WireParts(NamedTuple):
    """A rendered e-mail, its bodies as they leave."""

    subject: str
    html: WireText
    text: WireText

    @classmethod
    def of(cls, parts: EmailParts) -> "WireParts":
        """The plain way from words to octets."""
        return cls(parts.subject, WireText.of(parts.html), WireText.of(parts.text))


KnownPieces = dict[str, bytes]
"""Encoded pieces by their text, as `known_pieces` makes them."""


def known_pieces(texts: Iterable[str]) -> KnownPieces:
    """Each text encoded that may stand anywhere in a line."""
    return {text: octets for text in texts if (octets := _harmless(text))}


def _harmless(piece: str) -> bytes | None:
    """A piece of a clean text, wherever it stands; `None` if that depends on what is around it."""
    if piece.isprintable():
        octets = piece.encode("utf-8")
        if BOUNDARY_BEGIN in octets:
            return None
    else:
        octets = _octets(piece)
        if not _is_clean(octets):
            return None
    return None if octets.startswith(_OF_TWO_PIECES) else octets


def _octets(text: str) -> bytes:
    if "\r" in text:
        text = str(text).replace("\r\n", "\n").replace("\r", "\n")
    if "\n" in text:
        # As a plain string: `Markup` would look through what it is given here.
        text = str(text).replace("\n", "\r\n")
    return text.encode("utf-8", "replace")


def _is_clean(octets: bytes) -> bool:
    return (
        b"\n." not in octets
        and BOUNDARY_BEGIN not in octets
        and len(octets.translate(None, _CONTROLS)) == len(octets)
    )

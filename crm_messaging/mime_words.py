"""Text in header fields: RFC 2047 encoded words, RFC 5322 quoted strings, folded lines."""

import re
from base64 import b64encode
from email.errors import HeaderParseError
from email.header import decode_header
from functools import lru_cache

from crm_store.charsets import charset_named
from crm_store.errors import SamparkError

MAX_LINE = 998
"""Octets of a line without its end: RFC 5322 section 2.1.1, its "must"."""
GOOD_LINE = 78
"""The same section's "should": header lines are broken here where they can be."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?: [A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_ENCODED_WORD_BEGIN = "=?"
# A line with an encoded word has at most 76 characters (RFC 2047 section 2): the header's name,
# up to "Reply-To: ", and one such word with "=?utf-8?b?" and "?=" around it.
_WORD_OCTETS = (76 - 10 - 12) // 4 * 3


class BadHeader(SamparkError):
    """A header field that cannot be written safely."""


@lru_cache(maxsize=1024)
def unstructured(name: str, value: str) -> str:
    """`Name: value` of free text, folded, without the last line end.

    Raises `BadHeader`.
    """
    refuse_control(name, value)
    plain = value.isascii() and _ENCODED_WORD_BEGIN not in value and value == value.strip()
    if plain:
        line = f"{name}: {value}"
        if len(line) <= GOOD_LINE:
            return line
        if all(len(word) < GOOD_LINE for word in value.split(" ")) and "  " not in value:
            return _folded(name, value.split(" "))
    return _folded(name, _encoded_words(value))


def structured(name: str, value: str) -> str:
    """`Name: value` of ASCII that has a grammar of its own, such as a list of links.

    It may be broken at its spaces only. Raises `BadHeader`.
    """
    refuse_control(name, value)
    if not value.isascii():
        raise BadHeader(f"The header {name} holds characters other than ASCII.")
    folded = _folded(name, value.split(" "))
    if max(map(len, folded.split("\r\n"))) > MAX_LINE:
        raise BadHeader(f"The header {name} holds too long a word.", "Shorten it.")
    return folded


def phrase(name: str) -> str:
    """A name before an address (RFC 5322 section 3.2.5). Raises `BadHeader`."""
    is_plain = _ENCODED_WORD_BEGIN not in name and len(name) < GOOD_LINE - 10
    if is_plain and _ATOMS.fullmatch(name):
        return name  # and holds no control character
    refuse_control("name", name)
    if is_plain and name.isascii() and name == name.strip():
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return "\r\n ".join(_encoded_words(name))


def refuse_control(name: str, value: str) -> None:
    """Raises `BadHeader` for a control character, also one inside an encoded word.

    A reader that decodes before it splits lines would take what follows for a new field
    (CVE-2024-6923).
    """
    if _CONTROL.search(value) or (
        _ENCODED_WORD_BEGIN in value and _CONTROL.search(decoded_words(value))
    ):
        raise BadHeader(f"The {name} holds a line end or another control character.")


def decoded_words(value: str) -> str:
    """A header field's text with its encoded words (RFC 2047) read; as it is, if none can be."""
    try:
        pieces = decode_header(value)
        return "".join(
            piece
            if isinstance(piece, str)
            else piece.decode(charset_named(charset) or "utf-8", "replace")
            for piece, charset in pieces
        )
    except (HeaderParseError, ValueError):
        # Not an encoded word that anyone can decode.
        return value


def _encoded_words(text: str) -> list[str]:
    """RFC 2047 section 5: words that each hold whole characters, in base64."""
    octets = text.encode()
    words, start = [], 0
    while start < len(octets):
        end = start + _WORD_OCTETS
        while end < len(octets) and octets[end] & 0xC0 == 0x80:  # within a character of UTF-8
            end -= 1
        words.append(f"=?utf-8?b?{b64encode(octets[start:end]).decode()}?=")
        start = end
    return words


def _folded(name: str, words: list[str]) -> str:
    """The words, broken between them; the first stays beside the header's name."""
    lines, line = [], f"{name}: {words[0]}"
    for word in words[1:]:
        if len(line) + 1 + len(word) > GOOD_LINE:
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\r\n".join((*lines, line))

"""How many SMS a text takes: 3GPP TS 23.038 section 6 (alphabets) and TS 23.040 (concatenation)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

# TS 23.038 section 6.2.1, without the escape to the extension table.
GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# TS 23.038 section 6.2.1.1: an escape and a septet each.
GSM_EXTENSION = frozenset("\f^{}\\[~]|€")

Encoding = Literal["GSM-7", "UCS-2"]
Header = Literal[6, 7]
"""Octets that each part of a long message gives to its header: 6 with a reference of 8 bits
(TS 23.040 section 9.2.3.24.1), 7 with one of 16 bits (section 9.2.3.24.8)."""
_OCTETS = 140
"""What one SMS carries (TS 23.040 section 9.2.3.16)."""


@dataclass(frozen=True)
class SmsSize:
    """What a text costs. `units` are septets of GSM-7, or UTF-16 code units of UCS-2."""

    encoding: Encoding
    units: int
    segments: int
    left: int
    """Units still free before another segment is needed."""


def count(text: str, header: Header = 6) -> SmsSize:
    """The size of `text`; an empty text takes no segment."""
    encoding, widths = _measured(text)
    alone, part = room(encoding, 0), room(encoding, header)
    units = sum(widths)
    if units <= alone:
        return SmsSize(encoding, units, min(units, 1), alone - units)
    starts = part_starts(widths, part)
    return SmsSize(encoding, units, len(starts), part - sum(widths[starts[-1] :]))


def split(text: str, header: Header = 6) -> list[str]:
    """The text of each segment: neither an escape nor a surrogate pair is torn apart."""
    encoding, widths = _measured(text)
    if sum(widths) <= room(encoding, 0):
        return [text] if text else []
    starts = part_starts(widths, room(encoding, header))
    return [text[start:end] for start, end in pairwise([*starts, len(text)])]


def room(encoding: Encoding, header: int) -> int:
    """Units that fit beside a header of so many octets. Septets begin anew after it."""
    octets = _OCTETS - header
    return octets * 8 // 7 if encoding == "GSM-7" else octets // 2


def part_starts(widths: Sequence[int], part: int) -> list[int]:
    """Where each part begins when `part` units fit into one and no character is torn apart."""
    starts, used = [0], 0
    for index, width in enumerate(widths):
        if used + width > part:
            starts.append(index)
            used = 0
        used += width
    return starts


def _measured(text: str) -> tuple[Encoding, list[int]]:
    """The alphabet that a text needs, and the units of each character."""
    if all(char in GSM_BASIC or char in GSM_EXTENSION for char in text):
        return "GSM-7", [2 if char in GSM_EXTENSION else 1 for char in text]
    return "UCS-2", [2 if char > "\uffff" else 1 for char in text]

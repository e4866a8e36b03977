"""How many SMS a text takes: 3GPP TS 23.038 section 6 (alphabets) and TS 23.040 (concatenation)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

# TS 23.038 section 6.2.1, without the escape to the extension table.
GSM_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# TS 23.038 section 6.2.1.1: an escape and a septet each.
GSM_EXTENSION = frozenset("\f^{}\\[~]|€")

Encoding = Literal["GSM-7", "UCS-2"]
# One message alone, and each part of a concatenated one (six octets go to its header).
_ROOM: dict[Encoding, tuple[int, int]] = {"GSM-7": (160, 153), "UCS-2": (70, 67)}


@dataclass(frozen=True)
class SmsSize:
    """What a text costs. `units` are septets of GSM-7, or UTF-16 code units of UCS-2."""

    encoding: Encoding
    units: int
    segments: int
    left: int
    """Units still free before another segment is needed."""


def count(text: str) -> SmsSize:
    """The size of `text`; an empty text takes no segment."""
    encoding: Encoding
    if all(char in GSM_BASIC or char in GSM_EXTENSION for char in text):
        encoding, widths = "GSM-7", [2 if char in GSM_EXTENSION else 1 for char in text]
    else:
        encoding, widths = "UCS-2", [2 if char > "\uffff" else 1 for char in text]
    units = sum(widths)
    alone, part = _ROOM[encoding]
    if units <= alone:
        return SmsSize(encoding, units, min(units, 1), alone - units)
    segments, used = _fill(widths, part)
    return SmsSize(encoding, units, segments, part - used)


def _fill(widths: Iterable[int], room: int) -> tuple[int, int]:
    """Segments needed, and the units used of the last: a pair of units is never torn apart."""
    segments, used = 1, 0
    for width in widths:
        if used + width > room:
            segments, used = segments + 1, 0
        used += width
    return segments, used

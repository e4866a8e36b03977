"""What a text would take with a national language's shift tables: 3GPP TS 23.038 Annex A.

They put Hindi into septets, so that more of it fits into an SMS. Operators, gateways and phones
have to know them, and many do not: this is information beside the size that is paid for.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from crm_messaging.sms_segments import GSM_BASIC, GSM_EXTENSION, part_starts, room

_TABLE_OCTETS = 3
"""An information element that names one table (TS 23.040 sections 9.2.3.24.15 and 9.2.3.24.16)."""
_CONCATENATION_OCTETS = 5
_INDIC_LOCKING = frozenset("\n\r !(),.0123456789:;?abcdefghijklmnopqrstuvwxyz")
_INDIC_SINGLE = GSM_EXTENSION | frozenset("@£$¥¿\"¤%&'*+-/<=>¡_#ABCDEFGHIJKLMNOPQRSTUVWXYZ")


@dataclass(frozen=True)
class ShiftTables:
    """One language's characters of one septet (locking) and of two (single shift)."""

    language: str
    locking: frozenset[str]
    single: frozenset[str]


@dataclass(frozen=True)
class NationalSize:
    """A text in a language's own tables. `units` are septets."""

    language: str
    units: int
    segments: int


def national_size(text: str) -> NationalSize | None:
    """The fewest segments that any language's tables make of `text`; `None` if none fits it."""
    sizes = [size for tables in TABLES for size in _sizes(tables, text)]
    return min(sizes, key=lambda size: (size.segments, size.units), default=None)


def _sizes(tables: ShiftTables, text: str) -> Iterator[NationalSize]:
    """With the language's locking table or the basic one, its single shift table or the usual."""
    for locking in {tables.locking or GSM_BASIC, GSM_BASIC}:
        for single in (tables.single, GSM_EXTENSION):
            own = [locking is not GSM_BASIC, single is not GSM_EXTENSION].count(True)
            if own and all(char in locking or char in single for char in text):
                widths = [1 if char in locking else 2 for char in text]
                yield _size(tables.language, widths, own * _TABLE_OCTETS)


def _size(language: str, widths: list[int], elements: int) -> NationalSize:
    units = sum(widths)
    if units <= room("GSM-7", 1 + elements):
        return NationalSize(language, units, min(units, 1))
    part = room("GSM-7", 1 + elements + _CONCATENATION_OCTETS)
    return NationalSize(language, units, len(part_starts(widths, part)))


def _indic(language: str, block: int, locking: str, single: str, more: str = "") -> ShiftTables:
    """Tables that share all but the script. Ranges are offsets into its block of Unicode."""
    return ShiftTables(
        language,
        _INDIC_LOCKING | frozenset(_ranges(block, locking)),
        _INDIC_SINGLE | frozenset(_ranges(block, single)) | frozenset(more),
    )


def _ranges(block: int, offsets: str) -> Iterator[str]:
    """`01-03 50` → the characters at block + 1, 2, 3 and 0x50."""
    for word in offsets.split():
        first, _, last = word.partition("-")
        yield from map(chr, range(block + int(first, 16), block + int(last or first, 16) + 1))


def _swapped(out: str, put: str) -> frozenset[str]:
    """The basic table with some characters given up for others."""
    return (GSM_BASIC - frozenset(out)) | frozenset(put)


_DANDA = "।॥"
TABLES = (
    # A.3.1, A.2.1
    ShiftTables("Turkish", _swapped("èìØøÆæ¡¿", "€ıĞğŞşİç"), GSM_EXTENSION | frozenset("ŞçşĞğİı")),
    # A.2.2: Spanish has no locking table.
    ShiftTables("Spanish", frozenset(), GSM_EXTENSION | frozenset("çÁÍÓÚáíóú")),
    # A.3.3, A.2.3
    ShiftTables(
        "Portuguese",
        _swapped("èùìòØøÆæßÅåΦΓΛΩΠΨΣΘΞ¤¡ÄÖÑ¿äöñ", "êúíóçÔôÁáªÀ∞^\\€ÓÂâÊºÃÕÚãõ`~|Í"),
        GSM_EXTENSION | frozenset("êçÔôÁáΦΓΩΠΨΣΘÊÀÍÓÚÃÕÂíóúãõâ"),
    ),
    _indic(  # A.3.4, A.2.4
        "Bengali",
        0x0980,
        "01-03 05-0c 0f-10 13-28 2a-30 32 36-39 3c-44 47-48 4b-4e 57 5c-5d 70-71",
        "5f-63 66-6f 72-7a",
    ),
    _indic(  # A.3.5, A.2.5
        "Gujarati",
        0x0A80,
        "01-03 05-0d 0f-11 13-28 2a-30 32-33 35-39 3c-45 47-49 4b-4d 50 60-63 71",
        "66-6f",
        _DANDA,
    ),
    _indic(  # A.3.6, A.2.6
        "Hindi", 0x0900, "01-03 05-39 3c-4d 50 72 7b-7c 7e-7f", "51-54 58-6f 70-71"
    ),
    _indic(  # A.3.7, A.2.7
        "Kannada",
        0x0C80,
        "02-03 05-0c 0e-10 12-20 22-28 2a-33 35-39 3c-44 46-48 4a-4d 55-56 60-63",
        "5e 66-6f 71-72",
        _DANDA,
    ),
    _indic(  # A.3.8, A.2.8
        "Malayalam",
        0x0D00,
        "02-03 05-0c 0e-10 12-28 2a-39 3d-44 46-48 4a-4d 57 60-63 79",
        "66-75 7a-7f",
        _DANDA,
    ),
    _indic(  # A.3.9, A.2.9
        "Odia",
        0x0B00,
        "01-03 05-0c 0f-10 13-28 2a-30 32-33 35-39 3c-44 47-48 4b-4d 56-57 60-63",
        "5c-5d 5f 66-71",
        _DANDA,
    ),
    _indic(  # A.3.10, A.2.10
        "Punjabi",
        0x0A00,
        "01-03 05-0a 0f-10 13-28 2a-30 32-33 35-36 38-39 3c 3e-42 47-48 4b-4d 51 70-74",
        "59-5c 5e 66-6f 75",
        _DANDA,
    ),
    _indic(  # A.3.11, A.2.11
        "Tamil",
        0x0B80,
        "02-03 05-0a 0e-10 12-15 19-1a 1c 1e-1f 23-24 28-2a 2e-39 3e-42 46-48 4a-4d 50 57 70-72 79",
        "66-6f 73-78 7a",
        _DANDA,
    ),
    _indic(  # A.3.12, A.2.12
        "Telugu",
        0x0C00,
        "01-03 05-0c 0e-10 12-28 2a-33 35-39 3d-44 46-48 4a-4d 55-56 60-63",
        "58-59 66-6f 78-7f",
    ),
    _indic(  # A.3.13, A.2.13
        "Urdu",
        0x0600,
        "21-22 27-28 2a-39 41-42 44-46 48 4d 4f-51 53-57 70 79-81 83-8a 8c-8d 8f 91 93 96 98-9a "
        "a6 a9-ab af b1 b3 ba-bc be c1-c2 c4 cc d0 d2 d5",
        "00-01 0c-14 1b 1f 40 52 58 6b-6c 72-73 cd d4 f0-f9",
    ),
)

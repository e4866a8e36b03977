"""Sizes of text messages, at their edges."""

from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_messaging.national_shift import TABLES, NationalSize, national_size
from crm_messaging.sms_segments import GSM_BASIC, GSM_EXTENSION, SmsSize, count, split

CASES = [
    ("nothing", "", ("GSM-7", 0, 0, 160)),
    ("one letter", "a", ("GSM-7", 1, 1, 159)),
    ("full", "a" * 160, ("GSM-7", 160, 1, 0)),
    ("one too many", "a" * 161, ("GSM-7", 161, 2, 145)),
    ("two full", "a" * 306, ("GSM-7", 306, 2, 0)),
    ("three", "a" * 307, ("GSM-7", 307, 3, 152)),
    ("euro is two septets", "€", ("GSM-7", 2, 1, 158)),
    ("euro that just fits", "a" * 158 + "€", ("GSM-7", 160, 1, 0)),
    ("euro that does not", "a" * 159 + "€", ("GSM-7", 161, 2, 145)),
    ("escape pair is not torn", "a" * 152 + "€" + "a" * 10, ("GSM-7", 164, 2, 141)),
    ("all extension characters", "^{}\\[~]|€\f", ("GSM-7", 20, 1, 140)),
    ("greek capitals and accents", "ΔΦΓΛΩΠΨΣΘΞÄÖÑÜ§äöñüàéùìòÇØøÅåÆæßÉ", ("GSM-7", 33, 1, 127)),
    ("line ends", "a\r\nb", ("GSM-7", 4, 1, 156)),
    ("smart quote", "don’t", ("UCS-2", 5, 1, 65)),
    ("backtick is not in the table", "`", ("UCS-2", 1, 1, 69)),
    ("tab is not in the table", "\t", ("UCS-2", 1, 1, 69)),
    ("lower-case cedilla is not", "ç", ("UCS-2", 1, 1, 69)),
    ("hindi full", "आ" * 70, ("UCS-2", 70, 1, 0)),
    ("hindi one too many", "आ" * 71, ("UCS-2", 71, 2, 63)),
    ("hindi signs count alone", "नमस्ते आशा", ("UCS-2", 10, 1, 60)),
    ("russian", "Абонемент до 11 марта", ("UCS-2", 21, 1, 49)),
    ("russian, two full", "Я" * 134, ("UCS-2", 134, 2, 0)),
    ("russian, three", "Я" * 135, ("UCS-2", 135, 3, 66)),
    ("emoji is two units", "💪", ("UCS-2", 2, 1, 68)),
    ("emoji full", "💪" * 35, ("UCS-2", 70, 1, 0)),
    ("surrogate pair is not torn", "💪" * 36, ("UCS-2", 72, 2, 61)),
    ("pair over the edge", "a" * 66 + "💪" + "a" * 66, ("UCS-2", 134, 3, 66)),
]


@pytest.mark.parametrize(
    ("text", "size"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_size(text: str, size: tuple[str, int, int, int]) -> None:
    assert count(text) == SmsSize(*size)


def test_the_tables_have_the_sizes_of_the_standard() -> None:
    assert len(GSM_BASIC) == 127  # 128 with the escape
    assert len(GSM_EXTENSION) == 10


@given(st.text(st.sampled_from(sorted(GSM_BASIC | GSM_EXTENSION)), max_size=700))
def test_septets_fit_into_their_segments(text: str) -> None:
    size = count(text)
    assert size.encoding == "GSM-7"
    assert size.units == len(text) + sum(char in GSM_EXTENSION for char in text)
    room = 160 if size.segments <= 1 else 153 * size.segments
    # A pair that would be torn leaves one septet of a segment unused.
    assert 0 <= room - size.units - size.left <= max(0, size.segments - 1)


@given(st.text(max_size=400))
def test_another_letter_never_makes_it_smaller(text: str) -> None:
    assert count(text + "a").segments >= count(text).segments
    assert count(text + "Я").units >= len((text + "Я").encode("utf-16-le", "surrogatepass")) // 2


@pytest.mark.parametrize(
    ("text", "segments"),
    [
        ("a" * 304, 2),
        ("a" * 305, 3),
        ("Я" * 132, 2),
        ("Я" * 133, 3),
        ("💪" * 66, 2),
        ("💪" * 67, 3),
        ("a" * 151 + "€" + "a" * 151, 3),
    ],
)
def test_a_longer_header_leaves_152_septets_or_66_units(text: str, segments: int) -> None:
    assert count(text, header=7).segments == len(split(text, header=7)) == segments


def test_the_edges_of_a_split() -> None:
    assert split("") == []
    assert split("a" * 160) == ["a" * 160]
    assert split("a" * 152 + "€" + "b") == ["a" * 152 + "€" + "b"]
    assert split("a" * 152 + "€" + "b" * 7) == ["a" * 152, "€" + "b" * 7]
    assert split("я" * 66 + "💪" + "я" * 5) == ["я" * 66, "💪" + "я" * 5]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=500), st.sampled_from([6, 7]))
def test_the_parts_are_the_text_and_as_many_as_counted(text: str, header: Literal[6, 7]) -> None:
    parts = split(text, header)
    size = count(text, header)
    assert "".join(parts) == text
    assert len(parts) == size.segments
    full = {"GSM-7": 153, "UCS-2": 67}[size.encoding] - (header == 7)
    if len(parts) > 1:
        assert all(_units(part, size.encoding) <= full for part in parts)


def _units(text: str, encoding: str) -> int:
    if encoding == "UCS-2":
        return len(text.encode("utf-16-le", "surrogatepass")) // 2
    return len(text) + sum(char in GSM_EXTENSION for char in text)


NATIONAL = [
    # text                                                       units, segments
    ("hindi, one table and full", "न" * 155, ("Hindi", 155, 1)),
    ("hindi, one too many", "न" * 156, ("Hindi", 156, 2)),
    ("hindi, two full", "न" * 298, ("Hindi", 298, 2)),
    ("hindi and a digit of its own", "न" * 150 + "१", ("Hindi", 152, 1)),
    ("both tables, one too many", "न" * 151 + "१", ("Hindi", 153, 2)),
    ("both tables, two full", "न" * 290 + "१", ("Hindi", 292, 2)),
    ("both tables, three", "न" * 291 + "१", ("Hindi", 293, 3)),
    ("a danda and a capital", "नमस्ते आशा। Lotus", ("Hindi", 19, 1)),
    ("turkish", "İyi günler, ağabey", ("Turkish", 18, 1)),
    ("spanish keeps the basic table", "¿Qué tal, María?", ("Spanish", 17, 1)),
    ("portuguese", "Olá! Você vem amanhã?", ("Portuguese", 21, 1)),
    ("tamil", "வணக்கம்", ("Tamil", 7, 1)),
    ("urdu", "سلام", ("Urdu", 4, 1)),
    ("russian has no table", "Привет", None),
    ("hindi with a smart quote", "नमस्ते ’", None),
    ("two scripts", "नमस्ते வணக்கம்", None),
]


@pytest.mark.parametrize(
    ("text", "size"), [case[1:] for case in NATIONAL], ids=[case[0] for case in NATIONAL]
)
def test_national_tables(text: str, size: tuple[str, int, int] | None) -> None:
    assert national_size(text) == (NationalSize(*size) if size else None)


def test_the_national_tables_have_the_sizes_of_the_standard() -> None:
    """127 places beside the escape, less those that the standard leaves empty."""
    sizes = {one.language: (len(one.locking), len(one.single)) for one in TABLES}
    assert sizes == {
        "Turkish": (127, 17), "Spanish": (0, 19), "Portuguese": (127, 37),
        "Bengali": (114, 80), "Gujarati": (120, 68), "Hindi": (127, 86), "Kannada": (119, 71),
        "Malayalam": (120, 80), "Odia": (116, 73), "Punjabi": (110, 74), "Tamil": (102, 75),
        "Telugu": (120, 76), "Urdu": (127, 88),
    }  # fmt: skip

"""Sizes of text messages, at their edges."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_messaging.sms_segments import GSM_BASIC, GSM_EXTENSION, SmsSize, count

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

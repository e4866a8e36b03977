"""Words as octets, and what is known of them."""

from hypothesis import given
from hypothesis import strategies as st

from crm_messaging.mime_words import MAX_LINE
from crm_messaging.wire_text import WireText


@given(st.text())
def test_every_line_ends_in_crlf_and_clean_means_clean(text: str) -> None:
    made = WireText.of(text)
    octets, clean = made.octets, made.clean
    lines = octets.split(b"\r\n")
    assert not any(b"\r" in line or b"\n" in line for line in lines)
    unix = text.replace("\r\n", "\n").replace("\r", "\n")
    assert b"\n".join(lines) == unix.encode("utf-8", "replace")
    dotted = any(line.startswith(b".") for line in lines)
    controls = any(octet == 0x7F or (octet < 0x20 and octet not in b"\t\r\n") for octet in octets)
    assert clean is not (dotted or controls or b"=_" in octets)
    assert made.is_ascii is octets.isascii()


def test_lines_are_measured_in_octets_without_their_ends() -> None:
    for text, short in [("x" * MAX_LINE, True), ("é" * (MAX_LINE // 2) + "x", False)]:
        assert WireText.of(f"a\n{text}\nb").has_short_lines is short


def test_what_utf_8_cannot_say_is_replaced() -> None:
    assert WireText.of("a\ud800") == ((b"a?",), True, True, True)

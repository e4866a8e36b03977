"""Octets made of pieces, against octets made of the whole text."""

from hypothesis import example, given
from hypothesis import strategies as st

from crm_messaging.wire_text import WireText, known_pieces

awkward = st.text(
    st.sampled_from(list("ab.=_\n\t\0\x1b\x7f\u2028\xa0é\u200d\U0001f4aa")), max_size=6
)
pieces = st.lists(st.one_of(awkward, st.text(max_size=20)), max_size=8).map(
    lambda texts: [text.replace("\r", "") for text in texts]
)


@given(pieces=pieces, known=st.sets(st.integers(0, 7)))
@example(pieces=["a\n", "", ".b"], known=set())
@example(pieces=["", ".b"], known={1})
@example(pieces=["a", "."], known=set())
@example(pieces=["a=", "_b"], known={0, 1})
@example(pieces=["a=_", "b"], known=set())
def test_pieces_come_to_the_same_as_the_whole(pieces: list[str], known: set[int]) -> None:
    kept = known_pieces(text for at, text in enumerate(pieces) if at in known)
    joined, whole = WireText.joined(pieces, kept), WireText.of("".join(pieces))
    assert (joined.octets, joined.clean) == (whole.octets, whole.clean)


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


def test_what_utf_8_cannot_say_is_replaced() -> None:
    assert WireText.of("a\ud800").octets == WireText.joined(["a\ud800"], {}).octets == b"a?"

"""The shape of a message: what stands around the values and links of all that are alike but for
these, encoded and looked through once. `Form` keeps one for each way through its `if`s.
"""

from collections.abc import Callable, Sequence
from itertools import chain, count
from operator import itemgetter
from secrets import token_hex
from typing import NamedTuple

from crm_messaging.mime_words import MAX_LINE
from crm_messaging.wire_text import WireText, encoded, is_clean, longest_line

MAX_OCTETS = 256 * 1024
"""A text that is longer is made the plain way, which knows how long one may be."""
MARK = token_hex(8)
"""No customer's value is one with it: nobody knows it before this process has begun."""


class OwnLink(NamedTuple):
    """The place of a link to a page of ours."""

    name: str


Run = list[str | OwnLink | None]
"""Texts and links; `None` for a value."""


class Known(NamedTuple):
    """What is known of one of the texts that are alike but for values and links."""

    pieces: slice
    is_ascii: bool
    room: int
    """No line is too long if no value or link has more octets."""


class Shape(NamedTuple):
    """What stands around the values of all messages that are alike but for these."""

    values: tuple[int, ...]
    """Which pieces they are."""
    links: tuple[str, ...]
    """The names of the links among them."""
    around: tuple[bytes, ...]
    """In each text one more than there are values and links."""
    ordered: Callable[[tuple[bytes, ...]], tuple[bytes, ...]]
    """The pieces in order, from what is around, values and links, one after the other."""
    texts: tuple[Known, ...]
    room: int
    """The texts are not too long if no value or link has more octets."""

    def filled(self, values: Sequence[bytes], links: Sequence[bytes]) -> list[WireText] | None:
        """The finished texts; `None` for one that is too long. Each value is tame."""
        longest = max(map(len, (*values, *links)), default=0)
        if longest > self.room:
            return None
        made = self.ordered((*self.around, *values, *links))
        are_ascii = all(map(bytes.isascii, values))
        return [_wire_text(made[one.pieces], one, longest, are_ascii) for one in self.texts]


def shape_of(
    runs: Sequence[Run], tidy: Sequence[Callable[[str], str]], values: Sequence[int]
) -> Shape | None:
    """Of texts that consist of these runs, and what is done with each when it is finished.

    `values` says which pieces the values are. `None` where the texts need a second look.
    """
    around: list[bytes] = []
    texts: list[Known] = []
    for run, finish in zip(runs, tidy, strict=True):
        octets = encoded(finish("".join(one if isinstance(one, str) else MARK for one in run)))
        pieces = octets.split(MARK.encode())
        if not is_clean(octets) or any(piece.startswith(b"_") for piece in pieces[1:]):
            return None
        start = texts[-1].pieces.stop if texts else 0
        which = slice(start, start + 2 * len(pieces) - 1)
        texts.append(Known(which, octets.isascii(), _room(octets)))
        around += pieces
    holes = [[one for one in run if not isinstance(one, str)] for run in runs]
    length, most = sum(map(len, around)), sum(map(len, holes))
    return Shape(
        values=tuple(values),
        links=tuple(hole.name for hole in chain(*holes) if hole is not None),
        around=tuple(around),
        ordered=_in_order(holes),
        texts=tuple(texts),
        room=(MAX_OCTETS - length) // max(most, 1),
    )


def _room(octets: bytes) -> int:
    """`Known.room` of a text with marks."""
    lines = [(len(line), line.count(MARK.encode())) for line in octets.split(b"\r\n")]
    rooms = [
        (MAX_LINE - length + marks * len(MARK)) // max(marks, 1)
        for length, marks in lines
        if marks or length > MAX_LINE
    ]
    return min(rooms, default=MAX_OCTETS)


def _in_order(
    holes: Sequence[Sequence[OwnLink | None]],
) -> Callable[[tuple[bytes, ...]], tuple[bytes, ...]]:
    """`Shape.ordered` for these places of links and values in each text."""
    values = sum(text.count(None) for text in holes)
    first = sum(len(text) + 1 for text in holes)
    around, value, link = count(), count(first), count(first + values)
    order: list[int] = []
    for text in holes:
        order.append(next(around))
        for hole in text:
            order += next(value if hole is None else link), next(around)
    return itemgetter(*order) if len(order) > 1 else tuple


def _wire_text(pieces: tuple[bytes, ...], known: Known, longest: int, are_ascii: bool) -> WireText:
    """Of values and links of which the longest has so many octets."""
    return WireText(
        pieces,
        True,
        known.is_ascii and (are_ascii or all(map(bytes.isascii, pieces))),
        longest <= known.room or longest_line(b"".join(pieces)) <= MAX_LINE,
    )

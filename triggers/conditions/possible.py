"""Whether a condition can hold at all, as far as that is simple to prove.

Each field is looked at by itself, with the constants it is compared with. Whatever compares two
fields, or calculates, is taken to be true or false as one likes: so nothing possible is ever
called impossible.
"""

import math
import operator
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any, TypeAlias

from crm_store.catalogue.field import Field, FieldType
from crm_store.catalogue.values import CountOf, DaysSinceLatest
from triggers.conditions.predicates import (
    AllOf,
    Always,
    AnyOf,
    Compared,
    HasWord,
    IsEmpty,
    IsFalse,
    IsTrue,
    Not,
    OneOf,
    Predicate,
)
from triggers.conditions.terms import Term

MOST_WAYS = 200
"""A condition with more ways to be true than this is taken to be possible."""

Leaf: TypeAlias = IsTrue | IsFalse | IsEmpty | Compared | OneOf | HasWord
Way: TypeAlias = tuple[tuple[Leaf, bool], ...]
"""Leaves, and whether each is true: together one way for a condition to be true."""

_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "=="}
_COMPARED: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def impossible(predicates: Sequence[Predicate]) -> bool:
    """Whether it is proved that these are never true together."""
    ways = _ways(AllOf(tuple(predicates)), holds=True)
    return ways is not None and all(_contradicts_itself(way) for way in ways)


def _ways(predicate: Predicate, *, holds: bool) -> list[Way] | None:
    """The ways in which the predicate comes to `holds`; nothing when there are too many."""
    match predicate:
        case Always(always):
            return [()] if always is holds else []
        case Not(part):
            return _ways(part, holds=not holds)
        case AllOf(parts) | AnyOf(parts):
            each = [_ways(part, holds=holds) for part in parts]
            known = [ways for ways in each if ways is not None]
            if isinstance(predicate, AllOf) is not holds:
                together = [way for ways in known for way in ways]
                return together if len(known) == len(each) and _few(len(together)) else None
            # What is too long to write out can only take ways away: without it more is possible.
            if not _few(math.prod(map(len, known))):
                return None
            return [sum(chosen, ()) for chosen in product(*known)]
        case leaf:
            return [((leaf, holds),)]


def _few(count: int) -> bool:
    return count <= MOST_WAYS


def _contradicts_itself(way: Way) -> bool:
    told: dict[tuple[str, ...], bool] = {}
    ranges: dict[str, _Range] = {}
    for leaf, holds in way:
        if told.setdefault(_words(leaf), holds) is not holds:
            return True
        for about, sign, constants in _plain(leaf):
            if about.name not in ranges:
                ranges[about.name] = _Range.of(about)
            ranges[about.name].narrow(sign, constants, holds)
    return any(one.is_void() for one in ranges.values())


def _words(leaf: Leaf) -> tuple[str, ...]:
    """What makes two leaves the same, wherever they stand."""
    match leaf:
        case Compared(left, sign, right):
            return (left.text, sign, right.text)
        case OneOf(term, items):
            return (term.text, "in", *sorted(item.text for item in items))
        case HasWord(about, word):
            return (about.name, "has", word)
    return (leaf.term.text, type(leaf).__name__)


def _plain(leaf: Leaf) -> Iterator[tuple[Field, str, tuple[Any, ...]]]:
    """The field, the sign and the constants of a leaf about one field."""
    match leaf:
        case Compared(left, sign, right):
            if left.field and _is_plain(right):
                yield left.field, sign, (right.value,)
            elif right.field and _is_plain(left):
                yield right.field, _MIRRORED[sign], (left.value,)
        case OneOf(term, items) if term.field and all(map(_is_plain, items)):
            yield term.field, "==", tuple(item.value for item in items)
        case IsTrue(term) if term.field:
            yield term.field, "==", (True,)
        case IsFalse(term) if term.field:
            yield term.field, "==", (False,)
        case IsEmpty(term) if term.field:
            yield term.field, "empty", ()


def _is_plain(term: Term) -> bool:
    return term.constant and term.sum is None


@dataclass
class _Range:
    """What a field can still be."""

    whole: bool
    """Only whole numbers."""
    empty: bool
    """It may be empty."""
    filled: bool = True
    """It may have a value."""
    among: set[Any] | None = None
    """One of these; nothing when it may be any."""
    others: set[Any] = field(default_factory=set)
    """None of these."""
    bounds: list[tuple[str, Any]] = field(default_factory=list)

    @classmethod
    def of(cls, about: Field) -> "_Range":
        made = cls(whole=about.type is FieldType.INTEGER, empty=not about.always)
        if about.type is FieldType.BOOLEAN:
            made.among = {True, False}
        if isinstance(about.value, CountOf | DaysSinceLatest):
            made.bounds.append((">=", 0))
        return made

    def narrow(self, sign: str, constants: tuple[Any, ...], holds: bool) -> None:
        """A comparison with an empty field is false, so only one that fails leaves it empty."""
        if sign == "empty":
            self.filled, self.empty = self.filled and not holds, self.empty and holds
            return
        self.empty = self.empty and not holds
        if sign == "==" and holds:
            self.among = set(constants) if self.among is None else self.among & set(constants)
        elif sign == "==":
            self.others |= set(constants)
        else:
            self.bounds.append((sign if holds else _OPPOSITE[sign], constants[0]))

    def is_void(self) -> bool:
        """Nothing is left of it."""
        return not self.empty and not (self.filled and self._has_value())

    def _has_value(self) -> bool:
        if self.among is not None:
            return any(self._fits(value) for value in self.among - self.others)
        lows = [self._from(sign, value) for sign, value in self.bounds if sign[0] == ">"]
        highs = [self._to(sign, value) for sign, value in self.bounds if sign[0] == "<"]
        if not lows or not highs:
            return True
        # Of equal bounds the one that leaves the value itself out is the narrower.
        (low, low_open), (high, high_closed) = max(lows), min(highs)
        if low == high:
            return not low_open and high_closed and low not in self.others
        return bool(low < high)

    def _from(self, sign: str, value: Any) -> tuple[Any, bool]:
        if self.whole:
            return (math.floor(value) + 1 if sign == ">" else math.ceil(value)), False
        return value, sign == ">"

    def _to(self, sign: str, value: Any) -> tuple[Any, bool]:
        if self.whole:
            return (math.ceil(value) - 1 if sign == "<" else math.floor(value)), True
        return value, sign == "<="

    def _fits(self, value: Any) -> bool:
        return all(_COMPARED[sign](value, bound) for sign, bound in self.bounds)

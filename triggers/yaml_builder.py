"""Builds plain data and its positions from YAML events, and refuses what we do not read."""

import math
import re
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from yaml import events

Mistake: TypeAlias = tuple[int, int, str, str]
"""Line, column, what is wrong, how to mend it."""
Location: TypeAlias = tuple[str | int, ...]

DEEPEST = 32
MOST_VALUES = 20_000
MOST_MISTAKES = 20

_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"-?(\.[0-9]+|(0|[1-9][0-9]*)(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_LONGEST_NUMBER = 18
_KEY = "write a word before the colon; a template such as {{ … }} needs quotes around it"


class Refused(Exception):
    """Reading cannot go on."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake[2])
        self.mistake = mistake


@dataclass
class _Open:
    """A list or mapping that has begun and not ended."""

    loc: Location
    container: dict[str, Any] | list[Any]
    key: str | None = None
    """The key whose value comes next, in a mapping."""
    repeated: bool = False
    """That key was there before: its value is read and dropped."""


@dataclass
class Builder:
    """Takes a parser's events one by one. `root` is the data once all were taken."""

    root: Any = None
    complete: bool = True
    mistakes: list[Mistake] = field(default_factory=list)
    keys: dict[Location, tuple[int, int]] = field(default_factory=dict)
    values: dict[Location, tuple[int, int]] = field(default_factory=dict)
    scalars: dict[Location, tuple[int, int, str]] = field(default_factory=dict)
    """First and last index in the text, and the style: one of ``|``, ``>``, quotes, or nothing."""
    _open: list[_Open] = field(default_factory=list)
    _documents: int = 0
    _count: int = 0
    _anchors: set[str] = field(default_factory=set)

    def take(self, event: Any) -> None:
        """One event. Raises `Refused` when nothing after it can be trusted."""
        match event:
            case events.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    fix = "make a file of each, or remove the line `---`"
                    raise Refused(_at(event, "there is more than one document in the file", fix))
            case events.MappingEndEvent() | events.SequenceEndEvent():
                self._open.pop()
            case events.NodeEvent():
                self._node(event)

    def _node(self, event: Any) -> None:
        self._count += 1
        if self._count > MOST_VALUES:
            raise Refused(_at(event, "the file holds too many values", "split it"))
        self._check_anchor(event)
        if isinstance(event, events.AliasEvent):
            self.complete = False
            self._place(event, None)
            return
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")[:40]
            self._wrong(event, f"tags such as `{tag}` are not read", "remove it")
        if isinstance(event, events.ScalarEvent):
            self._scalar(event)
            return
        if len(self._open) >= DEEPEST:
            raise Refused(_at(event, "the file is nested too deeply", "use fewer levels"))
        container: dict[str, Any] | list[Any] = (
            {} if isinstance(event, events.MappingStartEvent) else []
        )
        self._open.append(_Open(self._place(event, container), container))

    def _scalar(self, event: Any) -> None:
        parent = self._open[-1] if self._open else None
        if parent and isinstance(parent.container, dict) and parent.key is None:
            self._key(event, parent, parent.container)
            return
        value = event.value if event.style else self._plain(event)
        loc = self._place(event, value)
        if isinstance(value, str):
            self.scalars[loc] = (event.start_mark.index, event.end_mark.index, event.style or " ")

    def _key(self, event: Any, parent: _Open, mapping: dict[str, Any]) -> None:
        parent.key = event.value
        parent.repeated = event.value in mapping
        if parent.repeated:
            line, _ = self.keys[(*parent.loc, event.value)]
            fix = f"keep one of the two; the other is in line {line}"
            self._wrong(event, f"the key `{event.value[:60]}` is there twice", fix)
        else:
            self.keys[(*parent.loc, event.value)] = _mark(event)

    def _place(self, event: Any, value: Any) -> Location:
        """Put a value where it belongs, and say where that is."""
        if not self._open:
            self.root = value
            self.values[()] = _mark(event)
            return ()
        parent = self._open[-1]
        if isinstance(parent.container, list):
            loc: Location = (*parent.loc, len(parent.container))
            parent.container.append(value)
        elif parent.key is None:
            raise Refused(_at(event, "a key has to be a word", _KEY))
        elif parent.repeated:
            parent.key = None
            # Where it leads nobody looks: the first value of a key counts.
            return (*parent.loc, _REPEATED)
        else:
            loc = (*parent.loc, parent.key)
            parent.container[parent.key] = value
            parent.key = None
        self.values[loc] = _mark(event)
        return loc

    def _plain(self, event: Any) -> Any:
        """The value of a scalar without quotes."""
        text = event.value
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if not (_INTEGER.fullmatch(text) or _FLOAT.fullmatch(text)):
            return text
        if len(text) <= _LONGEST_NUMBER:
            if not _INTEGER.fullmatch(text):
                number = float(text)
            else:
                number = int(text, 0) if text[:2] in ("0o", "0x") else int(text)
            if math.isfinite(number):
                return number
        self._wrong(event, "the number is too large", "if it is a code, put it in quotes")
        return text

    def _check_anchor(self, event: Any) -> None:
        if event.anchor is None or event.anchor in self._anchors:
            return
        self._anchors.add(event.anchor)
        sign = "*" if isinstance(event, events.AliasEvent) else "&"
        fix = "write the value out in each place"
        self._wrong(event, f"aliases such as `{sign}{event.anchor[:40]}` are not read", fix)

    def _wrong(self, event: Any, message: str, fix: str) -> None:
        self.mistakes.append(_at(event, message, fix))
        if len(self.mistakes) >= MOST_MISTAKES:
            raise Refused(_at(event, "there are too many mistakes", "mend these first"))


_REPEATED = "\0"
"""Stands for a repeated key in locations; no key can be spelt so."""


def _mark(event: Any) -> tuple[int, int]:
    return event.start_mark.line + 1, event.start_mark.column + 1


def _at(event: Any, message: str, fix: str) -> Mistake:
    line, column = _mark(event)
    return line, column, message, fix

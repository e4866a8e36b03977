"""YAML as people expect it, with the line and column of everything in it.

The values are those of YAML 1.2's core schema (https://yaml.org/spec/1.2.2/#103-core-schema),
with one narrowing: a number that starts with a plus or a needless zero stays text, because it is
a phone number or a code. So `on`, `no`, `10:30`, `2026-11-22`, `+919876543210` and `007` are
text. Keys are always text.

The tree is built from the parser's events, without recursion: a hostile file is refused at the
first bracket too many, before anything is built from it.
"""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from triggers.problems import Problem
from triggers.yaml_builder import Builder, Location, Refused
from triggers.yaml_mistakes import in_our_words

Position: TypeAlias = tuple[int, int]

LARGEST = 256 * 1024
"""Bytes of a file."""
_DIRECTIVE = re.compile(r"(?:\A|[\r\n\x85\u2028\u2029])%")
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass
class Source:
    """What a file holds, and where. `data` is None when the file could not be read at all."""

    name: str
    text: str = ""
    data: Any = None
    problems: list[Problem] = field(default_factory=list)
    complete: bool = False
    """False when parts are missing from `data`: what is left says too little to judge it."""
    _keys: dict[Location, Position] = field(default_factory=dict)
    _values: dict[Location, Position] = field(default_factory=dict)
    _scalars: dict[Location, tuple[int, int, str]] = field(default_factory=dict)

    def position(self, loc: Location, *, key: bool = False) -> Position:
        """Line and column, from 1, of a value or its key; of the nearest parent if it has none."""
        first, second = (self._keys, self._values) if key else (self._values, self._keys)
        for end in range(len(loc), 0, -1):
            if found := first.get(loc[:end]) or second.get(loc[:end]):
                return found
        return self._values.get((), (1, 1))

    def position_within(self, loc: Location, offset: int) -> Position:
        """Line and column of a character of a text, given its offset in the text's value."""
        if loc not in self._scalars:
            return self.position(loc)
        begin, end, style = self._scalars[loc]
        value = self.data
        for part in loc:
            value = value[part]
        at = _index_of(str(value), offset, self.text[begin:end], style)
        return _line_and_column(self.text, begin + at)

    def problem(self, loc: Location, message: str, fix: str = "", *, key: bool = False) -> Problem:
        """A problem at a location of this file."""
        line, column = self.position(loc, key=key)
        return Problem(self.name, line, column, message, fix)

    def warning(self, loc: Location, message: str, fix: str = "") -> Problem:
        """The same of what runs, and is probably not meant so."""
        return replace(self.problem(loc, message, fix), severity="warning")


def read_yaml(path: Path, shown_as: str | None = None) -> Source:
    """Read a file. Whatever is wrong with it is in `Source.problems`; nothing is raised."""
    name = shown_as or str(path)
    try:
        with path.open("rb") as file:
            raw = file.read(LARGEST + 1)
    except OSError as error:
        reason = error.strerror or "it cannot be opened"
        return _refused(name, 1, 1, f"the file cannot be read: {reason}", "check the path")
    if len(raw) > LARGEST:
        return _too_large(name)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line, column = _line_and_column(raw[: error.start].decode("utf-8", "replace"), None)
        return _refused(name, line, column, "the file is not UTF-8", "save it as UTF-8")
    return parse_yaml(text, name)


def parse_yaml(text: str, name: str) -> Source:
    """Read YAML from a text; `name` stands for the file in its problems."""
    if len(text) > LARGEST:
        return _too_large(name)
    if bad := _UNPRINTABLE.search(text):
        code = f"U+{ord(bad[0]):04X}"
        at = _line_and_column(text, bad.start())
        return _refused(name, *at, f"the character {code} cannot be seen", "remove it")
    if directive := _DIRECTIVE.search(text):
        at = _line_and_column(text, directive.end() - 1)
        return _refused(name, *at, "YAML directives are not used here", "remove the line")
    builder = Builder()
    source = Source(name, text)
    try:
        for event in yaml.parse(text, Loader=yaml.CSafeLoader):
            builder.take(event)
    except Refused as refused:
        builder.mistakes.append(refused.mistake)
    except yaml.MarkedYAMLError as error:
        builder.mistakes.append(in_our_words(error, text))
    else:
        source.data, source.complete = builder.root, builder.complete
        source._keys, source._values = builder.keys, builder.values
        source._scalars = builder.scalars
        if builder.root is None and not builder.mistakes:
            builder.mistakes.append((1, 1, "the file is empty", "write something, or delete it"))
    source.problems = [Problem(name, *mistake) for mistake in builder.mistakes]
    source.complete = source.complete and source.data is not None
    return source


def _refused(name: str, line: int, column: int, message: str, fix: str) -> Source:
    return Source(name, problems=[Problem(name, line, column, message, fix)])


def _too_large(name: str) -> Source:
    message = f"the file is larger than {LARGEST // 1024} KB"
    return _refused(name, 1, 1, message, "split it into several files")


def _line_and_column(text: str, index: int | None) -> Position:
    before = text[:index].replace("\r\n", "\n").replace("\r", "\n")
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def _index_of(value: str, offset: int, raw: str, style: str) -> int:
    """Where in `raw`, as written, the character `offset` of its `value` stands.

    The two are walked together: line ends, indentation, quotes and escapes are in `raw` only.
    """
    index = raw.find("\n") + 1 if style in "|>" else int(style in "'\"")
    for letter in value[:offset]:
        index = _skip_unread(raw, index, letter) + 1
    return _skip_unread(raw, index, value[offset] if offset < len(value) else "")


def _skip_unread(raw: str, index: int, letter: str) -> int:
    if letter.isspace():
        if letter != "\n" and index < len(raw) and raw[index] in "\r\n":
            # A folded line: its break and the indentation after it are one space.
            while index + 1 < len(raw) and raw[index + 1].isspace():
                index += 1
        return index
    # A backslash and a doubled quote stand before the letter that they protect.
    while (
        index < len(raw) and raw[index] != letter and (raw[index].isspace() or raw[index] in "\\'")
    ):
        index += 1
    return index

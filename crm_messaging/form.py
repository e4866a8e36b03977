"""A form: a template whose words that are alike for everybody have been encoded once.

Jinja is given the template without its texts, and with a mark where each run of texts and values
begins. What it yields for a customer are her values, some hundred characters in place of many
thousand, and marks that tell what belongs around them. That is put together and encoded when marks
and values first come in this succession (an `if` makes two).

Links to our own pages are printed as they are: Jinja is not asked for those either.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from secrets import token_hex
from typing import Any, NamedTuple

from jinja2 import Environment, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import escape

from crm_messaging.message_fields import LINKS
from crm_messaging.mime_words import MAX_LINE
from crm_messaging.wire_text import (
    BOUNDARY_BEGIN,
    CONTROLS,
    WireText,
    encoded,
    is_clean,
    longest_line,
)

MAX_SHAPES = 64
"""Of one form; a text of another shape is made the plain way."""
MAX_OCTETS = 256 * 1024
"""A text that is longer is made the plain way, which knows how long one may be."""

_MARK = token_hex(8)
"""No customer's value is one with it: nobody knows it before this process has begun."""
_BETWEEN = "`"
"""Between values that are looked at together. One that holds it is made the plain way."""
_SEPARATOR, _BOUNDARY = _BETWEEN.encode(), BOUNDARY_BEGIN.decode()
_NEVER = re.escape(f"{CONTROLS.decode()}\t\r\n{_BETWEEN}") + r"\ud800-\udfff"
_VALUE = rf"(?![._\s])[^{_NEVER}]++(?<!\s)"
_TAME = re.compile(f"{_VALUE}(?:{_BETWEEN}{_VALUE})*")
"""Values to which it makes no difference what is around them, but for `_BOUNDARY` inside.

Then each is a part of one line, none is white space or becomes a line's, and none makes up, with
its neighbours, what `is_clean` looks for.
"""
_LINK = re.compile(r"[A-Za-z0-9][A-Za-z0-9:/.%~_\[\]-]*")
"""Addresses that are tame, and the same in HTML. No other text is a link to a page of ours."""


class _Shape(NamedTuple):
    """What stands around the values of all texts that are alike but for these."""

    values: tuple[int, ...]
    """Which pieces they are."""
    links: tuple[str, ...]
    """The names of the links among them."""
    around: tuple[bytes, ...]
    """One more than there are values and links."""
    ordered: Callable[[tuple[bytes, ...]], tuple[bytes, ...]]
    """The text's pieces in order, from what is around, values and links, one after the other."""
    length: int
    longest_line: int
    """In octets, as if all values and links were empty."""
    is_ascii: bool


_Key = tuple[int | None, ...]
"""Of each piece the run that begins there; `None` for a value."""


class _Link(NamedTuple):
    """The place of a link to a page of ours."""

    name: str


_Run = list[str | _Link | None]
"""Texts and links; `None` for a value."""


def links_in(values: Mapping[str, Any]) -> dict[str, bytes]:
    """Those of a template's `values` that `Form.filled` can print as they are, by name."""
    return {
        name: url.encode()
        for name, url in values.get(LINKS, {}).items()
        if type(url) is str and _LINK.fullmatch(url)
    }


class Form:
    """A template's tree as a form. `tidy` is what is done with a text when it is finished."""

    def __init__(
        self, environment: Environment, tree: nodes.Template, tidy: Callable[[str], str]
    ) -> None:
        marking = _Marking(environment)
        self.template = environment.from_string(marking.visit(tree))
        """Yields what `filled` takes."""
        self._runs = marking.runs
        self._run_of = {_mark(number): number for number in range(len(marking.runs))}
        self._tidy = tidy
        self._shapes: dict[_Key, _Shape | None] = {}

    def filled(self, pieces: Sequence[str], links: Mapping[str, bytes]) -> WireText | None:
        """The finished text, from what `template` yields for a customer's values, and `links_in`
        these.

        `None` when it has to be looked at as a whole: a value begins with a dot, say, or has
        several lines; or a link is not there. Then it is made the plain way.
        """
        shape = self._shape(tuple(map(self._run_of.get, pieces)))
        if shape is None:
            return None
        values = [pieces[at] for at in shape.values]
        together = _BETWEEN.join(values)
        if values and (not _TAME.fullmatch(together) or _BOUNDARY in together):
            return None
        try:
            hers = [links[name] for name in shape.links]
        except KeyError:
            return None
        encoded_together = together.encode()
        octets = encoded_together.split(_SEPARATOR) if values else []
        length = len(encoded_together) + sum(map(len, hers))
        if shape.length + length > MAX_OCTETS or len(octets) != len(values):
            return None
        made = shape.ordered((*shape.around, *octets, *hers))
        short = shape.longest_line + length <= MAX_LINE
        return WireText(
            made,
            clean=True,
            is_ascii=shape.is_ascii and together.isascii(),
            has_short_lines=short or longest_line(b"".join(made)) <= MAX_LINE,
        )

    def _shape(self, key: _Key) -> _Shape | None:
        try:
            return self._shapes[key]
        except KeyError:
            if len(self._shapes) >= MAX_SHAPES:
                return None
            made = self._shapes[key] = self._shape_of(key)
            return made

    def _shape_of(self, key: _Key) -> _Shape | None:
        """`None` where the texts themselves need a second look."""
        texts = [text for run in key if run is not None for text in self._runs[run]]
        whole = "".join(text if isinstance(text, str) else _MARK for text in texts)
        octets = encoded(self._tidy(whole))
        around = tuple(octets.split(_MARK.encode()))
        if not is_clean(octets) or any(one.startswith(b"_") for one in around[1:]):
            return None
        rest = b"".join(around)
        values = tuple(at for at, run in enumerate(key) if run is None)
        holes = [text for text in texts if not isinstance(text, str)]
        links = tuple(hole.name for hole in holes if hole is not None)
        return _Shape(
            *(values, links, around, _in_order(holes)),
            *(len(rest), longest_line(rest), rest.isascii()),
        )


def _in_order(holes: Sequence[_Link | None]) -> Callable[[tuple[bytes, ...]], tuple[bytes, ...]]:
    """`_Shape.ordered` for these places of links and values."""
    if not holes:
        return tuple
    value, link = len(holes) + 1, len(holes) + 1 + holes.count(None)
    order = [0]
    for around, hole in enumerate(holes, 1):
        if hole is None:
            order += value, around
            value += 1
        else:
            order += link, around
            link += 1
    return itemgetter(*order)


def _mark(number: int) -> str:
    return f"{_MARK}{number}"


class _Marking(NodeTransformer):
    """Takes texts and links out, and puts a mark where each run of texts and values begins."""

    def __init__(self, environment: Environment) -> None:
        self.runs: list[_Run] = []
        self._evaluation = nodes.EvalContext(environment)

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802 - Jinja's way
        run = [self._known(child) for child in node.nodes]
        values = [child for child, known in zip(node.nodes, run, strict=True) if known is None]
        mark = nodes.TemplateData(_mark(len(self.runs)))
        self.runs.append(run)
        return nodes.Output([mark, *values], lineno=node.lineno)

    def _known(self, node: nodes.Expr) -> str | _Link | None:
        """What stands there for everybody, as Jinja would print it; or which link."""
        if isinstance(node, nodes.Getattr) and node.node == nodes.Name(LINKS, "load"):
            return _Link(node.attr)
        try:
            value = node.as_const(self._evaluation)
        except nodes.Impossible:
            return None
        return str(escape(value) if self._evaluation.autoescape else value)

"""A form: a template whose words that are alike for everybody have been encoded once.

Jinja is given the template without its texts, and with a mark where each run of texts and values
begins. What it yields for a customer are her values, some hundred characters in place of many
thousand, and marks that tell what belongs around them. That is put together and encoded when marks
and values first come in this succession (an `if` makes two).

Links to our own pages are printed as they are: Jinja is not asked for those either.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, NamedTuple

from jinja2 import Environment, nodes
from jinja2.runtime import Context
from jinja2.visitor import NodeTransformer
from markupsafe import escape

from crm_messaging.form_shape import MARK, OwnLink, Run, Shape, shape_of
from crm_messaging.message_fields import LINKS
from crm_messaging.wire_text import BOUNDARY_BEGIN, CONTROLS, WireText

MAX_SHAPES = 64
"""Of one form; a text of another shape is made the plain way."""
MAX_PIECES = 100
"""That Jinja yields; one who gets more has her texts made the plain way."""

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


class Text(NamedTuple):
    """One of a form's texts; `tidy` is what is done with it when it is finished."""

    environment: Environment
    tree: nodes.Template
    tidy: Callable[[str], str]


_Key = tuple[int | None, ...]
"""Of each piece the run that begins there; `None` for a value."""


def is_tame(link: object) -> bool:
    """Whether a form can print this as it is; also if letters, digits, `-` and `_` follow."""
    return type(link) is str and _LINK.fullmatch(link) is not None


def links_in(values: Mapping[str, Any]) -> dict[str, bytes]:
    """Those of the links in a template's `values` that a form can print as they are, by name."""
    return {name: url.encode() for name, url in values.get(LINKS, {}).items() if is_tame(url)}


class Form:
    """The texts of a message as a form."""

    def __init__(self, texts: Sequence[Text]) -> None:
        self._runs: list[Run] = []
        self._text_of: list[int] = []
        """The text in which each run is."""
        self._render: list[Callable[[Context], Iterator[str]]] = []
        for number, (environment, tree, _) in enumerate(texts):
            marked = _Marking(environment, self._runs).visit(tree)
            self._render.append(environment.from_string(marked).root_render_func)
            self._text_of += [number] * (len(self._runs) - len(self._text_of))
        self._run_of = {_mark(number): number for number in range(len(self._runs))}
        self._tidy = [text.tidy for text in texts]
        self._shapes: dict[_Key, Shape | None] = {}

    def filled(self, context: Context, links: Mapping[str, bytes]) -> list[WireText] | None:
        """The finished texts for a customer; `links` are `links_in` her values.

        `None` when they have to be looked at as a whole: a value begins with a dot, say, or has
        several lines; or a link is not there. Then they are made the plain way.
        """
        pieces: list[str] = []
        for render in self._render:
            pieces += islice(render(context), MAX_PIECES)
        shape = self._shape(tuple(map(self._run_of.get, pieces)))
        if shape is None:
            return None
        values = [pieces[at] for at in shape.values]
        together = _BETWEEN.join(values)
        if values and (not _TAME.fullmatch(together) or _BOUNDARY in together):
            return None
        try:
            hers = [*map(links.__getitem__, shape.links)]
        except KeyError:
            return None
        octets = together.encode().split(_SEPARATOR) if values else []
        if len(octets) != len(values):
            return None
        return shape.filled(octets, hers)

    def _shape(self, key: _Key) -> Shape | None:
        try:
            return self._shapes[key]
        except KeyError:
            if len(self._shapes) >= MAX_SHAPES or len(key) >= MAX_PIECES:
                return None
            runs: list[Run] = [[] for _ in self._tidy]
            for number in key:
                if number is not None:
                    runs[self._text_of[number]] += self._runs[number]
            values = [at for at, number in enumerate(key) if number is None]
            made = self._shapes[key] = shape_of(runs, self._tidy, values)
            return made


def _mark(number: int) -> str:
    return f"{MARK}{number}"


class _Marking(NodeTransformer):
    """Takes texts and links out, and puts a mark where each run of texts and values begins."""

    def __init__(self, environment: Environment, runs: list[Run]) -> None:
        self.runs = runs
        """It adds to these."""
        self._evaluation = nodes.EvalContext(environment)

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802 - Jinja's way
        run = [self._known(child) for child in node.nodes]
        values = [child for child, known in zip(node.nodes, run, strict=True) if known is None]
        mark = nodes.TemplateData(_mark(len(self.runs)))
        self.runs.append(run)
        return nodes.Output([mark, *values], lineno=node.lineno)

    def _known(self, node: nodes.Expr) -> str | OwnLink | None:
        """What stands there for everybody, as Jinja would print it; or which link."""
        if isinstance(node, nodes.Getattr) and node.node == nodes.Name(LINKS, "load"):
            return OwnLink(node.attr)
        try:
            value = node.as_const(self._evaluation)
        except nodes.Impossible:
            return None
        return str(escape(value) if self._evaluation.autoescape else value)

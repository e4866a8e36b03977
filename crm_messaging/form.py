"""A form: a template whose words that are alike for everybody have been encoded once.

Jinja is given the template without its texts, and with a mark where each run of texts and values
begins. What it yields for a customer are her values, some hundred characters in place of many
thousand, and marks that tell what belongs around them. That is put together and encoded when marks
and values first come in this succession (an `if` makes two).
"""

from collections.abc import Callable, Sequence
from secrets import token_hex
from typing import NamedTuple

from jinja2 import Environment, nodes
from jinja2.visitor import NodeTransformer
from markupsafe import escape

from crm_messaging.mime_words import MAX_LINE
from crm_messaging.wire_text import WireText, encoded, is_clean, longest_line

MAX_SHAPES = 64
"""Of one form; a text of another shape is made the plain way."""
MAX_OCTETS = 256 * 1024
"""A text that is longer is made the plain way, which knows how long one may be."""

_MARK = token_hex(8)
"""No customer's value is one with it: nobody knows it before this process has begun."""
_BETWEEN = "`"
"""Between values that are looked at together. One that holds it is made the plain way."""
_DOT, _UNDERSCORE = f"{_BETWEEN}.".encode(), f"{_BETWEEN}_".encode()
"""As the next value's beginning."""


class _Shape(NamedTuple):
    """What stands around the values of all texts that are alike but for these."""

    values: tuple[int, ...]
    """Which pieces they are."""
    around: tuple[bytes, ...]
    """One more than there are values."""
    length: int
    longest_line: int
    """In octets, as if all values were empty."""
    is_ascii: bool


_Key = tuple[int | None, ...]
"""Of each piece the run that begins there; `None` for a value."""


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

    def filled(self, pieces: Sequence[str]) -> WireText | None:
        """The finished text, from what `template` yields for a customer's values.

        `None` when it has to be looked at as a whole: a value begins with a dot, say, or has
        several lines. Then it is made the plain way.
        """
        shape = self._shape(tuple(map(self._run_of.get, pieces)))
        if shape is None:
            return None
        values = [pieces[at] for at in shape.values]
        together = _BETWEEN.join(values)
        encoded_together = encoded(together)
        octets = encoded_together.split(_BETWEEN.encode()) if values else []
        length = sum(map(len, octets))
        if not _are_tame(values, encoded_together) or len(octets) != len(values):
            return None
        if shape.length + length > MAX_OCTETS:
            return None
        made = [b""] * (2 * len(octets) + 1)
        made[::2], made[1::2] = shape.around, octets
        short = shape.longest_line + length <= MAX_LINE
        return WireText(
            tuple(made),
            clean=True,
            is_ascii=shape.is_ascii and encoded_together.isascii(),
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
        whole = "".join(_MARK if text is None else text for text in texts)
        octets = encoded(self._tidy(whole))
        around = tuple(octets.split(_MARK.encode()))
        if not is_clean(octets) or any(one.startswith(b"_") for one in around[1:]):
            return None
        rest = b"".join(around)
        values = tuple(at for at, run in enumerate(key) if run is None)
        return _Shape(values, around, len(rest), longest_line(rest), rest.isascii())


def _mark(number: int) -> str:
    return f"{_MARK}{number}"


def _are_tame(values: list[str], together: bytes) -> bool:
    """Whether it makes no difference to these values what is around them.

    Then each is a part of one line, none is white space or becomes a line's, and none makes up,
    with its neighbours, what `is_clean` looks for.
    """
    return (
        is_clean(together)
        and b"\n" not in together
        and not together.startswith(b"_")
        and _DOT not in together
        and _UNDERSCORE not in together
        and all(values)
        and values == [*map(str.strip, values)]
    )


class _Marking(NodeTransformer):
    """Takes the texts out, and puts a mark where each run of texts and values begins."""

    def __init__(self, environment: Environment) -> None:
        self.runs: list[list[str | None]] = []
        """The texts of each; `None` for a value."""
        self._evaluation = nodes.EvalContext(environment)

    def visit_Output(self, node: nodes.Output) -> nodes.Node:  # noqa: N802 - Jinja's way
        run = [self._text(child) for child in node.nodes]
        values = [child for child, text in zip(node.nodes, run, strict=True) if text is None]
        mark = nodes.TemplateData(_mark(len(self.runs)))
        self.runs.append(run)
        return nodes.Output([mark, *values], lineno=node.lineno)

    def _text(self, node: nodes.Expr) -> str | None:
        """What stands there for everybody, as Jinja would print it."""
        try:
            value = node.as_const(self._evaluation)
        except nodes.Impossible:
            return None
        return str(escape(value) if self._evaluation.autoescape else value)

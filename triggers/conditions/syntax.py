"""From a condition's text to Jinja's tree, with the character at which each node stands.

Jinja's own lexer and parser do the reading, so that a condition is read exactly as the same
words in a template are. Jinja counts lines; we hand its parser tokens whose line number is the
offset of their first character, and find that offset again in `node.lineno`.
"""

import re
from collections.abc import Iterator

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

LONGEST = 2000
"""Characters of a condition."""
MOST_TOKENS = 600
DEEPEST = 20
"""Brackets within brackets."""

_ENVIRONMENT = Environment()  # noqa: S701 - it only parses, nothing is rendered
_TOO_DEEP = ("the condition is nested too deeply", "split it, or drop brackets it does not need")

_WRITTEN_OTHERWISE: dict[str, str] = {
    "=": "write `==` to compare",
    "=>": "write `>=`",
    "=<": "write `<=`",
    "&": "write `and`",
    "&&": "write `and`",
    "AND": "write `and` in small letters",
    "And": "write `and` in small letters",
    "|": "write `or`",
    "||": "write `or`",
    "OR": "write `or` in small letters",
    "Or": "write `or` in small letters",
    "!": "write `not`",
    "NOT": "write `not` in small letters",
    "IN": "write `in` in small letters",
    "IS": "write `is none` in small letters",
    "LIKE": 'only whole values are compared: write `==` or `in ["a", "b"]`',
    "like": 'only whole values are compared: write `==` or `in ["a", "b"]`',
    "<>": "write `!=`",
    "“": 'use straight quotes, as in "annual"',
    "”": 'use straight quotes, as in "annual"',
    "‘": 'use straight quotes, as in "annual"',
    "’": 'use straight quotes, as in "annual"',
    "{{": "write the condition without {{ and }}",
    "}}": "write the condition without {{ and }}",
}
"""What people write who know another language, and how it is said here."""


class ConditionError(Exception):
    """A condition that cannot be read. `offset` counts characters from the text's first."""

    def __init__(self, message: str, fix: str, offset: int) -> None:
        super().__init__(f"{message}; {fix}" if fix else message)
        self.message = message
        self.fix = fix
        self.offset = offset


def parse_tree(text: str) -> nodes.Expr:
    """Jinja's tree of an expression; `lineno` of its nodes is an offset into `text`."""
    if len(text) > LONGEST:
        shorter = f"write at most {LONGEST} characters"
        raise ConditionError(f"the condition has {len(text)} characters", shorter, LONGEST)
    if (brace := text.find("{{")) >= 0:
        raise ConditionError(*_unexpected(text, brace), brace)
    try:
        return _parsed(text)
    except TemplateSyntaxError as error:
        raise ConditionError(*_unexpected(text, error.lineno), error.lineno) from error
    except RecursionError as error:
        raise ConditionError(*_TOO_DEEP, 0) from error


def _parsed(text: str) -> nodes.Expr:
    parser = Parser(_ENVIRONMENT, "", state="variable")
    tokens = _Offsets(text.replace("\r", " ").replace("\n", " "))
    parser.stream = TokenStream(_ENVIRONMENT.lexer.wrap(tokens), None, None)
    if parser.stream.eos:
        raise ConditionError("the condition is empty", "write one, or leave the key out", 0)
    try:
        tree = parser.parse_expression()
        if not parser.stream.eos:
            parser.fail("more after the end", parser.stream.current.lineno)
    except TemplateSyntaxError as error:
        if parser.stream.eos:
            error.lineno = len(text)
        raise
    return tree


def split_at_and(text: str) -> list[str]:
    """The parts of a condition that `and` joins, as they are written.

    One part, the whole, where an `or` stands beside it: `and` then joins only some of it.
    """
    parts, begin, depth = [], 0, 0
    for offset, kind, value in _Offsets(text.replace("\r", " ").replace("\n", " ")):
        if kind == "operator":
            depth += (value in "([{") - (value in ")]}")
        elif kind == "name" and depth == 0:
            if value in ("or", "if"):
                return [text]
            if value == "and":
                parts.append(text[begin:offset].strip())
                begin = offset + len(value)
    return [*parts, text[begin:].strip()]


class _Offsets:
    """Jinja's tokens, each with its offset in place of its line."""

    def __init__(self, text: str) -> None:
        self._text = text

    def __iter__(self) -> Iterator[tuple[int, str, str]]:
        offset = depth = 0
        try:
            tokens = _ENVIRONMENT.lexer.tokeniter(self._text, None, state="variable")
            for count, (_, kind, value) in enumerate(tokens):
                if kind == "operator":
                    depth += (value in "([{") - (value in ")]}")
                if depth > DEEPEST:
                    raise ConditionError(*_TOO_DEEP, offset)
                if count > MOST_TOKENS:
                    raise ConditionError("the condition is too long", "split it", offset)
                yield offset, kind, value
                offset += len(value)
        except TemplateSyntaxError as error:
            error.lineno = offset
            raise


def _unexpected(text: str, at: int) -> tuple[str, str]:
    """What stands at an offset where it cannot, and what was probably meant."""
    rest = text[at:]
    if not rest.strip():
        return "the condition breaks off", "complete it, or remove what is left over"
    if rest[0] in "\"'" and rest.count(rest[0]) == 1:
        return "a quotation mark is missing", f"end the text with {rest[0]}"
    match = re.match(r"\w+|<>|=>|=<|&&|\|\||\{\{|\}\}|.", rest)
    word = match[0] if match else rest[0]
    fix = _WRITTEN_OTHERWISE.get(word, "check the words before it: an `and`, a value or a bracket?")
    return f"`{word}` is not expected here", fix

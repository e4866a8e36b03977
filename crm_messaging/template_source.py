"""Reading Jinja source with exact places: its tags, and a tree whose nodes know their offset.

Jinja keeps line numbers only. Here every token carries its offset in the text instead, so that a
mistake can be shown with its line and column, and a tag can be lifted out and put back.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.lexer import TokenStream
from jinja2.parser import Parser

from crm_messaging.template_problems import Mistake

Kind = Literal["output", "block", "comment"]
BLOCKS = ("if", "elif", "else", "endif", "for", "endfor")
"""The block tags there are."""
_TAG_BEGIN: dict[str, Kind] = {
    "variable_begin": "output",
    "block_begin": "block",
    "comment_begin": "comment",
}
_TAG_END = {"variable_end", "block_end", "comment_end"}


class Unreadable(Exception):
    """Jinja's grammar does not allow this text."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake.message)
        self.mistake = mistake


@dataclass(frozen=True)
class Tag:
    """One `{{ ... }}`, `{% ... %}` or `{# ... #}`: `text[start:end]` is it, delimiters included."""

    kind: Kind
    start: int
    end: int
    text: str
    """The tag as written."""
    inner: str
    """What stands between the delimiters."""

    @property
    def keyword(self) -> str:
        """The word a block begins with: `if`, `endfor`, ..."""
        return self.inner.split(None, 1)[0] if self.inner.strip() else ""


def tags_of(env: Environment, text: str) -> list[Tag]:
    """All tags of `text`, in order. Raises `Unreadable`."""
    tags: list[Tag] = []
    begin: tuple[int, Kind, int] | None = None
    for offset, kind, value in _tokens(env, text):
        if kind in _TAG_BEGIN:
            begin = offset, _TAG_BEGIN[kind], offset + len(value)
        elif kind in _TAG_END and begin is not None:
            start, what, inner = begin
            # A closing delimiter with a minus takes the white space after it along: not ours.
            end = offset + len(value.rstrip())
            tags.append(Tag(what, start, end, text[start:end], text[inner:offset]))
            begin = None
    if begin is not None:
        fix = "Write {{ ... }}, {% ... %} or {# ... #}."
        raise Unreadable(Mistake(begin[0], "this tag has no end", fix))
    return tags


def badly_nested(tags: Sequence[Tag]) -> list[Mistake]:
    """Block tags that are not offered, close nothing, or are never closed."""
    mistakes: list[Mistake] = []
    open_tags: list[Tag] = []
    for tag in (tag for tag in tags if tag.kind == "block" and tag.keyword):
        if tag.keyword not in BLOCKS:
            fix = f"There are {', '.join(BLOCKS)}."
            mistakes.append(Mistake(tag.start, f"there is no tag {{% {tag.keyword} %}}", fix))
        elif not tag.keyword.startswith("end"):
            if tag.keyword in ("if", "for"):
                open_tags.append(tag)
        elif not open_tags or tag.keyword != f"end{open_tags[-1].keyword}":
            message = f"this {{% {tag.keyword} %}} closes nothing"
            mistakes.append(Mistake(tag.start, message, "Take it out, or open it before."))
        else:
            open_tags.pop()
    for tag in open_tags:
        fix = f"Write {{% end{tag.keyword} %}} after it."
        message = f"this {{% {tag.keyword} %}} is never closed"
        mistakes.append(Mistake(tag.start, message, fix))
    return mistakes


def parse(env: Environment, text: str) -> nodes.Template:
    """The tree of `text`, each node's `lineno` being its offset. Raises `Unreadable`."""
    parser = Parser(env, "")
    try:
        parser.stream = TokenStream(env.lexer.wrap(_tokens(env, text)), None, None)
        return parser.parse()
    except TemplateSyntaxError as error:
        raise Unreadable(_mistake(error.lineno, error.message or "syntax error")) from None
    except RecursionError:
        raise Unreadable(Mistake(0, "the tags are nested too deeply", "Simplify them.")) from None
    except ValueError:
        fix = "Write a shorter number."
        raise Unreadable(Mistake(0, "a number has too many digits", fix)) from None


@lru_cache(maxsize=1)
def _tokens(env: Environment, text: str) -> Sequence[tuple[int, str, str]]:
    """Jinja's raw tokens, with offsets where Jinja has line numbers; a text's tree follows its
    tags."""
    return list(_lexed(env, text))


def _lexed(env: Environment, text: str) -> Iterator[tuple[int, str, str]]:
    offset = 0
    try:
        for _line, kind, value in env.lexer.tokeniter(text, None):
            # White space before `{%-` is left out of the tokens.
            while not text.startswith(value, offset):
                offset += 1
            if kind == "raw_begin":
                fix = 'To show braces, write {{ "{{" }}.'
                raise Unreadable(Mistake(offset, "there is no tag {% raw %}", fix))
            yield offset, kind, value
            offset += len(value)
    except TemplateSyntaxError as error:
        raise Unreadable(_mistake(offset, error.message or "syntax error")) from None


def _mistake(offset: int, message: str) -> Mistake:
    message = message[:1].lower() + message[1:].rstrip(".")
    fix = "Write {{ field }}, {{ field | filter }} or {% if condition %} ... {% endif %}."
    return Mistake(offset, f"this is not a tag Jinja can read: {message}", fix)

"""Block tags on lines of their own, in Markdown: between paragraphs, and inside lists.

Markdown would end a list at such a line and begin another after it. Here the list goes on, with
the tags between its items, so that a loop makes one list and a condition drops one item.
"""

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.token import Token

from crm_messaging.template_mask import BLOCK_WORD, Mask

BLOCK = "template_block"
_ONLY_BLOCKS = re.compile(rf"(?:{BLOCK_WORD.pattern}\s*)+")
_LISTS = ("bullet_list_open", "ordered_list_open")
Group = list[Token]
"""One token, or an opening token with everything up to its closing one."""


def block_lines(markdown: MarkdownIt) -> None:
    """A plugin: a line of block tags only becomes `BLOCK` tokens, and ends what is before it."""
    interrupts = ["paragraph", "reference", "blockquote", "list"]
    markdown.block.ruler.before("table", BLOCK, _block_line, {"alt": interrupts})


def _block_line(state: StateBlock, start_line: int, _end_line: int, silent: bool) -> bool:
    line = state.src[state.bMarks[start_line] + state.tShift[start_line] : state.eMarks[start_line]]
    if not _ONLY_BLOCKS.fullmatch(line):
        return False
    if not silent:
        for word in BLOCK_WORD.findall(line):
            state.push(BLOCK, "", 0).content = word
        state.line = start_line + 1
    return True


def arrange(tokens: Sequence[Token], mask: Mask) -> Group:
    """Lists joined across block tags, and conditional paragraphs freed of an empty `<p>`."""
    groups = [_arranged_inside(group, mask) for group in _groups(tokens)]
    arranged: Group = []
    while groups:
        run = _run(groups, mask)
        for part in _closed_parts(run, mask):
            arranged += _joined(part, mask)
        groups = groups[len(run) :]
    for token in arranged:
        if token.type == BLOCK:
            mask.set_alone(token.content)
    return arranged


def _groups(tokens: Sequence[Token]) -> Iterator[Group]:
    depth, group = 0, []
    for token in tokens:
        group.append(token)
        depth += token.nesting
        if depth == 0:
            yield group
            group = []


def _arranged_inside(group: Group, mask: Mask) -> Group:
    if group[0].type == "paragraph_open":
        return _freed(group, mask)
    if len(group) > 1:
        return [group[0], *arrange(group[1:-1], mask), group[-1]]
    return group


def _freed(paragraph: Group, mask: Mask) -> Group:
    """`<p>{% if %}text{% endif %}</p>` becomes `{% if %}<p>text</p>{% endif %}`."""
    opening, inline, closing = paragraph
    words = BLOCK_WORD.findall(inline.content)
    if len(words) != 2 or opening.hidden or mask.closer_of(words) != 1:
        return paragraph
    children = inline.children or []
    if not (inline.content.startswith(words[0]) and inline.content.endswith(words[1])):
        return paragraph
    children[0].content = children[0].content.removeprefix(words[0])
    children[-1].content = children[-1].content.removesuffix(words[1])
    return [_block(words[0]), opening, inline, closing, _block(words[1])]


def _block(word: str) -> Token:
    return Token(BLOCK, "", 0, content=word, block=True)


def _run(groups: Sequence[Group], mask: Mask) -> list[Group]:
    """The groups at the start that are block tags and lists of one kind; at least one group.

    Tags at its end that open a block belong to what follows.
    """
    kind, run = None, []
    for group in groups:
        if group[0].type in _LISTS:
            this = (group[0].type, group[0].markup)
            if kind not in (None, this):
                break
            kind = this
        elif group[0].type != BLOCK:
            break
        run.append(group)
    closed = _closed_words(run, mask)
    while len(run) > 1 and run[-1][0].type == BLOCK and run[-1][0].content not in closed:
        run.pop()
    return run or [groups[0]]


def _closed_parts(run: Sequence[Group], mask: Mask) -> Iterator[list[Group]]:
    """The run, cut at the tags whose block begins or ends outside it."""
    inside = _closed_words(run, mask)
    part: list[Group] = []
    for group in run:
        if group[0].type == BLOCK and group[0].content not in inside:
            yield part
            yield [group]
            part = []
        else:
            part.append(group)
    yield part


def _closed_words(run: Sequence[Group], mask: Mask) -> set[str]:
    """The tags of those blocks that begin and end within the run."""
    closed: set[str] = set()
    stack: list[list[str]] = []
    for word in (group[0].content for group in run if group[0].type == BLOCK):
        if mask.opens(word):
            stack.append([word])
        elif stack:
            stack[-1].append(word)
            if mask.closes(word):
                closed.update(stack.pop())
    return closed


def _joined(part: Sequence[Group], mask: Mask) -> Group:
    """One list of all the part's items and tags; a lone `if` around it all stays around it."""
    lists = [group for group in part if group[0].type in _LISTS]
    if not lists or len(part) == 1:
        return [token for group in part for token in group]
    words = [group[0].content for group in part if group[0].type == BLOCK]
    around = (
        len(words) == 2
        and part[0][0].type == part[-1][0].type == BLOCK
        and mask.keyword(words[0]) == "if"
    )
    inner = part[1:-1] if around else part
    items = [
        token for group in inner for token in (group[1:-1] if group[0].type in _LISTS else group)
    ]
    joined = [lists[0][0], *items, lists[0][-1]]
    return [*part[0], *joined, *part[-1]] if around else joined

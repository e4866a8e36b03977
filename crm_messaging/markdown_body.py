"""The body of an e-mail: masked Markdown to HTML and to plain text."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from crm_messaging.markdown_blocks import BLOCK, arrange, block_lines
from crm_messaging.markdown_text import as_text
from crm_messaging.template_mask import Mask

BUTTON = "button"
_WORD_PADDING = (
    '<!--[if mso]><i style="mso-font-width:200%;mso-text-raise:24px" hidden>&emsp;</i>'
    '<span style="mso-text-raise:12px"><![endif]-->',
    '<!--[if mso]></span><i style="mso-font-width:200%" hidden>&emsp;&#8203;</i><![endif]-->',
)
"""Room inside a button for Outlook with Word's engine, which ignores the padding of a link."""


@dataclass(frozen=True)
class Body:
    """A body in both forms, its tags still masked."""

    html: str
    text: str


def body_of(markdown: str, mask: Mask, guard: Callable[[str], str]) -> Body:
    """Markdown to HTML and text; `guard` makes the values in a link's address safe."""
    tokens = arrange(_MARKDOWN.parse(markdown), mask)
    for token in tokens:
        _prepare_links(token.children or (), mask, guard)
    html: str = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return Body(html, as_text(tokens))


def _prepare_links(children: Sequence[Token], mask: Mask, guard: Callable[[str], str]) -> None:
    opened: list[tuple[int, Token]] = []
    for index, child in enumerate(children):
        for name in ("href", "src"):
            if name in child.attrs:
                child.attrSet(name, guard(str(child.attrs[name])))
        if child.type == "link_open":
            if child.attrs.get("title") == BUTTON:
                del child.attrs["title"]
                child.attrSet("class", BUTTON)
            opened.append((index, child))
        elif child.type == "link_close":
            begins, link = opened.pop()
            address = str(link.attrs["href"])
            label = "".join(token.content for token in children[begins:index])
            child.meta = {
                "address": address,
                "button": link.attrs.get("class") == BUTTON,
                "shown": mask.shows(label, address),
            }


def _render_block(
    _self: RendererHTML, tokens: Sequence[Token], index: int, _options: Any, _env: Any
) -> str:
    # The line feed keeps the words before and after it apart.
    return f"\n{tokens[index].content}"


def _open_link(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any
) -> str:
    tag = self.renderToken(tokens, index, options, env)
    return tag + _WORD_PADDING[0] if tokens[index].attrs.get("class") == BUTTON else tag


def _close_link(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: Any, env: Any
) -> str:
    tag = self.renderToken(tokens, index, options, env)
    return _WORD_PADDING[1] + tag if tokens[index].meta["button"] else tag


def _new_markdown() -> MarkdownIt:
    markdown = MarkdownIt("commonmark", {"html": False}).use(block_lines)
    # Text that is indented to show what a tag encloses is not code.
    markdown.disable(["code", "html_block", "html_inline"])
    markdown.add_render_rule(BLOCK, _render_block)
    markdown.add_render_rule("link_open", _open_link)
    markdown.add_render_rule("link_close", _close_link)
    return markdown


_MARKDOWN = _new_markdown()

"""Markdown tokens to plain text: the text part of an e-mail, in lines that are not wrapped."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markdown_it.token import Token

from crm_messaging.markdown_blocks import BLOCK
from crm_messaging.template_mask import BLOCK_WORD

_LINE_BEGIN = re.compile(rf"^((?:{BLOCK_WORD.pattern})*)(?!{BLOCK_WORD.pattern})(?=.)")


def as_text(tokens: Sequence[Token]) -> str:
    """Plain text; each block ends with an empty line, block tags add no line of their own."""
    pieces: list[str] = []
    index = 0
    while index < len(tokens):
        token = tokens[index]
        end = _end(tokens, index)
        pieces.append(_one(token, tokens[index + 1 : end]))
        index = end + 1
    return "".join(pieces)


def _end(tokens: Sequence[Token], start: int) -> int:
    depth = 0
    for index in range(start, len(tokens)):
        depth += tokens[index].nesting
        if depth == 0:
            return index
    return len(tokens) - 1


def _one(token: Token, inside: Sequence[Token]) -> str:
    match token.type:
        case "template_block":
            return token.content
        case "inline":
            return _inline(token.children or ())
        case "hr":
            return "---\n\n"
        case "fence" | "code_block":
            return f"{token.content}\n"
        case "bullet_list_open" | "ordered_list_open":
            return f"{_items(token, inside)}\n"
        case "blockquote_open":
            quoted = as_text(inside).rstrip("\n").split("\n")
            return "".join(f"> {line}".rstrip() + "\n" for line in quoted) + "\n"
        case _:
            return f"{as_text(inside)}\n\n"


def _items(opening: Token, inside: Sequence[Token]) -> str:
    """A line an item. Numbers are written only where no tag decides how many items there are."""
    numbered = opening.type == "ordered_list_open" and all(t.type != BLOCK for t in inside)
    number = int(opening.attrs.get("start", 1))
    pieces: list[str] = []
    index = 0
    while index < len(inside):
        end = _end(inside, index)
        if inside[index].type == BLOCK:
            pieces.append(inside[index].content)
        else:
            mark = f"{number}. " if numbered else "- "
            pieces.append(mark + _indented(as_text(inside[index + 1 : end]), " " * len(mark)))
            number += 1
        index = end + 1
    return "".join(pieces)


def _indented(text: str, indent: str) -> str:
    """An item's lines without empty ones between them; the spaces stand inside the tags."""
    first, *more = text.strip("\n").replace("\n\n", "\n").split("\n")
    lines = [_LINE_BEGIN.sub(rf"\1{indent}", line) for line in more]
    ends_with_tag = bool(more) and lines[-1] == more[-1]
    return "\n".join((first, *lines)) + ("" if ends_with_tag else "\n")


def _inline(children: Sequence[Token]) -> str:
    text, link_begins = "", 0
    for child in children:
        match child.type:
            case "softbreak":
                text += " "
            case "hardbreak":
                text += "\n"
            case "link_open":
                link_begins = len(text)
            case "link_close":
                text = text[:link_begins] + _link(text[link_begins:], child.meta)
            case _:
                text += child.content
    return text


def _link(label: str, meta: Mapping[str, Any]) -> str:
    if meta["shown"]:
        return label
    return f"{label}: {meta['address']}" if meta["button"] else f"{label} ({meta['address']})"

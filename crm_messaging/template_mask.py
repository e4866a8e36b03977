"""Tags lifted out of a text while Markdown, MJML and the CSS inliner work on it.

Each tag becomes a word of letters and digits that those tools carry through untouched; later the
words become Jinja source again. A value inside a link is put back with a filter around it that
keeps it from changing where the link leads.
"""

import re
from collections.abc import Callable, Iterable, Sequence

from crm_messaging.message_fields import LINKS
from crm_messaging.template_filters import LINK_PART, LINK_PHONE, LINK_START
from crm_messaging.template_problems import Mistake
from crm_messaging.template_source import Tag

WORD = re.compile(r"zq[0-9]{5}[bo]qz")
BLOCK_WORD = re.compile(r"zq[0-9]{5}bqz")
_BLOCK_LINE = re.compile(rf"^[ \t]*((?:{BLOCK_WORD.pattern}[ \t]*)+)\n", re.MULTILINE)
_OPENERS = ("if", "for")
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*://")
_AFTER_HOST = re.compile(r"[/?#]")


class Mask:
    """The words of one file's tags."""

    def __init__(self, text: str, tags: Iterable[Tag], first: int = 0) -> None:
        """`first` numbers the words: two masks joined in one text need different numbers."""
        self.tags: dict[str, Tag] = {}
        self._filters: dict[str, str] = {}
        self._alone: set[str] = set()
        self._next = first
        self.masked = self._lift(text, tags)

    def _word(self, tag: Tag, around: str = "") -> str:
        word = f"zq{self._next:05d}{'b' if tag.kind == 'block' else 'o'}qz"
        self._next += 1
        self.tags[word] = tag
        if around:
            self._filters[word] = around
        return word

    def _lift(self, text: str, tags: Iterable[Tag]) -> str:
        pieces, done = [], 0
        for tag in tags:
            start, end = tag.start, tag.end
            pieces.append(text[done:start])
            if tag.kind == "comment":
                alone = text[:start].rpartition("\n")[2].strip() == ""
                if alone and (rest := re.match(r"[ \t]*\n", text[end:])):
                    end += rest.end()
            else:
                pieces.append(self._word(tag))
            done = end
        return "".join((*pieces, text[done:]))

    def keyword(self, word: str) -> str:
        """`if`, `else`, `endfor`, ... of a block's word; empty for an output's."""
        tag = self.tags[word]
        return tag.keyword if tag.kind == "block" else ""

    def opens(self, word: str) -> bool:
        return self.keyword(word) in _OPENERS

    def closes(self, word: str) -> bool:
        return self.keyword(word).startswith("end")

    def closer_of(self, words: Sequence[str]) -> int | None:
        """Where the block that `words[0]` opens is closed; None if not in `words`."""
        depth = 0
        for index, word in enumerate(words):
            depth += self.opens(word) - self.closes(word)
            if depth == 0:
                return index
        return None

    def set_alone(self, word: str) -> None:
        """The block stands between paragraphs: its white-space marks have nothing to strip."""
        self._alone.add(word)

    def restore(self, text: str) -> str:
        """`text` with its words turned back into Jinja source."""
        return WORD.sub(
            lambda found: self._source(found[0]) if found[0] in self.tags else found[0], text
        )

    def _source(self, word: str) -> str:
        tag = self.tags[word]
        inner = tag.inner.strip()
        if word in self._alone:
            return f"{{% {inner} %}}"
        around = self._filters.get(word)
        return f"{{{{ ({inner}) | {around} }}}}" if around else tag.text

    def shows(self, label: str, address: str) -> bool:
        """Whether a link's label already says where it leads."""

        def bare(text: str) -> str:
            named = WORD.sub(lambda found: self.tags[found[0]].inner.strip(), text.strip())
            return named.removeprefix("tel:").removeprefix("mailto:")

        return bare(label) == bare(address)

    def link(self, address: str, fields_of: Callable[[str], Iterable[str]]) -> str:
        """A link's address with its values guarded. Raises `UnsafeLink`.

        `fields_of` gives the fields that an expression reads.
        """
        guarded, position = "", 0
        for found in WORD.finditer(address):
            guarded += address[position : found.start()]
            guarded += self._guard(found[0], guarded, fields_of)
            position = found.end()
        return guarded + address[position:]

    def _guard(self, word: str, before: str, fields_of: Callable[[str], Iterable[str]]) -> str:
        tag = self.tags[word]
        if tag.kind == "block":
            fix = "Write one link for each case, or {{ a if condition else b }}."
            raise UnsafeLink(Mistake(tag.start, "a link cannot hold {% %}", fix))
        if not before:
            fields = list(fields_of(tag.inner))
            if fields and all(field.startswith(f"{LINKS}.") for field in fields):
                return self._word(tag)  # made by us for this message: there is nothing to guard
            if all(field.startswith("club.") for field in fields):
                return self._word(tag, LINK_START)
            fix = "Begin the link with https:// and a host, or with {{ club.website }}/."
            message = "a link cannot begin with a value of the customer's"
            raise UnsafeLink(Mistake(tag.start, message, fix))
        scheme = before.split(":", 1)[0].lower()
        if scheme in ("tel", "sms"):
            return self._word(tag, LINK_PHONE)
        if scheme == "mailto" or _AFTER_HOST.search(_SCHEME.sub("", before)):
            return self._word(tag, LINK_PART)
        fix = "Write a / before it."
        raise UnsafeLink(Mistake(tag.start, "a value cannot be part of a link's host", fix))


class UnsafeLink(Exception):
    """A link whose target a value could change."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake.message)
        self.mistake = mistake


def without_block_lines(masked: str) -> str:
    """`masked` without the line ends of lines that hold block tags only."""
    return _BLOCK_LINE.sub(r"\1", masked)

"""The head of a template, in YAML.

An e-mail's has `subject`, `preheader` and `layout`. A text message needs none; it may name what is
registered for it in India.
"""

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import yaml

from crm_messaging.dlt import KINDS, DltTemplate
from crm_messaging.template_file import SYNTAX
from crm_messaging.template_problems import Mistake
from crm_messaging.template_source import Tag, Unreadable, tags_of

KEYS = ("subject", "preheader", "layout")
SMS_KEYS = ("dlt_template", "dlt_text", "dlt_kind")
DEFAULT_LAYOUT = "club"
_HEAD = re.compile(r"\A---[ \t]*\n(.*?\n)??---[ \t]*(?:\n|\Z)", re.DOTALL)
_HIDDEN = re.compile(r"([\uE000-\uF8FF])\1*")
_FIRST_HIDDEN = 0xE000
_QUOTE = 'Write the text in quotes: subject: "Hello {{ customer.first_name }}".'


class BadHead(Exception):
    """The head of the file cannot be used."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake.message)
        self.mistake = mistake


@dataclass(frozen=True)
class Entry:
    """A value of the head, and its offset in the file."""

    text: str
    offset: int


@dataclass(frozen=True)
class Head:
    """The head of a template, and where its body begins."""

    subject: Entry
    preheader: Entry
    layout: Entry
    body_offset: int


def read_head(text: str) -> Head:
    """The head of a whole file's text. Raises `BadHead`."""
    found = _HEAD.match(text)
    if found is None:
        fix = 'Begin the file with a line ---, subject: "...", and a line ---.'
        raise BadHead(Mistake(0, "the file has no head", fix))
    entries = _entries_of(found, KEYS)
    nothing = Entry("", found.end())
    if not entries.get("subject", nothing).text.strip():
        raise BadHead(Mistake(0, "the e-mail has no subject", 'Add subject: "..." to the head.'))
    return Head(
        entries["subject"],
        entries.get("preheader", nothing),
        entries.get("layout", Entry(DEFAULT_LAYOUT, found.end())),
        found.end(),
    )


@dataclass(frozen=True)
class SmsHead:
    """The head of a text message's template, and where its text begins."""

    dlt: DltTemplate | None
    body_offset: int


def read_sms_head(text: str) -> SmsHead:
    """The head of a whole file's text; a text message may do without one. Raises `BadHead`."""
    found = _HEAD.match(text)
    if found is None:
        return SmsHead(None, 0)
    entries = _entries_of(found, SMS_KEYS)
    for key in SMS_KEYS:
        if entries and not (key in entries and entries[key].text.strip()):
            fix = "A registration has all of dlt_template, dlt_text and dlt_kind."
            raise BadHead(Mistake(0, f"the head has no {key}", fix))
    return SmsHead(_registration(entries) if entries else None, found.end())


def _registration(entries: dict[str, Entry]) -> DltTemplate:
    number, text, kind = (entries[key] for key in SMS_KEYS)
    if not re.fullmatch("[0-9]{10,25}", number.text):
        fix = "Copy it from the operator's portal: 19 digits, such as 1107161234567890123."
        raise BadHead(Mistake(number.offset, "this is no DLT template id", fix))
    for known in KINDS:
        if kind.text == known:
            return DltTemplate(number.text, text.text, known)
    message = f"there is no kind of message `{kind.text}`"
    raise BadHead(Mistake(kind.offset, message, f"There are {', '.join(KINDS)}."))


def _entries_of(found: re.Match[str], keys: Sequence[str]) -> dict[str, Entry]:
    return _entries(found[1] or "", found.start(1) if found[1] else found.end(), keys)


def _entries(head: str, begins: int, keys: Sequence[str]) -> dict[str, Entry]:
    try:
        tags = tags_of(SYNTAX, head)
    except Unreadable as error:
        raise BadHead(replace(error.mistake, offset=begins + error.mistake.offset)) from None
    source = _hide(head, tags)
    try:
        # BaseLoader: every value stays the text it is, `on` and `10:30` included.
        node = yaml.compose(source, Loader=yaml.CBaseLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        at = begins + (mark.index if mark else 0)
        raise BadHead(Mistake(at, f"the head is not YAML: {error.problem}", _QUOTE)) from None
    except yaml.YAMLError:
        message = "the head holds a character that YAML does not allow"
        raise BadHead(Mistake(begins, message, "Take it out.")) from None
    if node is None:
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise BadHead(Mistake(begins, "the head is not a list of key: value lines", _QUOTE))
    entries: dict[str, Entry] = {}
    for key, value in node.value:
        at = begins + key.start_mark.index
        name = key.value if isinstance(key, yaml.ScalarNode) else ""
        if name not in keys:
            near = difflib.get_close_matches(name, keys, n=1)
            fix = f"Did you mean {near[0]}?" if near else f"There are {', '.join(keys)}."
            raise BadHead(Mistake(at, f"the head has no key {name}", fix))
        if name in entries:
            raise BadHead(Mistake(at, f"{name} is there twice", "Keep one of them."))
        if not isinstance(value, yaml.ScalarNode):
            message = f"{name} is not a plain text"
            raise BadHead(Mistake(begins + value.start_mark.index, message, _QUOTE))
        text = _HIDDEN.sub(lambda found: _shown(found[0], tags), value.value)
        entries[name] = Entry(text, begins + _text_index(source, value))
    return entries


def _hide(head: str, tags: Sequence[Tag]) -> str:
    """Each tag as a run of one private character, as long as it: YAML must not read the quotes,
    braces and colons in it, and every place stays where it is."""
    for index, tag in enumerate(tags):
        hidden = chr(_FIRST_HIDDEN + index) * (tag.end - tag.start)
        head = head[: tag.start] + hidden + head[tag.end :]
    return head


def _shown(hidden: str, tags: Sequence[Tag]) -> str:
    index = ord(hidden[0]) - _FIRST_HIDDEN
    return tags[index].text if index < len(tags) else hidden


def _text_index(source: str, value: yaml.ScalarNode) -> int:
    """Where the value's characters begin: behind its quote, or on the line after `>` and `|`."""
    start: int = value.start_mark.index
    if value.style in ("'", '"'):
        return start + 1
    if value.style in (">", "|"):
        line = source.find("\n", start) + 1
        return line + len(source[line:]) - len(source[line:].lstrip(" "))
    return start

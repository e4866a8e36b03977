"""A template's file as read: its text, and its mistakes turned into findings."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from crm_messaging.template_language import TemplateSandbox, check
from crm_messaging.template_mask import WORD
from crm_messaging.template_problems import Mistake, TemplateFinding, TemplateUnusable, finding_at
from crm_messaging.template_source import Tag, Unreadable, badly_nested, parse, tags_of
from crm_store.catalogue.field import Catalogue

MAX_BYTES = 128 * 1024
SYNTAX = TemplateSandbox(autoescape=False)
"""The environment whose grammar every template is read with."""


@dataclass
class TemplateFile:
    """One file; `label` is the name that findings use."""

    label: str
    text: str
    findings: list[TemplateFinding] = field(default_factory=list)

    @classmethod
    def read(cls, path: Path, label: str) -> "TemplateFile":
        """Read a file as UTF-8 with any line ends. Raises `TemplateUnusable`."""
        content = path.read_bytes()
        if len(content) > MAX_BYTES:
            message = f"the file is larger than {MAX_BYTES // 1024} KB"
            raise TemplateUnusable([TemplateFinding(label, 0, 0, message, "Shorten it.")])
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = content[: error.start].count(b"\n") + 1
            fix = "Save the file as UTF-8."
            raise TemplateUnusable(
                [TemplateFinding(label, line, 1, "the file is not UTF-8", fix)]
            ) from None
        return cls(label, text.replace("\r\n", "\n").replace("\r", "\n"))

    def note(self, mistake: Mistake) -> None:
        """Keep a mistake whose offset counts from the file's beginning."""
        self.findings.append(finding_at(self.label, self.text, mistake))

    def unusable(self, mistake: Mistake) -> TemplateUnusable:
        """The error that such a mistake is by itself."""
        return TemplateUnusable([finding_at(self.label, self.text, mistake)])

    def check(
        self,
        text: str,
        begins: int,
        catalogue: Catalogue,
        language: str,
        slots: Sequence[str] = (),
    ) -> tuple[frozenset[str], list[Tag]]:
        """The fields and tags of a piece of the file that begins at an offset; notes mistakes.

        Tags count their offsets from the beginning of `text`.
        """
        fields: frozenset[str] = frozenset()
        tags: list[Tag] = []
        try:
            tags = tags_of(SYNTAX, text)
            mistakes = [*badly_nested(tags), *_reserved(text)]
            if not mistakes:
                fields, mistakes = check(parse(SYNTAX, text), catalogue, language, slots)
        except Unreadable as unreadable:
            mistakes = [unreadable.mistake]
        # A text whose quotes were resolved is not found as such: its beginning has to do.
        verbatim = self.text.startswith(text, begins)
        for mistake in mistakes:
            self.note(replace(mistake, offset=begins + (mistake.offset if verbatim else 0)))
        return fields, tags


def _reserved(text: str) -> list[Mistake]:
    message = "this is a word of our own: tags become such words on the way"
    return [Mistake(found.start(), message, "Take it out.") for found in WORD.finditer(text)]

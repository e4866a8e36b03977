"""The folder of templates: what is there, what is wrong with it, and each one ready to render.

layouts/<layout>.mjml
<language>/email/<group>/<name>.md
<language>/sms/<group>/<name>.txt
<language>/<another channel>/<group>/<name>.txt
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from crm_messaging.compiled import (
    Compiled,
    CompiledEmail,
    CompiledSms,
    FlatEmail,
    FlatSms,
    compiled,
)
from crm_messaging.email_template import Layout, flat_email, layout_of
from crm_messaging.event_kinds import event_kinds, made_up
from crm_messaging.filled_text import FilledText, filled_problems
from crm_messaging.front_matter import Entry
from crm_messaging.message_fields import with_message_fields
from crm_messaging.sms_template import flat_sms
from crm_messaging.template_file import TemplateFile
from crm_messaging.template_problems import (
    Mistake,
    TemplateFinding,
    TemplateUnusable,
    finding_at,
)
from crm_store.catalogue.event_fields import WithEventData
from crm_store.catalogue.field import Catalogue, FieldType

LAYOUTS = "layouts"
_NAME = re.compile(r"[\w-]+(?:/[\w-]+)*")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*")


def suffix_of(channel: str) -> str:
    """How the names of a channel's files end: an e-mail is Markdown, all else is plain text."""
    return ".md" if channel == "email" else ".txt"


class TemplateLibrary:
    """The templates of one folder, checked and compiled on first use and kept.

    Files are read once: a library made anew sees what was edited since. `languages` are the
    club's; the first is its default.
    """

    def __init__(self, root: Path, catalogue: Catalogue, languages: Sequence[str]) -> None:
        self.root = root
        self.catalogue = with_message_fields(catalogue)
        self.text_catalogue: Catalogue = WithEventData(catalogue)
        """What texts in campaigns may use: no message is made of them."""
        self.languages = tuple(languages)
        self._flat: dict[tuple[str, str, str], FlatEmail | FlatSms] = {}
        self._compiled: dict[tuple[str, str, str], Compiled] = {}
        self._layouts: dict[tuple[str, str], Layout] = {}
        self._resolved: dict[tuple[str, str, str], str] = {}
        self._shelves: dict[tuple[str, str], frozenset[str]] = {}

    def names(self, channel: str) -> list[str]:
        """The names of a channel's templates, as campaigns write them, in any language."""
        return sorted(frozenset().union(*(self._shelf(channel, one) for one in self._folders)))

    def problems(self, channel: str, name: str) -> list[TemplateFinding]:
        """All that is wrong with a template, in every language of the club."""
        existing = [language for language in self._folders if self._has(channel, name, language)]
        if not existing:
            return [self._unknown(channel, name)]
        findings: dict[TemplateFinding, None] = {}
        for language in self.languages:
            if language not in existing:
                findings[self._missing(channel, name, language)] = None
        for language in existing:
            try:
                self._flattened(channel, name, language)
            except TemplateUnusable as error:
                findings.update(dict.fromkeys(error.findings))
        return list(findings)

    def fields(self, channel: str, name: str) -> frozenset[str]:
        """The fields that a sound template prints or asks about, in any language."""
        languages = (one for one in self._folders if self._has(channel, name, one))
        return frozenset().union(*(self._flattened(channel, name, one).fields for one in languages))

    def places(self, channel: str, name: str, field: str) -> list[tuple[str, int, int]]:
        """Where a template names a field first, in each language: file, line and column.

        A layout's fields are in none of its files.
        """
        found = []
        for language in self._folders:
            if self._has(channel, name, language):
                file = self._read(f"{language}/{channel}/{name}{suffix_of(channel)}")
                if named := re.search(rf"(?<![\w.]){re.escape(field)}(?![\w-])", file.text):
                    at = finding_at(file.label, file.text, Mistake(named.start(), "", ""))
                    found.append((at.file, at.line, at.column))
        return found

    def event_kinds(self, channel: str, name: str, language: str) -> Mapping[str, FieldType]:
        """What a sound template takes each field `event.<key>` for: a number, a date, a text."""
        flat = self._flattened(channel, name, self.resolve(channel, name, language))
        return event_kinds(flat.texts, self.catalogue)

    def example_row(self, channel: str, name: str, language: str) -> dict[str, Any]:
        """An example of each field that a sound template reads, as a row of the store has them."""
        flat = self._flattened(channel, name, self.resolve(channel, name, language))
        kinds = event_kinds(flat.texts, self.catalogue)
        return {
            field: made_up(field, kinds[field])
            if field in kinds
            else self.catalogue[field].example_in_a_row
            for field in sorted(flat.fields)
        }

    def filled_problems(self, text: str) -> list[TemplateFinding]:
        """All that is wrong with a text in a campaign in which fields may stand."""
        return filled_problems(text, self.text_catalogue, self.languages[0])

    def filled_fields(self, text: str) -> frozenset[str]:
        """The fields that stand in such a text, where it is sound."""
        return FilledText(text, self.text_catalogue, self.languages[0]).fields

    def resolve(self, channel: str, name: str, language: str) -> str:
        """The language to write to someone in: hers, hers without region, the club's, any.

        Raises `TemplateUnusable` when there is no such template.
        """
        key = channel, name, language
        if key not in self._resolved:
            self._resolved[key] = self._resolve(*key)
        return self._resolved[key]

    def load(self, channel: str, name: str, language: str) -> Compiled:
        """The compiled template, `CompiledEmail` or `CompiledSms` by the channel.

        `language` may be any: it is resolved. Raises `TemplateUnusable`.
        """
        key = channel, name, self.resolve(channel, name, language)
        if key not in self._compiled:
            self._compiled[key] = compiled(self._flattened(*key))
        return self._compiled[key]

    def load_email(self, name: str, language: str) -> CompiledEmail:
        """As `load`, for an e-mail."""
        return cast(CompiledEmail, self.load("email", name, language))

    def load_sms(self, name: str, language: str) -> CompiledSms:
        """As `load`, for a text message."""
        return cast(CompiledSms, self.load("sms", name, language))

    def _resolve(self, channel: str, name: str, language: str) -> str:
        folders = {folder.lower(): folder for folder in self._folders}
        parts = language.replace("_", "-").lower().split("-")
        wanted = ["-".join(parts[:size]) for size in range(len(parts), 0, -1)]
        for candidate in (*wanted, *(club.lower() for club in self.languages), *folders):
            folder = folders.get(candidate)
            if folder and self._has(channel, name, folder):
                return folder
        raise TemplateUnusable([self._unknown(channel, name)])

    def _flattened(self, channel: str, name: str, language: str) -> FlatEmail | FlatSms:
        key = channel, name, language
        if key not in self._flat:
            file = self._read(f"{language}/{channel}/{name}{suffix_of(channel)}")
            if channel == "email":
                self._flat[key] = flat_email(
                    name,
                    file,
                    lambda layout: self._layout(layout, file, language),
                    self.catalogue,
                    language,
                )
            else:
                self._flat[key] = flat_sms(name, file, self.catalogue, language)
        return self._flat[key]

    def _layout(self, entry: Entry, file: TemplateFile, language: str) -> Layout:
        """The layout that an entry of the file's head names."""
        key = entry.text, language
        if key not in self._layouts:
            names = sorted(path.stem for path in (self.root / LAYOUTS).glob("*.mjml"))
            path = f"{LAYOUTS}/{entry.text}.mjml"
            if entry.text not in names:
                near = difflib.get_close_matches(entry.text, names, n=1)
                fix = f"Did you mean {near[0]}?" if near else self._create(path)
                message = f"there is no layout {entry.text}"
                raise file.unusable(Mistake(entry.offset, message, fix))
            self._layouts[key] = layout_of(self._read(path), self.catalogue, language)
        return self._layouts[key]

    def _read(self, path: str) -> TemplateFile:
        return TemplateFile.read(self.root / path, f"{self.root.name}/{path}")

    @cached_property
    def _folders(self) -> list[str]:
        """The languages there are folders for: the club's first, then by name."""
        if not self.root.is_dir():
            return []
        found = [path.name for path in self.root.iterdir() if path.is_dir()]
        known = [name for name in self.languages if name in found]
        others = sorted(name for name in found if _LANGUAGE.fullmatch(name) and name not in known)
        return [*known, *(name for name in others if name != LAYOUTS)]

    def _has(self, channel: str, name: str, language: str) -> bool:
        # The pattern has no dot: no name leads out of the folder.
        return bool(_NAME.fullmatch(name)) and name in self._shelf(channel, language)

    def _shelf(self, channel: str, language: str) -> frozenset[str]:
        """The names of a channel's templates in one language."""
        key = channel, language
        if key not in self._shelves:
            folder = self.root / language / channel
            self._shelves[key] = frozenset(
                path.relative_to(folder).with_suffix("").as_posix()
                for path in folder.rglob(f"*{suffix_of(channel)}")
                if path.is_file()
            )
        return self._shelves[key]

    def _missing(self, channel: str, name: str, language: str) -> TemplateFinding:
        message = f"the {channel} template {name} is missing in the language {language}"
        return TemplateFinding("", 0, 0, message, self._create(self._path(channel, name, language)))

    def _unknown(self, channel: str, name: str) -> TemplateFinding:
        message = f"there is no {channel} template {name}"
        if not _NAME.fullmatch(name):
            fix = "A name is made of letters, digits, _ and -, with / between: renewal/offer."
        else:
            fix = self._create(self._path(channel, name, self.languages[0]))
        return TemplateFinding("", 0, 0, message, fix)

    @staticmethod
    def _path(channel: str, name: str, language: str) -> str:
        return f"{language}/{channel}/{name}{suffix_of(channel)}"

    def _create(self, path: str) -> str:
        return f"Create {self.root.name}/{path}."

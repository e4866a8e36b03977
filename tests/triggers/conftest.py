"""A small club: its words, and its templates in two languages."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from crm_store.catalogue.event_fields import WithEventData
from crm_store.catalogue.field import Catalogue, FieldType
from crm_store.catalogue.standard import catalogue_of, custom_field
from triggers.problems import nearest
from triggers.vocabulary import Vocabulary

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Finding:
    """What a shelf says about a template."""

    file: str
    line: int
    column: int
    message: str
    fix: str


@dataclass(frozen=True)
class FolderShelf:
    """Templates in `folder/LANGUAGE/CHANNEL/NAME.txt`; looks at the names of their variables."""

    folder: Path
    languages: Sequence[str]
    catalogue: Catalogue

    def names(self, channel: str) -> Sequence[str]:
        folder = self.folder / self.languages[0] / channel
        return [file.stem for file in sorted(folder.glob("*"))]

    def problems(self, channel: str, name: str) -> Sequence[Finding]:
        found = []
        for language in self.languages:
            path = self.folder / language / channel / f"{name}.txt"
            if not path.exists():
                fix = f"write {path.relative_to(self.folder.parent)}"
                found.append(Finding("", 0, 0, f"`{name}` is missing in language {language}", fix))
                continue
            shown_as = path.relative_to(self.folder.parent).as_posix()
            for number, line in enumerate(path.read_text().splitlines(), 1):
                for match in re.finditer(r"{{ ([\w.]+) }}", line):
                    if match[1] not in WithEventData(self.catalogue):
                        guess = nearest(match[1], self.catalogue.names())
                        message, fix = f"unknown field `{match[1]}`", f"did you mean `{guess}`?"
                        found.append(Finding(shown_as, number, match.start(1) + 1, message, fix))
        return found

    def fields(self, channel: str, name: str) -> frozenset[str]:
        files = self.folder.glob(f"*/{channel}/{name}.txt")
        return frozenset(
            name for file in files for name in re.findall(r"{{ ([\w.]+) }}", file.read_text())
        )

    def places(self, channel: str, name: str, field: str) -> Sequence[tuple[str, int, int]]:
        return ()

    def filled_problems(self, text: str) -> Sequence[Finding]:
        return [
            Finding("", 1, match.start(1) + 1, f"unknown field `{match[1]}`", "")
            for match in re.finditer(r"{{ ([\w.]+) }}", text)
            if match[1] not in WithEventData(self.catalogue)
        ]

    def filled_fields(self, text: str) -> frozenset[str]:
        return frozenset(re.findall(r"{{ ([\w.]+) }}", text))


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return catalogue_of(
        [
            custom_field("goal", FieldType.TEXT, "Training goal"),
            custom_field("score", FieldType.NUMBER, "Fitness score"),
            custom_field("trainer", FieldType.BOOLEAN, "Has a trainer"),
            custom_field("level", FieldType.INTEGER, "Level"),
            custom_field("medical_on", FieldType.DATE, "Day of the medical check"),
        ]
    )


@pytest.fixture(scope="session")
def vocabulary(catalogue: Catalogue) -> Vocabulary:
    return Vocabulary(
        catalogue=catalogue,
        plans=frozenset({"annual", "half-year", "monthly"}),
        pipelines={"sales": ("new", "trial", "member"), "service": ("open", "closed")},
        topics=("renewals", "leads", "greetings"),
        languages=("en", "ru"),
        templates=FolderShelf(HERE / "templates", ("en", "ru"), catalogue),
    )

"""What can be wrong with a template, and where: for `check`, for the editor, for a log."""

from collections.abc import Sequence
from dataclasses import dataclass

from crm_store.errors import SamparkError


@dataclass(frozen=True)
class TemplateFinding:
    """One mistake in a template.

    `file` is relative to the folder that holds the templates' folder, with forward slashes; it
    is empty when the mistake lies in the reference to the template. `line` and `column` count
    from 1; 0 means the file as a whole.
    """

    file: str
    line: int
    column: int
    message: str
    fix: str

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part)
        return f"{place}: {self.message}" if place else self.message


class TemplateUnusable(SamparkError):
    """A template is missing or cannot be compiled; `findings` say all that is wrong with it."""

    def __init__(self, findings: Sequence[TemplateFinding]) -> None:
        first = findings[0]
        super().__init__(str(first), first.fix)
        self.findings = tuple(findings)


@dataclass(frozen=True)
class Mistake:
    """A mistake at an offset of a source text; the reader of the file knows line and column."""

    offset: int
    message: str
    fix: str


def finding_at(file: str, text: str, mistake: Mistake) -> TemplateFinding:
    """The mistake's place in `text`, as people count."""
    before = text[: mistake.offset]
    line = before.count("\n") + 1
    column = mistake.offset - (before.rfind("\n") + 1) + 1
    return TemplateFinding(file, line, column, mistake.message, mistake.fix)

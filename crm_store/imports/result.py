"""What an import did, and the file of the rows it did not take."""

import csv
import io
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from crm_store.imports.columns import OURS, Places, same_heading
from crm_store.imports.table import Table
from crm_store.spreadsheets import safe_cell


@dataclass(frozen=True)
class Problem:
    """What is wrong in one column of a row."""

    column: str
    """The heading as the file has it."""
    text: str


@dataclass(frozen=True)
class RejectedRow:
    """A row that was not taken: the line it starts on, why, and its cells."""

    line: int
    problems: tuple[Problem, ...]
    cells: tuple[str, ...]


@dataclass
class ImportResult:
    """Counts of rows; `read` is the sum of the others."""

    encoding: str
    delimiter: str
    headings: list[str]
    unknown_columns: tuple[str, ...]
    """Headings that nothing was read from."""
    missing_columns: tuple[str, ...]
    """The columns that no heading was found for."""
    worked_out: tuple[str, ...]
    """Those of them whose value is worked out here, whatever a file says."""
    read: int = 0
    added: int = 0
    updated: int = 0
    unchanged: int = 0
    rejected: list[RejectedRow] = field(default_factory=list)
    plans: Counter[str] = field(default_factory=Counter)
    """Of a memberships file: how many rows that were taken have each plan."""

    @classmethod
    def of(cls, table: Table, places: Places, names: tuple[str, ...]) -> "ImportResult":
        """Of a file not yet read; `names` are those of what is worked out."""
        known = {same_heading(name) for name in names}
        unknown, missing = places.unknown, places.missing
        worked_out = tuple(heading for heading in unknown if same_heading(heading) in known)
        return cls(table.encoding, table.delimiter, table.headings, unknown, missing, worked_out)


def write_rejected(path: Path, result: ImportResult) -> Path:
    """Write the rejected rows to `path`, as CSV, and return the file that has them.

    Nothing is written over: what is there from before may have been mended by now. Then they go
    to the first `-2`, `-3` that is free, or that says the same. Raises `OSError`.
    """
    text = _as_csv(result).encode("utf-8-sig")
    number, file = 1, path
    while file.exists() and not (file.is_file() and file.read_bytes() == text):
        number += 1
        file = path.with_name(f"{path.stem}-{number}{path.suffix}")
    file.write_bytes(text)
    return file


def _as_csv(result: ImportResult) -> str:
    """The cells as they were, `line` and `problem`, and the cells that have no heading.

    None of them is a formula to a spreadsheet; what makes it so is taken off again when the file
    is mended and imported.
    """
    headings = result.headings
    # A mended file that is rejected again has our two columns already.
    width = len(headings) - (len(OURS) if headings[-len(OURS) :] == [*OURS] else 0)
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=result.delimiter)
    writer.writerow(map(safe_cell, [*headings[:width], *OURS]))
    for row in result.rejected:
        problem = " ".join(f"{problem.column}: {problem.text}" for problem in row.problems)
        cells = [*row.cells[:width], *[""] * (width - len(row.cells))]
        # Before ours they would shift them; without a heading, and empty, they are nothing.
        more = row.cells[len(headings) :]
        beyond = more if any(more) else ()
        writer.writerow(map(safe_cell, [*cells, str(row.line), problem, *beyond]))
    return text.getvalue()

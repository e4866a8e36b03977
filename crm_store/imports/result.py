"""What an import did, and the file of the rows it did not take."""

import csv
from dataclasses import dataclass, field
from pathlib import Path

from crm_store.imports.columns import Places, same_heading
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

    @classmethod
    def of(cls, table: Table, places: Places, names: tuple[str, ...]) -> "ImportResult":
        """Of a file not yet read; `names` are those of what is worked out."""
        known = {same_heading(name) for name in names}
        unknown, missing = places.unknown, places.missing
        worked_out = tuple(heading for heading in unknown if same_heading(heading) in known)
        return cls(table.encoding, table.delimiter, table.headings, unknown, missing, worked_out)


def write_rejected(path: Path, result: ImportResult) -> None:
    """Write the rejected rows as CSV: `line`, `problem`, and the cells as they were.

    None of them is a formula to a spreadsheet; what makes it so is taken off again when the file
    is mended and imported.
    """
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file, delimiter=result.delimiter)
        writer.writerow([*map(safe_cell, result.headings), "line", "problem"])
        for row in result.rejected:
            text = " ".join(f"{problem.column}: {problem.text}" for problem in row.problems)
            padding = [""] * (len(result.headings) - len(row.cells))
            cells = [safe_cell(cell) for cell in (*row.cells, *padding, str(row.line), text)]
            writer.writerow(cells)

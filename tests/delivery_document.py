"""The tables of docs/delivery.md, as rows that can be played."""

import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

DOCUMENT = Path(__file__).parents[1] / "docs" / "delivery.md"


@dataclass(frozen=True)
class Row:
    """What happens, and what the ledger says then, both as the document has it."""

    happens: tuple[str, ...]
    """One cell, or two: where, and what the server does."""
    state: str
    reason: str | None
    counts: bool
    again: str

    @property
    def quoted(self) -> list[str]:
        """What stands between backquotes in the last cell of `happens`."""
        return re.findall(r"`([^`]*)`", self.happens[-1])

    @property
    def pause(self) -> timedelta | None:
        """The time in "after 5 minutes"."""
        match = re.fullmatch(r"after (\d+) (minutes|seconds)", self.again)
        return timedelta(**{match[2]: int(match[1])}) if match else None


def table(heading: str) -> list[Row]:
    """The rows of the table under a heading."""
    _, _, part = DOCUMENT.read_text(encoding="utf-8").partition(f"\n## {heading}\n")
    lines = [line for line in part.partition("\n## ")[0].splitlines() if line.startswith("|")]
    assert len(lines) > 2, f"there is no table under {heading!r}"
    rows = []
    for line in lines[2:]:
        *happens, state, reason, counts, again = [cell.strip() for cell in line[1:-1].split("|")]
        assert counts in ("yes", "no"), line
        rows.append(Row(tuple(happens), state, reason or None, counts == "yes", again))
    return rows

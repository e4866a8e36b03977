"""The tables and examples of docs/bounces.md, to be played."""

import re
from pathlib import Path

DOCUMENT = Path(__file__).parents[1] / "docs" / "bounces.md"


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head."""
    part = _part(heading)
    lines = [line for line in part.splitlines() if line.startswith("|")][2:]
    assert lines, f"there is no table under {heading!r}"
    return [[cell.strip() for cell in line[1:-1].split("|")] for line in lines]


def examples(heading: str) -> list[str]:
    """The blocks of YAML under a heading."""
    return re.findall(r"```yaml\n(.*?)```", _part(heading), re.DOTALL)


def _part(heading: str) -> str:
    text = DOCUMENT.read_text(encoding="utf-8")
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]

"""A problem in a file, as a person reads it: where, in which campaign, what, and how to mend it."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from typing import Any, Literal

Severity = Literal["error", "warning"]
"""What is an error does not run; what is a warning runs, and is probably not meant so."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong in one file. `line` and `column` count from 1, as editors do."""

    file: str
    line: int
    column: int
    message: str
    fix: str = ""
    campaign: str | None = None
    severity: Severity = "error"

    def __str__(self) -> str:
        """One line: ``campaigns/renewal.yaml:4:1: [renewal] unknown key `toppic`; did you …``."""
        sign = "warning: " if self.severity == "warning" else ""
        return f"{self.file}:{self.line}:{self.column}: {sign}{self.told()}"

    def told(self) -> str:
        """What is wrong and how to mend it, in one line without its place."""
        campaign = f"[{self.campaign}] " if self.campaign else ""
        fix = _second_half(self.fix)
        what = f"{self.message}; {fix}" if fix else self.message
        return " ".join(f"{campaign}{what}".split())

    def to_json(self) -> dict[str, Any]:
        """The same as plain data: file, line, column, message, fix, campaign, severity."""
        return asdict(self)


def _second_half(fix: str) -> str:
    """A fix may be a sentence of its own; behind a semicolon it is not."""
    is_word = fix[1:2].islower() or fix[1:2] == " "
    return (fix[:1].lower() + fix[1:] if is_word else fix).removesuffix(".")


def nearest(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """The known name most like `name`, or nothing when none is near; 1 is the very same."""
    folded = {candidate.lower(): candidate for candidate in known}
    matches = get_close_matches(name.lower(), folded, n=1, cutoff=cutoff)
    return folded[matches[0]] if matches else None


def choose_from(name: str, known: Iterable[str], otherwise: str = "") -> str:
    """The fix for a wrong name: the nearest right one, else all of them, else `otherwise`."""
    names = sorted(set(known))
    if guess := nearest(name, names):
        return f"did you mean `{guess}`?"
    return listed(names) if names else otherwise


def listed(names: Sequence[str]) -> str:
    """The fix when no name is near: all of them, up to what one reads in a line."""
    shown = ", ".join(f"`{name}`" for name in names[:MOST_NAMES])
    return f"choose from {shown}" + (" and others" if len(names) > MOST_NAMES else "")


MOST_NAMES = 12
"""More than this in one line is not read."""

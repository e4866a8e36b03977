"""What an examination found."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any


class Health(StrEnum):
    """`broken` stops something that the club needs; a `note` is only worth knowing."""

    OK = "ok"
    NOTE = "note"
    BROKEN = "broken"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    what: str
    health: Health
    text: str
    mend: str = ""
    """What to do, when it is broken."""

    def to_json(self) -> dict[str, Any]:
        """The stable form of `doctor --json`."""
        return asdict(self)


def ok(what: str, text: str) -> Finding:
    """All is well."""
    return Finding(what, Health.OK, text)


def note(what: str, text: str, mend: str = "") -> Finding:
    """Nothing is broken, but it is worth knowing."""
    return Finding(what, Health.NOTE, text, mend)


def broken(what: str, text: str, mend: str) -> Finding:
    """It does not work, and this mends it."""
    return Finding(what, Health.BROKEN, text, mend)

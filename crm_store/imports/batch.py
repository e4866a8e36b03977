"""What the reader of a file and the writers of its rows share."""

import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crm_store.catalogue.field import Catalogue

SOURCE = "import"
"""How consents, suppressions and events say that a file brought them."""


@dataclass(frozen=True)
class Incoming:
    """A row that could be read: its line, and the value of each column that is not empty."""

    line: int
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Purpose:
    """Where the rows belong, and the moment of the import."""

    club_id: int
    file: str
    """The file's name: the proof of a consent names it."""
    now: datetime
    catalogue: Catalogue


@dataclass
class Outcome:
    """What became of a batch. `refused` says by line which column was wrong, and why."""

    added: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: dict[int, tuple[str, str]] = field(default_factory=dict)

    def count(self, other: "Outcome") -> None:
        """Add what became of others."""
        self.added += other.added
        self.updated += other.updated
        self.unchanged += other.unchanged
        self.refused |= other.refused


class FirstLines:
    """On which line each key of a file came first.

    On disk, in a nameless SQLite database: a file may have more keys than fit in memory.
    """

    def __init__(self) -> None:
        self._connection = sqlite3.connect("")
        self._connection.execute(
            "CREATE TABLE first (key TEXT PRIMARY KEY, line INT) WITHOUT ROWID"
        )

    def of(self, lines: Iterable[tuple[str, int]]) -> dict[str, int]:
        """Take in (key, line) pairs; return each key's first line."""
        pairs = list(lines)
        with closing(self._connection.cursor()) as cursor:
            cursor.executemany("INSERT OR IGNORE INTO first VALUES (?, ?)", pairs)
            wanted = ",".join("?" * len(pairs))
            query = f"SELECT key, line FROM first WHERE key IN ({wanted})"  # noqa: S608
            return dict(cursor.execute(query, [key for key, _line in pairs]))

    def close(self) -> None:
        self._connection.close()

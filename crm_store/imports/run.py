"""Importing a file: read, judge each row, and write the good ones, a thousand at a time.

The same file twice changes nothing the second time. What was written before an interruption stays,
and the import is simply started again.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from crm_store.catalogue.field import Catalogue
from crm_store.database import Store
from crm_store.errors import SamparkError
from crm_store.imports import whose
from crm_store.imports.batch import FirstLines, Incoming, Outcome, Purpose
from crm_store.imports.cells import DateOrder, Reading
from crm_store.imports.columns import Column, Places, find_places
from crm_store.imports.kinds import Kind, kind_of
from crm_store.imports.permission import says_of_permission
from crm_store.imports.result import ImportResult, Problem, RejectedRow
from crm_store.imports.table import Row, Table, open_table
from crm_store.models.club import Club
from crm_store.storable import storable
from crm_store.tables import table_of

BATCH = 1_000
ANSWERED = 100
"""So many rows that say of permission are written at once: until they are, no message leaves
(`crm_store.locks`). On PostgreSQL that is about 60 ms; with a whole batch it was 400."""


def import_file(
    store: Store,
    kind: str,
    path: Path,
    *,
    club_id: int,
    catalogue: Catalogue,
    now: datetime,
    dry_run: bool = False,
    encoding: str | None = None,
    mapping: Mapping[str, str] | None = None,
    dates: DateOrder | None = None,
    on_progress: Callable[[int], None] = lambda _rows: None,
) -> ImportResult:
    """Import `path` into a club; `on_progress` gets the number of rows read so far.

    `kind` is one of `kinds.NAMES`; `mapping` says by hand which heading a column has. Memory
    does not grow with the file, except for the rows that are rejected.

    Raises `UsageError` for a file that cannot be read at all or lacks a column it must have.
    """
    what = kind_of(kind, catalogue)
    with open_table(path, encoding) as table:
        places = find_places(what.columns, table.headings, mapping or {})
        if what.name != "customers":
            whose.check_key(tuple(places.of), table.headings)
        reader = _Reader(what, table, places, _reading(store, club_id, now, dates))
        purpose = Purpose(club_id, path.name, now, catalogue)
        result = ImportResult.of(table, places, what.worked_out)
        first_lines = FirstLines()
        try:
            while rows := list(islice(table.rows, BATCH)):
                good, rejected = reader.read(rows, first_lines)
                outcome = _write(store, what, good, purpose, dry_run=dry_run)
                _count(result, rows, outcome, [*rejected, *reader.refused(rows, outcome)])
                if what.name == "memberships":
                    taken = (row for row in good if row.line not in outcome.refused)
                    result.plans.update(row.values["plan"] for row in taken)
                on_progress(result.read)
        finally:
            first_lines.close()
    return result


def _reading(store: Store, club_id: int, now: datetime, dates: DateOrder | None) -> Reading:
    club = table_of(Club)
    with store.read() as connection:
        row = connection.execute(
            select(club.c.country, club.c.timezone).where(club.c.id == club_id)
        ).one()
    zone = ZoneInfo(row.timezone)
    return Reading(row.country, zone, now.astimezone(zone).date(), dates)


def _write(
    store: Store, kind: Kind, rows: list[Incoming], purpose: Purpose, *, dry_run: bool
) -> Outcome:
    if dry_run:
        with store.read() as connection:
            return kind.write(connection, rows, purpose, dry_run=True)
    outcome = Outcome()
    for piece in _pieces(rows):
        outcome.count(store.transact(kind.write, piece, purpose, dry_run=False))
    return outcome


def _pieces(rows: Sequence[Incoming]) -> Iterator[Sequence[Incoming]]:
    """A batch for one transaction each, and what takes permission away for short ones."""
    if others := [row for row in rows if not says_of_permission(row)]:
        yield others
    answered = [row for row in rows if says_of_permission(row)]
    for first in range(0, len(answered), ANSWERED):
        yield answered[first : first + ANSWERED]


def _count(
    result: ImportResult, rows: list[Row], outcome: Outcome, rejected: list[RejectedRow]
) -> None:
    result.read += len(rows)
    result.added += outcome.added
    result.updated += outcome.updated
    result.unchanged += outcome.unchanged
    result.rejected += sorted(rejected, key=lambda row: row.line)


@dataclass(frozen=True)
class _Reader:
    """Turns rows of text into rows of values."""

    kind: Kind
    table: Table
    places: Places
    reading: Reading

    def read(
        self, rows: list[Row], first_lines: FirstLines
    ) -> tuple[list[Incoming], list[RejectedRow]]:
        """The rows that can be read and come for the first time; and the others."""
        good: list[tuple[Row, Incoming]] = []
        rejected: list[RejectedRow] = []
        for row in rows:
            values, problems = self._values(row)
            if problems:
                rejected.append(RejectedRow(row.line, tuple(problems), tuple(row.cells)))
            else:
                good.append((row, Incoming(row.line, values)))
        if not self.kind.key:
            return [incoming for _row, incoming in good], rejected
        keys = [self._key(incoming) for _row, incoming in good]
        firsts = first_lines.of(
            [(key, row.line) for key, (row, _in) in zip(keys, good, strict=True)]
        )
        fresh = []
        for key, (row, incoming) in zip(keys, good, strict=True):
            if firsts[key] == row.line:
                fresh.append(incoming)
            else:
                text = f"The same as line {firsts[key]}; keep one of them."
                rejected.append(self._rejected(row, "ref", text))
        return fresh, rejected

    def refused(self, rows: list[Row], outcome: Outcome) -> Iterator[RejectedRow]:
        """What the writer would not take."""
        for row in rows:
            if row.line in outcome.refused:
                yield self._rejected(row, *outcome.refused[row.line])

    def _values(self, row: Row) -> tuple[dict[str, Any], list[Problem]]:
        values: dict[str, Any] = {}
        problems: list[Problem] = []
        if any(row.cells[len(self.table.headings) :]):
            text = f"The row has {len(row.cells)} cells, the heading {len(self.table.headings)}."
            return values, [Problem("row", text)]
        for column in self.kind.columns:
            cell = self._cell(column, row)
            if not cell:
                if column.required:
                    problems.append(Problem(self._heading(column.name), "The cell is empty."))
                continue
            if "\0" in cell:
                # PostgreSQL keeps no such text; no system of a club's means one.
                text = "The cell holds a null character; remove it."
                problems.append(Problem(self._heading(column.name), text))
                continue
            try:
                values[column.name] = column.read(storable(cell), self.reading)
            except SamparkError as problem:
                problems.append(Problem(self._heading(column.name), str(problem)))
        return values, problems

    def _cell(self, column: Column, row: Row) -> str:
        places = self.places.of.get(column.name, ())
        return next((row.cells[at] for at in places if at < len(row.cells) and row.cells[at]), "")

    def _key(self, incoming: Incoming) -> str:
        return "\x1f".join(str(incoming.values.get(name, "")) for name in self.kind.key)

    def _heading(self, column: str) -> str:
        places = self.places.of.get(column)
        return self.table.headings[places[0]] if places else column

    def _rejected(self, row: Row, column: str, text: str) -> RejectedRow:
        return RejectedRow(row.line, (Problem(self._heading(column), text),), tuple(row.cells))

"""Admission: rows a second into the enrollment table, beside Core's executemany of the same rows.

Everyone has a new event; one admission enrolls all of them, a second finds nothing to do. The
reference inserts rows of the same content into the same, again empty, table, 1,000 a statement.
The plan of the admitting statement is printed, for it says more than milliseconds.

    python benchmarks/enrolment.py [--customers 100000] [--database postgresql] [--rounds 5]
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from club import at_work, make_club, seed_leads
from databases import KINDS, Databases, databases
from machine import load, median
from sqlalchemy import Connection, delete, event, insert, select

from crm_store.database import Store
from crm_store.models.campaign import Enrollment
from crm_store.tables import table_of
from flows.admit import admit

ENROLLMENT = table_of(Enrollment)
CHUNK = 1_000


@dataclass(frozen=True)
class Round:
    """Seconds of the admission, of its repetition, and of the reference; and the plan."""

    admit: float
    again: float
    executemany: float
    plan: str


def main() -> None:
    """Run the rounds and print the medians."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--customers", type=int, default=100_000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--database", choices=KINDS, default="sqlite")
    chosen = options.parse_args()
    rounds = []
    with databases(chosen.database) as fresh:
        for _ in range(chosen.rounds):
            with tempfile.TemporaryDirectory() as folder:
                rounds.append(asyncio.run(one_round(Path(folder), fresh, chosen.customers)))
    number = chosen.customers
    print(rounds[-1].plan)
    print(f"\nmedian (lowest to highest) of {len(rounds)} rounds, {number:,} rows; {load()}")
    print(f"admit            {median([number / one.admit for one in rounds])} rows/s")
    print(f"admit once more  {median([number / one.again for one in rounds])} rows/s, none new")
    print(f"executemany      {median([number / one.executemany for one in rounds])} rows/s")
    print(f"x executemany    {median([one.executemany / one.admit for one in rounds], '.2f')}")


async def one_round(folder: Path, fresh: Databases, customers: int) -> Round:
    """One club of new leads."""
    make_club(folder, database=fresh.new(folder), port=1, sessions=1)
    async with at_work(folder) as (engine, campaign):
        store = engine.store
        seed_leads(store, engine.club_id, customers, engine.clock())
        statements = _insertions(store)
        admitting = _timed(lambda: admit(engine, campaign), customers)
        again = _timed(lambda: admit(engine, campaign), 0)
        plan = _plan(store, *statements[0])
        with store.read() as connection:
            rows = [dict(row) for row in connection.execute(select(ENROLLMENT)).mappings()]
        with store.write() as connection:
            connection.execute(delete(ENROLLMENT))
        reference = _timed(lambda: _executemany(store, rows), customers)
    return Round(admitting, again, reference, plan)


def _executemany(store: Store, rows: list[dict[str, Any]]) -> int:
    with store.write() as connection:
        for start in range(0, len(rows), CHUNK):
            connection.execute(insert(ENROLLMENT), rows[start : start + CHUNK])
    return len(rows)


def _insertions(store: Store) -> list[tuple[str, Any]]:
    """A list that fills with the INSERT statements sent from now on, and their parameters."""
    seen: list[tuple[str, Any]] = []

    @event.listens_for(store.engine, "before_cursor_execute")
    def _note(
        _connection: Connection, _cursor: Any, statement: str, parameters: Any, *_rest: Any
    ) -> None:
        if statement.startswith("INSERT INTO enrollment"):
            seen.append((statement, parameters))

    return seen


def _plan(store: Store, statement: str, parameters: Any) -> str:
    word = "EXPLAIN QUERY PLAN" if store.is_sqlite else "EXPLAIN"
    with store.read() as connection:
        rows = connection.exec_driver_sql(f"{word} {statement}", parameters).fetchall()
    return "\n".join(str(row[-1]) for row in rows)


def _timed(work: Callable[[], int], expected: int) -> float:
    started = time.perf_counter()
    done = work()
    seconds = time.perf_counter() - started
    if done != expected:
        raise SystemExit(f"{done} rows instead of {expected}")
    return seconds


if __name__ == "__main__":
    main()

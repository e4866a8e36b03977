"""How much memory a delivery takes: 10,000 due messages against 100,000 and a million.

The touchpoints are queued by the database itself; a worker in a process of its own delivers them
into `smtp-sink`. Its resident memory is read after every batch. It must not grow with the queue.

    python benchmarks/memory.py [10000 100000 1000000] [--database postgresql]
"""

import argparse
import asyncio
import tempfile
from pathlib import Path

from club import accepted_by, make_club, queued_club
from databases import KINDS, Databases, databases
from machine import load
from sink import sink, taken
from workers import Delivered, Way, workers

MIB = 1024 * 1024


def main() -> None:
    """One delivery for each size, and its memory."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("messages", type=int, nargs="*", default=[10_000, 100_000])
    options.add_argument("--database", choices=KINDS, default="sqlite")
    chosen = options.parse_args()
    print(f"resident memory of the worker in MiB, on {chosen.database}; {load()}")
    print("  messages   first batch   quarter   half   three quarters   last batch   peak")
    with databases(chosen.database) as fresh:
        for messages in chosen.messages:
            with tempfile.TemporaryDirectory() as folder:
                delivered = _delivered(Path(folder), fresh, messages)
            [work] = delivered.works
            at = [work.resident[part * (len(work.resident) - 1) // 4] for part in range(5)]
            first, quarter, half, three, last = (f"{one / MIB:.0f}" for one in at)
            print(
                f"{messages:>10,} {first:>13} {quarter:>9} {half:>6} {three:>16} {last:>12}"
                f" {work.peak / MIB:>6.0f}   ({messages / delivered.seconds:,.0f}/s)",
                flush=True,
            )


def _delivered(folder: Path, fresh: Databases, messages: int) -> Delivered:
    log = folder / "sink.log"
    with sink(log) as port:
        make_club(folder, database=fresh.new(folder), port=port, sessions=16)
        asyncio.run(queued_club(folder, messages))
        with workers(folder, 1, Way()) as waiting:
            delivered = waiting.deliver()
        arrived = taken(log)
    recorded = asyncio.run(accepted_by(folder))
    if not recorded == arrived == messages:
        raise SystemExit(f"{messages} were due, {recorded} accepted, {arrived} arrived")
    return delivered


if __name__ == "__main__":
    main()

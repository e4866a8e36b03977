"""Delivery to a mail server at a distance: 20 ms a reply, 64 sessions, every message recorded.

A message that waits for nothing but one round trip on its session would make sessions / round
trip messages a second: the share of that is the figure. `smtp-source` beside it has as many
sessions, the same message size, and a sink like ours; it waits for the answer to each command.

    python benchmarks/latency.py [--messages 10000] [--delay 0.02] [--sessions 64] [--rounds 5]
"""

import argparse
import asyncio
import tempfile
from dataclasses import dataclass
from pathlib import Path

from club import accepted_by, make_club, queued_club
from databases import KINDS, Databases, databases
from delayed_sink import delayed_sink
from machine import load, median
from sink import source
from workers import LOOPS, Way, workers


@dataclass(frozen=True)
class Round:
    """Messages a second, ours and `smtp-source`'s; our CPU seconds a message; the cores we had."""

    ours: float
    source: float
    cpu: float
    cores: float


def main() -> None:
    """Run the rounds and print the medians."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--messages", type=int, default=10_000)
    options.add_argument("--delay", type=float, default=0.02)
    options.add_argument("--sessions", type=int, default=64)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--processes", type=int, default=1)
    options.add_argument("--database", choices=KINDS, default="sqlite")
    options.add_argument("--loop", choices=LOOPS, default="uvloop")
    options.add_argument("--short", action="store_true", help="a plain layout: smaller messages")
    chosen = options.parse_args()
    print(f"{vars(chosen)}; {load()}")
    rounds = []
    with databases(chosen.database) as fresh:
        for number in range(chosen.rounds):
            with tempfile.TemporaryDirectory() as folder:
                one = one_round(Path(folder), fresh, chosen)
            rounds.append(one)
            print(
                f"round {number + 1}: {one.ours:,.0f}/s, {one.cpu * 1e6:.0f} us CPU each on"
                f" {one.cores:.2f} cores;"
                f" smtp-source {one.source:,.0f}/s",
                flush=True,
            )
    most = chosen.sessions * chosen.processes / chosen.delay
    print(f"\nmedian (lowest to highest) of {len(rounds)} rounds; {load()}")
    print(f"messages a second         {median([one.ours for one in rounds])}")
    print(f"share of {most:>8,.0f}/s        {median([one.ours / most for one in rounds], '.3f')}")
    print(f"CPU us a message          {median([one.cpu * 1e6 for one in rounds])}")
    print(f"cores it had              {median([one.cores for one in rounds], '.2f')}")
    print(f"x smtp-source             {median([one.ours / one.source for one in rounds], '.2f')}")


def one_round(folder: Path, fresh: Databases, chosen: argparse.Namespace) -> Round:
    """One club delivered; a fifth as many messages by `smtp-source` before and after."""
    with delayed_sink(chosen.delay) as ours, delayed_sink(chosen.delay) as theirs:
        make_club(
            folder,
            database=fresh.new(folder),
            port=ours.port,
            sessions=chosen.sessions,
            short=chosen.short,
        )
        size = asyncio.run(queued_club(folder, chosen.messages))
        sessions = chosen.sessions * chosen.processes
        few = max(chosen.messages // 5, 10 * sessions)
        with workers(folder, chosen.processes, Way(chosen.loop)) as waiting:
            before = source(theirs.port, messages=few, size=size, sessions=sessions)
            delivered = waiting.deliver()
        after = source(theirs.port, messages=few, size=size, sessions=sessions)
    recorded = asyncio.run(accepted_by(folder))
    if not recorded == ours.messages == chosen.messages or theirs.messages != 2 * few:
        raise SystemExit(f"{chosen.messages} due, {recorded} accepted, {ours.messages} arrived")
    return Round(
        recorded / delivered.seconds,
        2 * few / (before + after),
        delivered.cpu / recorded,
        delivered.cores,
    )


if __name__ == "__main__":
    main()

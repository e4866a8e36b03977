"""From due to accepted: personalised, recorded e-mails against Postfix's `smtp-source`.

Every round makes a fresh club of new leads, lets the engine admit, advance, gate, render, build,
hand over and settle them into `smtp-sink`; before and after it `smtp-source` sends as many
messages of the same size over as many sessions into the same sink. Counted are the rows that are
committed as accepted with the server's reply, checked against what the sink says it took.

    python benchmarks/throughput.py [--messages 20000] [--rounds 7] [--processes 2] [--pin]
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from club import KEYS, accepted_by, at_work, first_letters, make_club, mean_size, seed_leads
from databases import KINDS, Databases, databases
from machine import load, median, sides
from sink import sink, source, taken
from workers import LOOPS, Way, workers

from flows.admit import admit
from flows.advance import advance


@dataclass(frozen=True)
class Round:
    """What one round measured: seconds of each, and `size` in bytes a message."""

    size: int
    admit: float
    advance: float
    deliver: float
    cpu: float
    cores: float
    source: float


def main() -> None:
    """Run the rounds and print the medians."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--messages", type=int, default=20_000)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--sessions", type=int, default=16)
    options.add_argument("--processes", type=int, default=1)
    options.add_argument("--database", choices=KINDS, default="sqlite")
    options.add_argument("--loop", choices=LOOPS, default="uvloop")
    options.add_argument("--dkim", choices=KEYS, help="sign the messages with such a key")
    options.add_argument("--short", action="store_true", help="a plain layout: smaller messages")
    options.add_argument("--pin", action="store_true", help="the sink on a core of its own")
    options.add_argument(
        "--no-commit-before-the-dot", action="store_true", help="to see what that commit costs"
    )
    chosen = options.parse_args()
    rounds = []
    print(f"{vars(chosen)}; {load()}")
    with databases(chosen.database) as fresh:
        for number in range(chosen.rounds):
            with tempfile.TemporaryDirectory() as folder:
                rounds.append(one_round(Path(folder), fresh, chosen))
            print(_line(f"round {number + 1}", rounds[-1], chosen.messages), flush=True)
    _summary(rounds, chosen.messages)


def one_round(folder: Path, fresh: Databases, chosen: argparse.Namespace) -> Round:
    """One club, one delivery, and the reference before and after."""
    log = folder / "sink.log"
    sink_cores, client_cores = sides(chosen.pin)
    way = Way(chosen.loop, not chosen.no_commit_before_the_dot, frozenset(client_cores))
    with sink(log, sink_cores) as port:
        make_club(
            folder,
            database=fresh.new(folder),
            port=port,
            sessions=chosen.sessions,
            short=chosen.short,
            dkim=chosen.dkim,
        )
        size, admitting, advancing = asyncio.run(_queue(folder, chosen.messages))

        def reference() -> float:
            return source(
                port,
                messages=chosen.messages,
                size=size,
                sessions=chosen.sessions * chosen.processes,
                cores=client_cores,
            )

        with workers(folder, chosen.processes, way) as waiting:
            before = reference()
            already = taken(log)
            delivered = waiting.deliver()
        arrived = taken(log) - already
        after = reference()
        recorded = asyncio.run(accepted_by(folder))
    if not recorded == arrived == chosen.messages:
        raise SystemExit(f"{chosen.messages} were due, {recorded} accepted, {arrived} arrived")
    return Round(
        size,
        admitting,
        advancing,
        delivered.seconds,
        delivered.cpu,
        delivered.cores,
        (before + after) / 2,
    )


async def _queue(folder: Path, messages: int) -> tuple[int, float, float]:
    """Make the leads, admit and advance them: the message size, and the seconds of each."""
    async with at_work(folder) as (engine, campaign):
        seed_leads(engine.store, engine.club_id, messages, engine.clock())
        admitting = _timed(lambda: admit(engine, campaign))
        advancing = _timed(lambda: advance(engine, campaign))
        return mean_size(first_letters(engine, campaign)), admitting, advancing


def _timed(work: Callable[[], int]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _line(name: str, one: Round, messages: int) -> str:
    return (
        f"{name}: {one.size} bytes; admit {messages / one.admit:,.0f}/s,"
        f" advance {messages / one.advance:,.0f}/s,"
        f" due to accepted {messages / one.deliver:,.0f}/s,"
        f" {one.cpu / messages * 1e6:.0f} us CPU each on {one.cores:.2f} cores;"
        f" smtp-source {messages / one.source:,.0f}/s; ratio {one.source / one.deliver:.3f}"
    )


def _summary(rounds: list[Round], messages: int) -> None:
    print(f"\nmedian (lowest to highest) of {len(rounds)} rounds; {load()}")
    print(f"admit          {median([messages / one.admit for one in rounds])}/s")
    print(f"advance        {median([messages / one.advance for one in rounds])}/s")
    print(f"due→accepted   {median([messages / one.deliver for one in rounds])}/s")
    print(f"CPU a message  {median([one.cpu / messages * 1e6 for one in rounds])} us")
    print(f"cores it had   {median([one.cores for one in rounds], '.2f')}")
    print(f"x smtp-source  {median([one.source / one.deliver for one in rounds], '.3f')}")


if __name__ == "__main__":
    main()

"""Where a message's CPU time goes, stage by stage, each stage alone on one thread.

Prepare is run as it is, with a clock around its parts; hand-over goes into `smtp-sink` with
nobody to ask; the ledger works with a channel that accepts at once. What a stage waits for (disk,
network) is not in these figures, nor what the stages cost each other when they run side by side:
`throughput.py` has that. `message_building.py` looks closer at "compose".

    python benchmarks/stages.py [--messages 5000] [--rounds 5] [--short]
"""

import argparse
import asyncio
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

from club import KEYS, at_work, make_club, seed_leads
from databases import KINDS, Databases, databases
from machine import load, median
from sink import sink, taken
from workers import LOOPS

import flows.prepare as preparing
from crm_messaging.compose import Composer
from crm_messaging.message import MaySend, Outcome, Outgoing, Receipt
from crm_store import field_values, sending, touchpoints
from flows.admit import admit
from flows.advance import advance
from flows.campaigns import RunningCampaign
from flows.delivery import Delivery
from flows.engine import Engine
from flows.prepare import Prepared, prepare

Seconds = dict[str, float]

PARTS: tuple[tuple[str, ModuleType | type, str], ...] = (
    ("claim", touchpoints, "claim"),
    ("facts for the gate", sending, "facts"),
    ("messages sent lately", sending, "sent_since"),
    ("hours that are closed", preparing, "closed_until"),
    ("gate", preparing, "decide"),
    ("values of fields", field_values, "of_enrolled"),
    ("compose", Composer, "compose"),
    ("rule on the rest", touchpoints, "rule"),
)


class Everyone:
    """A channel that takes every message at once."""

    name = "email"
    concurrency = 32

    async def hand_over(self, message: Outgoing, may_send: MaySend) -> Receipt | None:
        """Ask for leave, then accept."""
        if not await may_send(message.touchpoint_id):
            return None
        return Receipt(message.touchpoint_id, Outcome.ACCEPTED, "250 2.0.0 Ok")

    async def close(self) -> None:
        """Nothing is open."""


def main() -> None:
    """Run the rounds and print the medians."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--messages", type=int, default=5_000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--database", choices=KINDS, default="sqlite")
    options.add_argument("--loop", choices=LOOPS, default="uvloop")
    options.add_argument("--dkim", choices=KEYS, help="sign the messages with such a key")
    options.add_argument("--short", action="store_true", help="a plain layout: smaller messages")
    chosen = options.parse_args()
    rounds: list[Seconds] = []
    with databases(chosen.database) as fresh:
        for _ in range(chosen.rounds):
            with tempfile.TemporaryDirectory() as folder:
                rounds.append(LOOPS[chosen.loop](one_round(Path(folder), fresh, chosen)))
    print(f"CPU us a message, median of {len(rounds)} rounds of {chosen.messages}; {load()}")
    for stage in rounds[0]:
        figures = median([one[stage] / chosen.messages * 1e6 for one in rounds], ".1f")
        print(f"{stage:26} {figures}")


async def one_round(folder: Path, fresh: Databases, chosen: argparse.Namespace) -> Seconds:
    """CPU seconds of every stage for one club."""
    spent: Seconds = defaultdict(float)
    log = folder / "sink.log"
    with sink(log) as port:
        database = fresh.new(folder)
        make_club(
            folder,
            database=database,
            port=port,
            sessions=16,
            short=chosen.short,
            dkim=chosen.dkim,
        )
        async with at_work(folder) as (engine, campaign):
            seed_leads(engine.store, engine.club_id, chosen.messages, engine.clock())
            _clocked(lambda: admit(engine, campaign), "admit", spent)()
            _clocked(lambda: advance(engine, campaign), "advance", spent)()
            whole = _clocked(lambda: _prepared(engine, campaign), "prepare, all of it", spent)
            with _parts_clocked(spent):
                batches = list(iter(whole, None))
            await _hand_over(engine, batches, spent)
            await _ledger(engine, batches, spent)
    arrived = taken(log)
    if arrived != chosen.messages:
        raise SystemExit(f"{arrived} of {chosen.messages} arrived")
    return spent


def _prepared(engine: Engine, campaign: RunningCampaign) -> Prepared | None:
    batch = prepare(engine, campaign)
    while batch is not None and batch.compose():
        pass
    return batch


async def _hand_over(engine: Engine, batches: list[Prepared], spent: Seconds) -> None:
    channel = engine.channels["email"]
    started = time.process_time()
    for batch in batches:
        queue = iter([one.message for one in batch.outgoing])

        async def work_off(queue: Iterator[Outgoing] = queue) -> None:
            for message in queue:
                await channel.hand_over(message, _yes)

        await asyncio.gather(*(work_off() for _ in range(channel.concurrency)))
    spent["hand-over"] = time.process_time() - started


async def _ledger(engine: Engine, batches: list[Prepared], spent: Seconds) -> None:
    engine.channels["email"] = Everyone()
    started = time.process_time()
    async with Delivery(engine) as delivery:
        for batch in batches:
            await delivery.send(batch)
    spent["ledger"] = time.process_time() - started


async def _yes(touchpoint_id: int) -> bool:  # noqa: ARG001 - the channel names it
    return True


@contextmanager
def _parts_clocked(spent: Seconds) -> Iterator[None]:
    with ExitStack() as stack:
        for stage, owner, name in PARTS:
            clocked = _clocked(getattr(owner, name), f"  {stage}", spent)
            stack.enter_context(patch.object(owner, name, clocked))
        yield


def _clocked(work: Callable[..., Any], stage: str, spent: Seconds) -> Callable[..., Any]:
    spent[stage] = 0.0

    @wraps(work)
    def clocked(*arguments: Any, **named: Any) -> Any:
        started = time.thread_time()
        try:
            return work(*arguments, **named)
        finally:
            spent[stage] += time.thread_time() - started

    return clocked


if __name__ == "__main__":
    main()

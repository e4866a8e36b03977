"""One worker process: it opens the store, builds the engine and sweeps until nothing is left."""

import asyncio
import faulthandler
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from faults.boundaries import Boundary, Tripwire, WatchedChannel
from faults.club import Site, open_engine
from faults.mutants import MUTANTS
from sqlalchemy import event

from crm_store.database import Store, open_store
from flows.deliver import deliver
from flows.sweep import plan_sweep, sweep

PATIENCE_S = 60
"""A worker that lives longer than this hangs."""


@dataclass(frozen=True)
class Life:
    """What becomes of one worker."""

    site: Site
    port: int
    boundary: Boundary = Boundary.ANY_MOMENT
    """Where it signals itself; at any moment somebody else does."""
    passing: int = 1
    signal: int = signal.SIGKILL
    mutant: str | None = None
    pragmas: Mapping[str, int] = field(default_factory=dict)
    """SQLite's, for this worker's connections: a disk that is full, a shorter patience."""


def live(life: Life) -> None:
    """The whole life. What it has to say on the way goes to `workers.log`."""
    log = os.open(life.site.folder / "workers.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    faulthandler.dump_traceback_later(PATIENCE_S)
    asyncio.run(_watched(life))


async def _watched(life: Life) -> None:
    """One that hangs says where, and ends with an error."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            await _sweep_until_idle(life)
    except TimeoutError:
        for task in asyncio.all_tasks():
            task.print_stack()
        raise


async def _sweep_until_idle(life: Life) -> None:
    store = open_store(life.site.database)
    _set_pragmas(store, life.pragmas)
    engine, files = open_engine(life.site, store, life.port)
    wire = Tripwire(life.boundary, life.passing, life.signal)
    wire.watch_commits(store.engine)
    channel = engine.channels["email"]
    engine = replace(engine, channels={"email": WatchedChannel(channel, wire)})
    send = MUTANTS[life.mutant] if life.mutant else None
    busy = True
    while busy:
        plan = plan_sweep(engine, files)
        report = await sweep(engine, plan, deliver_campaign=partial(deliver, send=send))
        busy = report.admitted > 0 or any(one.outcomes for one in report.campaigns)
    await channel.close()
    store.close()


def _set_pragmas(store: Store, pragmas: Mapping[str, int]) -> None:
    @event.listens_for(store.engine, "connect")
    def _set(connection: object, _record: object) -> None:
        for name, value in pragmas.items():
            connection.execute(f"PRAGMA {name}={value}")  # type: ignore[attr-defined]

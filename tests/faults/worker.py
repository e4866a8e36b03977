"""One worker process: it opens the store, builds the engine and works until nothing is left."""

import asyncio
import faulthandler
import os
import signal
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Any, cast

from faults.boundaries import Boundary, Tripwire, WatchedChannel
from faults.club import Site, open_engine
from faults.mutants import MUTANTS
from making import KEYS
from sqlalchemy import event

from crm_messaging.message import Channel
from crm_store.database import Store, open_store
from flows.deliver import deliver
from flows.sweep import handle_events, plan_sweep, sweep

PATIENCE_S = 60
"""A worker that lives longer than this hangs."""


class Role(StrEnum):
    """What a worker does all its life."""

    ONCE = "sweeps until nothing is left"
    SWEEPS = "sweeps until the site is closed"
    EVENTS = "takes events until the site is closed"


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
    role: Role = Role.ONCE
    settings: Mapping[str, int] = field(default_factory=dict)
    """The database's, for this worker's connections: a disk that is full, a shorter patience."""


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
            await _work(life)
    except TimeoutError:
        for task in asyncio.all_tasks():
            task.print_stack()
        raise


async def _work(life: Life) -> None:
    store = open_store(life.site.database, keys=KEYS)
    _set(store, life.settings)
    engine, files = open_engine(life.site, store, life.port)
    wire = Tripwire(life.boundary, life.passing, life.signal)
    wire.watch_commits(store.engine)
    channel = engine.channels["email"]
    engine = replace(engine, channels={"email": cast(Channel, WatchedChannel(channel, wire))})
    way = partial(deliver, send=MUTANTS[life.mutant]) if life.mutant else deliver
    turn = handle_events if life.role is Role.EVENTS else sweep
    while True:
        report = await turn(engine, plan_sweep(engine, files), deliver_campaign=way)
        if report and (failed := [one.failed for one in report.campaigns if one.failed]):
            raise SystemExit(f"failed: {failed}")
        if report and (report.admitted or any(one.outcomes for one in report.campaigns)):
            continue
        if life.role is Role.ONCE or life.site.is_closed:
            break
        await asyncio.sleep(0.05)
    await channel.close()
    store.close()


def _set(store: Store, settings: Mapping[str, int]) -> None:
    word = "PRAGMA" if store.is_sqlite else "SET"

    @event.listens_for(store.engine, "connect")
    def _on_connect(connection: Any, _record: object) -> None:
        for name, value in settings.items():
            connection.execute(f"{word} {name} = {value}")
        connection.commit()

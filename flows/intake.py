"""The intake: a loop that turns an event into a message within a moment of its recording.

It reads what came through the public doors, polls the events, keeps the channels warm, and hands
what it did to whoever shows it. What it drops for an error the next sweep finds: a sweep goes by
what happened, not by what was polled.
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import TypeAlias

from crm_store import events
from flows.followed_plan import FollowedPlan
from flows.inbox import handle_inbox
from flows.report import SweepReport
from flows.sweep import SweepPlan, handle_events
from flows.trouble import class_and_place

log = logging.getLogger(__name__)

POLL_S = 0.2
LOOK_AT_FILES_S = 2.0
PAUSES_S = (1.0, 5.0, 30.0)
"""After one error, two, and more in a row."""

OnHandled: TypeAlias = Callable[[SweepReport, SweepPlan], None]


async def take_in(followed: FollowedPlan, on_handled: OnHandled, stop: asyncio.Event) -> None:
    """Handle events as they are recorded, until `stop` is set: then finish what is begun."""
    loop = asyncio.get_running_loop()
    failures, looked_at = 0, -LOOK_AT_FILES_S
    while not stop.is_set():
        try:
            inbound = await handle_inbox(followed.engine)
            waiting = await asyncio.to_thread(_has_unhandled, followed)
            if waiting or loop.time() - looked_at >= LOOK_AT_FILES_S:
                await asyncio.to_thread(followed.follow)
                looked_at = loop.time()
            report = await handle_events(followed.engine, followed.plan) if waiting else None
        except Exception as error:
            log.warning("the event intake failed: %s", class_and_place(error))
            await pause(stop, PAUSES_S[min(failures, len(PAUSES_S) - 1)])
            failures += 1
            continue
        failures = 0
        if report is None and inbound is None:
            await pause(stop, POLL_S)
        elif report is not None and report.campaigns:  # else there is nothing to show
            on_handled(report, followed.plan)


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Sleep, but not past `stop`."""
    with suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)


def _has_unhandled(followed: FollowedPlan) -> bool:
    with followed.engine.store.read() as connection:
        return events.has_unhandled(connection, followed.engine.clock())

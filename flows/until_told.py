"""Work that goes on until the process is told to stop, by SIGINT or SIGTERM."""

import asyncio
import signal
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

from flows.event_loop import run


async def until_told(work: Callable[[asyncio.Event], Coroutine[Any, Any, None]]) -> None:
    """Do the work; what it is given is set when it is to end, and then it ends by itself.

    While a run lasts, Prefect takes SIGTERM for itself and tears the loop down with it, but in
    the main thread only. So the work has a thread of its own, and this one has the signals.
    """
    told: Future[None] = Future()

    def tell() -> None:
        if not told.done():
            told.set_result(None)

    async def beside() -> None:
        stop, loop = asyncio.Event(), asyncio.get_running_loop()

        def wake(_: object) -> None:
            if not loop.is_closed():  # it is when the work has failed by itself
                loop.call_soon_threadsafe(stop.set)

        told.add_done_callback(wake)
        await work(stop)

    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, tell)
    try:
        await asyncio.to_thread(run, beside())
    finally:
        tell()

"""Child processes that live no longer than the context that started them."""

import asyncio
import os
import signal
import sys
import threading
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

GRACE_S = 20.0


@asynccontextmanager
async def child(
    command: Sequence[str], environment: Mapping[str, str] | None = None
) -> AsyncIterator[Process]:
    """Run a program; on leaving it is asked to end, and made to after `GRACE_S`.

    Without an environment of its own it has that of its parent.

    The program and what it starts are a session of their own: Ctrl-C in the terminal reaches the
    parent alone, which decides the order of ending, and none of them is left behind. Its
    standard input stays open as long as the parent lives.
    """
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdin=PIPE, stdout=DEVNULL, start_new_session=True
    )
    try:
        yield process
    finally:
        await _end(process)


def end_with_parent(end: Callable[[], None]) -> None:
    """In a child: call `end`, from a thread, when the parent is gone, however it went."""

    def wait() -> None:
        # Not sys.stdin: its lock would be held when the interpreter shuts down.
        while os.read(sys.stdin.fileno(), 1024):
            pass
        end()

    threading.Thread(target=wait, daemon=True, name="end-with-parent").start()


async def _end(process: Process) -> None:
    with suppress(ProcessLookupError):
        process.terminate()
    deadline = asyncio.get_running_loop().time() + GRACE_S
    while _group_lives(process.pid):
        if asyncio.get_running_loop().time() > deadline:
            break
        await asyncio.sleep(0.05)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _group_lives(leader: int) -> bool:
    try:
        os.killpg(leader, 0)
    except ProcessLookupError:
        return False
    return True

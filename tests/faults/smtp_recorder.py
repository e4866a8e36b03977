"""A real SMTP server that writes every message down before it says 250.

What it has written is the truth about what left the house. It stalls a little, by a seed, before
a message and between its final dot and the reply, so that a kill lands everywhere.
"""

import asyncio
import json
import os
import random
import re
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Self

_MESSAGE_ID = re.compile(rb"(?im)^Message-ID:\s*(<[^>]+>)")
_REPLIES = {
    b"EHLO": b"250-recorder\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
    b"MAIL": b"250 sender ok\r\n",
    b"RCPT": b"250 recipient ok\r\n",
    b"RSET": b"250 forgotten\r\n",
    b"QUIT": b"221 bye\r\n",
}


@dataclass(frozen=True)
class Taken:
    """A message whose final dot the server accepted."""

    message_id: str
    door: int
    """The port it came in by: every worker has one of its own."""
    session: int
    at: float
    """`time.monotonic()`, in seconds."""


OnDot = Callable[[int], None]
"""Told how many messages have come in by this door, before the last one is answered."""


class Recorder:
    """The server, in a thread of its own. Use as a context manager."""

    def __init__(self, journal: Path, seed: int, *, longest_stall: float = 0.02) -> None:
        self.taken: list[Taken] = []
        self._journal = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._random = random.Random(seed)  # noqa: S311 - it is to be repeatable
        self._longest_stall = longest_stall
        self._sessions = count(1)
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="recorder")
        self._doors: list[asyncio.Server] = []
        self._open: dict[asyncio.Task[None], asyncio.StreamWriter] = {}

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        os.close(self._journal)

    def open_door(self, on_dot: OnDot = lambda _: None) -> int:
        """A new port that leads in here."""
        return asyncio.run_coroutine_threadsafe(self._open_door(on_dot), self._loop).result()

    async def _open_door(self, on_dot: OnDot) -> int:
        came_in = count(1)

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            self._open[task] = writer
            door = writer.get_extra_info("sockname")[1]
            try:
                await self._dialogue(reader, writer, door, lambda: on_dot(next(came_in)))
            except (ConnectionError, asyncio.IncompleteReadError):
                pass  # the worker is dead, which is what we are here for
            finally:
                del self._open[task]
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1 << 20)
        self._doors.append(server)
        port: int = server.sockets[0].getsockname()[1]
        return port

    async def _dialogue(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        door: int,
        on_dot: Callable[[], None],
    ) -> None:
        session = next(self._sessions)
        writer.write(b"220 recorder\r\n")
        while True:
            word = (await reader.readuntil(b"\r\n"))[:4].upper()
            if word == b"DATA":
                await self._stall()
                writer.write(b"354 go on\r\n")
                content = await reader.readuntil(b"\r\n.\r\n")
                self._write_down(content, door, session)
                on_dot()
                await self._stall()
                writer.write(b"250 taken\r\n")
            else:
                writer.write(_REPLIES[word])
            await writer.drain()
            if word == b"QUIT":
                return

    def _write_down(self, content: bytes, door: int, session: int) -> None:
        found = _MESSAGE_ID.search(content)
        assert found, "a message without a Message-ID"
        taken = Taken(found[1].decode(), door, session, time.monotonic())
        os.write(self._journal, json.dumps(asdict(taken)).encode() + b"\n")
        self.taken.append(taken)

    async def _stall(self) -> None:
        """Mostly next to nothing, now and then long enough to be hit."""
        if self._random.random() < 0.2:
            await asyncio.sleep(self._random.random() * self._longest_stall)

    async def _close(self) -> None:
        for door in self._doors:
            door.close()
        for writer in self._open.values():
            writer.transport.abort()
        await asyncio.gather(*self._open)

"""A small SMTP server that does what a test tells it, also what no server should do."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial

CLOSE = "<close>"
HANG = "<hang>"
STOP_READING = "<stop reading>"
GARBAGE = "\x00\x01 what is this\r\n"

GOOD = {
    "greeting": "220 scripted\r\n",
    "EHLO": "250-scripted\r\n250-PIPELINING\r\n250 8BITMIME\r\n",
    "AUTH": "235 come in\r\n",
    "MAIL": "250 sender ok\r\n",
    "RCPT": "250 recipient ok\r\n",
    "DATA": "354 go on\r\n",
    "dot": "250 2.0.0 queued\r\n",
    "RSET": "250 forgotten\r\n",
    "QUIT": "221 bye\r\n",
}


@dataclass
class ScriptedServer:
    """`answer(connection, point)` says what comes at each point; connections count from 1."""

    answer: Callable[[int, str], str]
    port: int = 0
    connections: int = 0
    open_connections: int = 0
    commands: list[str] = field(default_factory=list)
    taken: list[bytes] = field(default_factory=list)
    """Bodies whose final dot arrived, as they were on the wire."""
    said_of_taken: list[str] = field(default_factory=list)
    """What was answered to each of them."""
    seconds_before_each_reply: float = 0
    before_dot_reply: asyncio.Event | None = None
    """Waited for, when there is one, before a message is answered."""
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    _writers: list[asyncio.StreamWriter] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open_connections += 1
        self._writers.append(writer)
        try:
            await self._dialogue(reader, writer, partial(self.answer, self.connections))
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client hung up; the test looks at what it left behind
        finally:
            self.open_connections -= 1
            writer.close()

    def hang_up(self) -> None:
        """Close every connection, as a server does with idle ones."""
        self.hung_up.set()
        for writer in self._writers:
            writer.close()

    async def _dialogue(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        answer_to: Callable[[str], str],
    ) -> None:
        async def say(answer: str) -> None:
            if answer.startswith(CLOSE):
                writer.transport.abort()
                raise ConnectionAbortedError
            answer, stopping, _ = answer.partition(STOP_READING)
            if stopping:
                writer.write(answer.encode("latin-1"))
                writer.transport.pause_reading()  # type: ignore[attr-defined]
                await self.hung_up.wait()
                raise ConnectionAbortedError
            if answer == HANG:
                await reader.read()
                raise ConnectionAbortedError
            if self.seconds_before_each_reply:
                await asyncio.sleep(self.seconds_before_each_reply)
            answer, closing, _ = answer.partition(CLOSE)
            writer.write(answer.encode("latin-1"))
            await writer.drain()
            if closing:
                raise ConnectionAbortedError

        await say(answer_to("greeting"))
        while True:
            line = (await reader.readuntil(b"\r\n")).decode().strip()
            self.commands.append(line)
            word = line[:4].upper()
            answer = answer_to(word)
            await say(answer)
            if word == "QUIT":
                return
            if word == "DATA" and answer.startswith("354"):
                self.taken.append(await self._body(reader))
                if self.before_dot_reply is not None:
                    await self.before_dot_reply.wait()
                self.said_of_taken.append(answer_to("dot"))
                await say(self.said_of_taken[-1])

    async def _body(self, reader: asyncio.StreamReader) -> bytes:
        lines: list[bytes] = []
        while (line := await reader.readuntil(b"\n")) != b".\r\n":
            lines.append(line)
        return b"".join(lines)


@asynccontextmanager
async def scripted(
    faults: dict[str, str] | None = None, *, faulty_connections: int = 1000
) -> AsyncIterator[ScriptedServer]:
    """`faults` replace answers of `GOOD`, on the first `faulty_connections` connections."""

    def answer(connection: int, point: str) -> str:
        script = GOOD | (faults or {}) if connection <= faulty_connections else GOOD
        return script.get(point, "500 what?\r\n")

    async with serving(answer) as server:
        yield server


@asynccontextmanager
async def serving(answer: Callable[[int, str], str]) -> AsyncIterator[ScriptedServer]:
    """A server on 127.0.0.1; leaving the context waits until its connections are gone."""
    script = ScriptedServer(answer)
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0, limit=1 << 24)
    script.port = server.sockets[0].getsockname()[1]
    try:
        yield script
    finally:
        script.hang_up()
        server.close()
        await server.wait_closed()
        await until(lambda: script.open_connections == 0)


async def until(true: Callable[[], bool], seconds: float = 2.0) -> None:
    """Wait until `true()` holds; fails after `seconds`."""
    async with asyncio.timeout(seconds):
        while not true():  # noqa: ASYNC110 (what is waited for has no event of its own)
            await asyncio.sleep(0.005)

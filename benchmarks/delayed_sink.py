"""An SMTP sink at a distance: every reply leaves a fixed time after its command came.

A delay line, as a long wire is: commands sent together are answered together. Postfix's own
`smtp-sink` can wait for whole seconds only, and one command after another.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvloop
from sink import free_port, wait_for

_END = b"\r\n.\r\n"


@dataclass
class Taken:
    """How many messages a sink has taken: known when it has ended."""

    port: int
    messages: int = 0


@contextmanager
def delayed_sink(delay: float) -> Iterator[Taken]:
    """A sink in a process of its own whose replies take `delay` seconds."""
    taken = Taken(free_port())
    command = [sys.executable, str(Path(__file__)), str(taken.port), str(delay)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as running:
        try:
            wait_for(taken.port)
            yield taken
        finally:
            said, _ = running.communicate()
    taken.messages = int(said)


class Conversation(asyncio.Protocol):
    """One connection: takes everything, with PIPELINING and 8BITMIME."""

    messages = 0

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._unread = bytearray()
        self._searched = 0
        self._in_message = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._reply(b"220 sink.example ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while self._message_ends() if self._in_message else self._command_ends():
            pass

    def _message_ends(self) -> bool:
        end = self._unread.find(_END, self._searched)
        if end < 0:
            self._searched = max(0, len(self._unread) - len(_END) + 1)
            return False
        del self._unread[: end + len(_END)]
        self._in_message = False
        Conversation.messages += 1
        self._reply(b"250 2.0.0 Ok\r\n")
        return True

    def _command_ends(self) -> bool:
        end = self._unread.find(b"\r\n")
        if end < 0:
            return False
        command = bytes(self._unread[:4]).upper()
        del self._unread[: end + 2]
        if command == b"DATA":
            self._in_message, self._searched = True, 0
            self._reply(b"354 End with a dot\r\n")
        elif command == b"EHLO":
            self._reply(b"250-sink.example\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
        else:
            self._reply(b"221 Bye\r\n" if command == b"QUIT" else b"250 2.0.0 Ok\r\n")
        return True

    def _reply(self, line: bytes) -> None:
        asyncio.get_running_loop().call_later(self._delay, self._write, line)

    def _write(self, line: bytes) -> None:
        if not self._transport.is_closing():
            self._transport.write(line)  # type: ignore[attr-defined]


async def serve(port: int, delay: float) -> None:
    """Take messages until standard input closes, then print how many there were."""
    loop = asyncio.get_running_loop()
    await loop.create_server(lambda: Conversation(delay), "127.0.0.1", port)
    await loop.run_in_executor(None, sys.stdin.read)
    print(Conversation.messages)


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), float(sys.argv[2])))

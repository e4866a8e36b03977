"""One SMTP connection once it is open: commands go out, and every reply finds its question.

aiosmtplib opens the connection (TLS, EHLO, AUTH) but speaks strictly one command at a time.
This protocol takes over the transport afterwards, so that several commands can be on their
way at once (PIPELINING, RFC 2920).
"""

import asyncio
import re
from collections import deque
from dataclasses import dataclass

from crm_messaging.channels.smtp_outcomes import Fault

_REPLY_LINE = re.compile(rb"([2-5]\d\d)(?:([ -])(.*))?\Z", re.DOTALL)
_MAX_UNREAD = 64 * 1024


@dataclass(frozen=True)
class Reply:
    """A server's reply: its code and its text, lines joined by spaces."""

    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}".strip()


class NoReply(Exception):
    """There is no usable reply, and the connection is closed."""

    def __init__(self, fault: Fault, said: str) -> None:
        super().__init__(said)
        self.fault = fault
        self.said = said


class Wire(asyncio.Protocol):
    """The open connection. It breaks at the first thing that is out of order, and stays broken."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._questions: deque[tuple[asyncio.Future[Reply], float]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._unread = bytearray()
        self._texts: list[str] = []
        self._broken: NoReply | None = None
        self._writable = asyncio.Event()
        self._writable.set()
        self._closed = asyncio.Event()
        transport.set_protocol(self)
        if transport.is_closing():
            self._break(Fault.SILENCE, "the server closed the connection")
            self._closed.set()

    @property
    def is_open(self) -> bool:
        return self._broken is None and not self._transport.is_closing()

    def ask(self, data: bytes, *limits: float) -> list[asyncio.Future[Reply]]:
        """Write `data`, which holds as many commands as `limits`; a future for each reply.

        A limit is in seconds, and counts from the reply before: a command cannot be answered
        sooner. When one runs out, the connection is broken, and the future raises `NoReply`.
        Raises `NoReply`, with nothing written, when the connection is already broken.
        """
        self.write(data)
        loop = asyncio.get_running_loop()
        questions = [loop.create_future() for _ in limits]
        self._questions.extend(zip(questions, limits, strict=True))
        if self._timer is None:
            self._wait_for_first()
        return questions

    def write(self, data: bytes) -> None:
        """Write bytes that get no reply of their own. Raises `NoReply` on a broken connection."""
        if not self.is_open:
            raise self._broken or NoReply(Fault.SILENCE, "the server closed the connection")
        self._transport.write(data)

    async def drained(self, seconds: float) -> None:
        """Wait until the network has taken most of what was written."""
        try:
            async with asyncio.timeout(seconds):
                await self._writable.wait()
        except TimeoutError:
            self._break(Fault.SILENCE, f"the server read nothing for {seconds:g} seconds")
        if self._broken is not None:
            raise self._broken

    def drop(self) -> None:
        """Close at once; what is still unsent stays unsent."""
        self._break(Fault.SILENCE, "the connection was dropped")

    async def closed(self) -> None:
        """Wait until the socket is closed."""
        await self._closed.wait()

    # What asyncio calls.

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while (end := self._unread.find(b"\n")) >= 0:
            line = bytes(self._unread[:end]).rstrip(b"\r")
            del self._unread[: end + 1]
            self._read_line(line)
        if len(self._unread) > _MAX_UNREAD or len(self._texts) > _MAX_UNREAD // 64:
            self._break(Fault.GARBAGE, "a reply without an end")

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()
        self._break(Fault.SILENCE, "the server closed the connection")

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _read_line(self, line: bytes) -> None:
        if self._broken is not None:
            return
        match = _REPLY_LINE.match(line)
        if match is None:
            said = line.decode("ascii", "replace")
            self._break(Fault.GARBAGE, f"not an SMTP reply: {said}")
            return
        code, mark, text = match.groups()
        self._texts.append((text or b"").decode("utf-8", "replace").strip())
        if mark == b"-":
            return
        reply = Reply(int(code), " ".join(self._texts))
        self._texts.clear()
        if not self._questions:
            # Idle servers say 421 before they hang up. Whatever else it is, questions and
            # replies would no longer match.
            self._break(Fault.SILENCE, f"the server spoke unasked: {reply}")
            return
        question, _ = self._questions.popleft()
        if not question.done():
            question.set_result(reply)
        self._wait_for_first()

    def _wait_for_first(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._questions:
            seconds = self._questions[0][1]
            self._timer = asyncio.get_running_loop().call_later(
                seconds, self._break, Fault.SILENCE, f"no reply within {seconds:g} seconds"
            )

    def _break(self, fault: Fault, said: str) -> None:
        if self._broken is not None:
            return
        self._broken = NoReply(fault, said)
        self._transport.abort()
        self._writable.set()
        if self._timer is not None:
            self._timer.cancel()
        first = True
        for question, _ in self._questions:
            # Garbage is the answer to the first question only; the others got none.
            if not question.done():
                question.set_exception(NoReply(fault if first else Fault.SILENCE, said))
                question.exception()  # marks it as seen: its asker may have gone
            first = False
        self._questions.clear()

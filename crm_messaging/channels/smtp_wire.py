"""One SMTP connection once it is open: commands go out, and every reply finds its question.

aiosmtplib opens the connection (TLS, EHLO, AUTH) but speaks strictly one command at a time.
This protocol takes over the transport afterwards, so that several commands can be on their
way at once (PIPELINING, RFC 2920).
"""

import asyncio
import re
from collections import deque
from functools import lru_cache
from typing import NamedTuple

from crm_messaging.channels.smtp_outcomes import Fault

_REPLY_LINE = re.compile(rb"([2-5]\d\d)(?:([ -])(.*))?\Z", re.DOTALL)
_MAX_UNREAD = 64 * 1024
_GLANCE_S = 5.0
"""A timer for each reply would cost more than reading it: one looks at the clock this often."""


class Reply(NamedTuple):
    """A server's reply: its code and its text, lines joined by spaces."""

    code: int
    text: str

    def __str__(self) -> str:
        return f"{self.code} {self.text}".strip()


@lru_cache(maxsize=256)
def _line(line: bytes) -> tuple[Reply, bool] | None:
    """A line of a reply, and whether it is its last; `None` if it is none. Most are alike."""
    match = _REPLY_LINE.match(line)
    if match is None:
        return None
    code, mark, text = match.groups()
    return Reply(int(code), (text or b"").decode("utf-8", "replace").strip()), mark != b"-"


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
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        """When the first question must be answered, by the loop's clock."""
        self._unread = b""
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
        is_first = not self._questions
        questions: list[asyncio.Future[Reply]] = [self._loop.create_future() for _ in limits]
        self._questions.extend(zip(questions, limits, strict=True))
        if is_first:
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
        *lines, rest = (self._unread + data).split(b"\n")
        self._unread = rest
        for line in lines:
            self._read_line(line.rstrip(b"\r"))
        if len(rest) > _MAX_UNREAD or len(self._texts) > _MAX_UNREAD // 64:
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
        read = _line(line)
        if read is None:
            said = line.decode("ascii", "replace")
            self._break(Fault.GARBAGE, f"not an SMTP reply: {said}")
            return
        reply, is_last = read
        if self._texts or not is_last:
            self._texts.append(reply.text)
            if not is_last:
                return
            reply = Reply(reply.code, " ".join(self._texts))
            self._texts.clear()
        if not self._questions:
            # Idle servers say 421 before they hang up. Whatever else it is, questions and
            # replies would no longer match.
            self._break(Fault.SILENCE, f"the server spoke unasked: {reply}")
            return
        question, _ = self._questions.popleft()
        if not question.done():
            question.set_result(reply)
        if self._questions:
            self._wait_for_first()

    def _wait_for_first(self) -> None:
        self._due = self._loop.time() + self._questions[0][1]
        if self._timer is None or self._due < self._timer.when():
            self._glance()

    def _glance(self) -> None:
        """Break the connection if the first question has waited too long; else look again."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._questions:
            return
        now = self._loop.time()
        if now < self._due:
            self._timer = self._loop.call_at(min(self._due, now + _GLANCE_S), self._glance)
            return
        seconds = self._questions[0][1]
        self._break(Fault.SILENCE, f"no reply within {seconds:g} seconds")

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

"""One SMTP connection once it is open: commands go out, and every reply finds its question.

aiosmtplib opens the connection (TLS, EHLO, AUTH) but speaks strictly one command at a time.
This protocol takes over the transport afterwards, so that several commands can be on their
way at once (PIPELINING, RFC 2920).
"""

import asyncio
import math
from collections import deque

from crm_messaging.channels.smtp_outcomes import Fault
from crm_messaging.channels.smtp_reply import NoReply, Question, Reply, line_of_reply

_MAX_UNREAD = 64 * 1024
_GLANCE_S = 5.0
"""A timer for each reply would cost more than reading it: one looks at the clock this often."""


class Wire(asyncio.Protocol):
    """The open connection. It breaks at the first thing that is out of order, and stays broken."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._questions: deque[Question] = deque()
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0
        """When the next reply must have come, by the loop's clock."""
        self._next_glance = math.inf
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

    def ask(self, data: bytes, *questions: Question) -> None:
        """Write `data`, which holds the commands of `questions`.

        When a reply does not come in time, the connection is broken, for all that was asked.
        Raises `NoReply`, with nothing written, when the connection is already broken.
        """
        self.write(data)
        is_first = not self._questions
        self._questions.extend(questions)
        if is_first:
            self._wait_for_next()

    def question(self, wanted: int, limit: float) -> Question:
        """One with nobody waiting for it yet."""
        return Question(wanted, limit, self._loop.create_future())

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
        *lines, self._unread = (self._unread + data if self._unread else data).split(b"\n")
        heard = False
        for line in lines:
            heard = self._read_line(line) or heard
        if heard and self._questions:
            self._wait_for_next()
        if len(self._unread) > _MAX_UNREAD or len(self._texts) > _MAX_UNREAD // 64:
            self._break(Fault.GARBAGE, "a reply without an end")

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()
        self._break(Fault.SILENCE, "the server closed the connection")

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    def _read_line(self, line: bytes) -> bool:
        """Whether it has brought a reply to its end."""
        if self._broken is not None:
            return False
        read = line_of_reply(line)
        if read is None:
            said = line.rstrip(b"\r").decode("ascii", "replace")
            self._break(Fault.GARBAGE, f"not an SMTP reply: {said}")
            return False
        reply, is_last = read
        if self._texts or not is_last:
            self._texts.append(reply.text)
            if not is_last:
                return False
            reply = Reply(reply.code, " ".join(self._texts))
            self._texts.clear()
        if not self._questions:
            # Idle servers say 421 before they hang up. Whatever else it is, questions and
            # replies would no longer match.
            self._break(Fault.SILENCE, f"the server spoke unasked: {reply}")
            return False
        if self._questions[0].take(reply):
            self._questions.popleft()
        return True

    def _wait_for_next(self) -> None:
        self._due = self._loop.time() + self._questions[0].limit
        if self._due < self._next_glance:
            self._glance()

    def _glance(self) -> None:
        """Break the connection if the next reply is overdue; else look again."""
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._next_glance = None, math.inf
        if not self._questions:
            return
        now = self._loop.time()
        if now < self._due:
            self._next_glance = min(self._due, now + _GLANCE_S)
            self._timer = self._loop.call_at(self._next_glance, self._glance)
            return
        seconds = self._questions[0].limit
        self._break(Fault.SILENCE, f"no reply within {seconds:g} seconds")

    def _break(self, fault: Fault, said: str) -> None:
        if self._broken is not None:
            return
        self._broken = NoReply(fault, said)
        self._transport.abort()
        self._writable.set()
        if self._timer is not None:
            self._timer.cancel()
        for question in self._questions:
            # Garbage is the answer to one command only; the others got none.
            question.give_up(NoReply(fault, said))
            fault = Fault.SILENCE
        self._questions.clear()

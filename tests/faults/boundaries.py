"""The places where a worker dies: around each commit, around the body, around the reply.

Nothing in the product knows of them. Commits are seen through SQLAlchemy's events, told apart
by a word that only their statement holds; the rest by a wrapper around the channel. That the
words still fit is checked by every run: a boundary that nobody dies at fails it.
"""

import signal
import threading
from contextlib import nullcontext
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Engine, event

from crm_messaging.message import Channel, MaySend, Outgoing, Receipt


class Boundary(StrEnum):
    """A place, as the table of figures names it."""

    BEFORE_ADMISSION = "before the commit of admission"
    AFTER_ADMISSION = "after the commit of admission"
    BEFORE_PLANNING = "before the commit of planning"
    AFTER_PLANNING = "after the commit of planning"
    BEFORE_CLAIM = "before the commit of claim"
    AFTER_CLAIM = "after the commit of claim"
    BEFORE_SENDING = "before the commit of sending"
    AFTER_SENDING = "after the commit of sending"
    BEFORE_BODY = "before the body"
    AFTER_DOT = "after the dot, before the reply"
    AFTER_REPLY = "after the reply, before settling"
    BEFORE_RECEIPTS = "before the commit of receipts"
    AFTER_RECEIPTS = "after the commit of receipts"
    ANY_MOMENT = "at any moment"


AT_COMMIT = {
    "INSERT INTO enrollment": (Boundary.BEFORE_ADMISSION, Boundary.AFTER_ADMISSION),
    "INSERT INTO touchpoint": (Boundary.BEFORE_PLANNING, Boundary.AFTER_PLANNING),
    "next_up": (Boundary.BEFORE_CLAIM, Boundary.AFTER_CLAIM),
    "attempts=(touchpoint.attempts": (Boundary.BEFORE_SENDING, Boundary.AFTER_SENDING),
    "provider_ref=": (Boundary.BEFORE_RECEIPTS, Boundary.AFTER_RECEIPTS),
}
"""By a part of its SQL: what is passed as a transaction with this statement commits."""


class Tripwire:
    """Sends this process a signal as it passes a boundary for the n-th time."""

    def __init__(self, boundary: Boundary, passing: int, sent: int) -> None:
        self._boundary = boundary
        self._to_come = passing
        self._signal = sent
        self._transaction = threading.RLock()

    def passed(self, boundary: Boundary) -> None:
        """The process is at `boundary`."""
        if boundary is self._boundary:
            self._to_come -= 1
            if self._to_come == 0:
                with self._transaction if self._signal == signal.SIGSTOP else nullcontext():
                    # To this very thread: sent to the process, it may come a moment later.
                    signal.pthread_kill(threading.get_ident(), self._signal)

    def watch_commits(self, engine: Engine) -> None:
        """Lay the wire around every commit of `engine`."""

        if self._signal == signal.SIGSTOP:
            self._watch_transactions(engine)

        @event.listens_for(engine, "before_cursor_execute")
        def _statement(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
            words = [word for word in AT_COMMIT if word in statement]
            connection.info.setdefault("statements", set()).update(words)

        @event.listens_for(engine, "commit")
        def _committing(connection: Connection) -> None:
            connection.info["committed"] = connection.info.pop("statements", ())
            for word in connection.info["committed"]:
                self.passed(AT_COMMIT[word][0])

        @event.listens_for(engine, "checkin")
        def _committed(_connection: Any, record: Any) -> None:
            record.info.pop("statements", None)
            for word in record.info.pop("committed", ()):
                self.passed(AT_COMMIT[word][1])

    def _watch_transactions(self, engine: Engine) -> None:
        """One at a time, so that no other thread's is open when the process is put to sleep."""

        @event.listens_for(engine, "begin")
        def _begin(connection: Connection) -> None:
            self._transaction.acquire()
            connection.info["begun"] = True

        @event.listens_for(engine, "checkin")
        def _end(_connection: Any, record: Any) -> None:
            if record.info.pop("begun", False):
                self._transaction.release()


class WatchedChannel:
    """A channel with the wire laid around the body and the reply."""

    def __init__(self, channel: Channel, wire: Tripwire) -> None:
        self._channel = channel
        self._wire = wire

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)

    async def hand_over(self, message: Outgoing, may_send: MaySend) -> Receipt | None:
        async def ask(touchpoint_id: int) -> bool:
            answer = await may_send(touchpoint_id)
            if answer:
                self._wire.passed(Boundary.BEFORE_BODY)
            return answer

        receipt = await self._channel.hand_over(message, ask)
        self._wire.passed(Boundary.AFTER_REPLY)
        return receipt

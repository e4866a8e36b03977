"""Which message goes over which connection: a fixed number of sessions, kept busy."""

import asyncio
from collections import deque
from dataclasses import dataclass

from crm_messaging.channels.smtp_session import Session, open_session
from crm_messaging.channels.smtp_settings import SmtpSettings
from crm_messaging.channels.smtp_transaction import Transaction
from crm_messaging.message import OutgoingEmail


@dataclass(frozen=True)
class _Waiter:
    """A message without a session. It gets a transaction, or None: the place to open one."""

    message: OutgoingEmail
    wants_new: bool
    turn: asyncio.Future[Transaction | None]


class SessionPool:
    """At most `settings.sessions` places; a place is an open session or one being opened."""

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._places_taken = 0
        self._idle: list[Session] = []
        self._waiting: deque[_Waiter] = deque()
        self._leaving: set[asyncio.Task[None]] = set()
        self._closed = False

    async def begin(self, message: OutgoingEmail, *, on_new: bool = False) -> Transaction:
        """A session for `message`, its envelope on the way. `on_new` asks for a new connection.

        Raises `HandOverFailed` when a session had to be opened and could not.
        """
        if not on_new:
            while self._idle:
                session = self._idle.pop()
                if session.wire.is_open:
                    return _opened(session, message)
                self._dismiss(session)
        elif self._idle and self._places_taken >= self._settings.sessions:
            self._dismiss(self._idle.pop(0))
        if self._places_taken < self._settings.sessions:
            self._places_taken += 1
            return await self._begin_on_new(message)
        return await self._begin_in_turn(message, on_new)

    def invite(self, session: Session) -> Transaction | None:
        """The next message for `session` while its current body leaves, if one is waiting.

        From here on the session belongs to the guest.
        """
        if not (session.pipelining and session.can_take_another):
            return None
        waiter = self._next_waiter()
        if waiter is None:
            return None
        if waiter.wants_new:
            self._waiting.appendleft(waiter)
            return None
        guest = Transaction(session, waiter.message)
        waiter.turn.set_result(guest)
        return guest

    def give_back(self, transaction: Transaction) -> None:
        """`transaction` is over: pass its session on, keep it, or let it go."""
        session = transaction.session
        if not transaction.is_last:
            return  # its guest has the session now
        if self._closed or not session.can_take_another:
            self._dismiss(session)
            return
        waiter = self._next_waiter()
        if waiter is None:
            self._idle.append(session)
        elif waiter.wants_new:
            self._waiting.appendleft(waiter)
            self._dismiss(session)
        else:
            waiter.turn.set_result(_opened(session, waiter.message))

    def abandon(self, transaction: Transaction) -> None:
        """Nobody waits for `transaction` any more: hang up before it can be delivered.

        But not before the message in front of it has had its answer; it would be in doubt.
        """
        session = transaction.session

        def hang_up(_: object = None) -> None:
            session.wire.drop()
            self._dismiss(session)

        if transaction.host is None or transaction.host.done():
            hang_up()
        else:
            transaction.host.add_done_callback(hang_up)

    async def close(self) -> None:
        """Say QUIT on every idle session, and wait for those that are leaving already."""
        self._closed = True
        while self._idle:
            self._dismiss(self._idle.pop())
        if self._leaving:
            await asyncio.wait(self._leaving)

    async def _begin_on_new(self, message: OutgoingEmail) -> Transaction:
        try:
            return _opened(await open_session(self._settings), message)
        except BaseException:
            self._free_place()
            raise

    async def _begin_in_turn(self, message: OutgoingEmail, on_new: bool) -> Transaction:
        waiter = _Waiter(message, on_new, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        try:
            transaction = await waiter.turn
        except asyncio.CancelledError:
            if waiter.turn.done() and not waiter.turn.cancelled():
                self._return_turn(waiter.turn.result())
            raise
        return transaction or await self._begin_on_new(message)

    def _return_turn(self, transaction: Transaction | None) -> None:
        """Its asker was cancelled in the moment its turn came."""
        if transaction is None:
            self._free_place()
        else:
            self.abandon(transaction)

    def _dismiss(self, session: Session) -> None:
        """Take the session out of use, open or broken; its place is free at once."""
        farewell = asyncio.get_running_loop().create_task(session.quit())
        self._leaving.add(farewell)
        farewell.add_done_callback(self._leaving.discard)
        self._free_place()

    def _free_place(self) -> None:
        waiter = self._next_waiter()
        if waiter is None:
            self._places_taken -= 1
        else:
            waiter.turn.set_result(None)

    def _next_waiter(self) -> _Waiter | None:
        while self._waiting:
            waiter = self._waiting.popleft()
            if not waiter.turn.done():
                return waiter
        return None


def _opened(session: Session, message: OutgoingEmail) -> Transaction:
    transaction = Transaction(session, message)
    transaction.open()
    return transaction

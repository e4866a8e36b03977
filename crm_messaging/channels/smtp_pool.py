"""Which message goes over which connection: a fixed number of sessions, kept busy."""

import asyncio
from collections import deque
from dataclasses import dataclass

from crm_messaging.channels.smtp_outcomes import HandOverFailed
from crm_messaging.channels.smtp_session import Session, open_session
from crm_messaging.channels.smtp_settings import SmtpSettings
from crm_messaging.channels.smtp_transaction import Transaction
from crm_messaging.message import OutgoingEmail

FEWER_SESSIONS_S = 300.0
"""After a server refused one more session, so long it is asked for none beyond those it gave."""


@dataclass(frozen=True)
class _Waiter:
    """A message without a session. It gets a transaction, or None: the place to open one."""

    message: OutgoingEmail
    wants_new: bool
    turn: asyncio.Future[Transaction | None]


class SessionPool:
    """At most `settings.sessions` places; a place is an open session or one being opened.

    Many servers allow fewer. When one refuses a session while it keeps others, the pool goes on
    with those for a while; only when it has none at all is the server out of reach.
    """

    def __init__(self, settings: SmtpSettings) -> None:
        self._settings = settings
        self._places_taken = 0
        self._fewer_places = settings.sessions
        self._fewer_until = float("-inf")
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
        elif self._idle and self._places_taken >= self._places:
            self._dismiss(self._idle.pop(0))
        if self._places_taken < self._places:
            self._places_taken += 1
            return await self._begin_on_new(message)
        return await self._begin_in_turn(message, on_new)

    @property
    def _places(self) -> int:
        """How many there may be at this moment."""
        allowed = self._settings.sessions
        if self._fewer_places < allowed and asyncio.get_running_loop().time() < self._fewer_until:
            return self._fewer_places
        return allowed

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
            session = await open_session(self._settings)
        except HandOverFailed as refusal:
            self._places_taken -= 1
            if self._places_taken == 0:
                self._turn_away(refusal)
                raise
            self._fewer_places = self._places_taken
            self._fewer_until = asyncio.get_running_loop().time() + FEWER_SESSIONS_S
            return await self.begin(message)
        except BaseException:
            self._free_place()
            raise
        try:
            return _opened(session, message)
        except BaseException:
            self._free_place()
            raise

    async def _begin_in_turn(self, message: OutgoingEmail, on_new: bool) -> Transaction:
        waiter = _Waiter(message, on_new, asyncio.get_running_loop().create_future())
        self._waiting.append(waiter)
        try:
            transaction = await waiter.turn
        except asyncio.CancelledError:
            turn = waiter.turn
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._return_turn(turn.result())
            raise
        return transaction or await self._begin_on_new(message)

    def _turn_away(self, refusal: HandOverFailed) -> None:
        """The server gives no session at all: that goes for everybody who waits for one."""
        while (waiter := self._next_waiter()) is not None:
            waiter.turn.set_exception(HandOverFailed(refusal.point, refusal.fault, refusal.said))

    def _return_turn(self, transaction: Transaction | None) -> None:
        """Its asker was cancelled in the moment its turn came."""
        if transaction is None:
            self._free_place()
        else:
            self.abandon(transaction)

    def _dismiss(self, session: Session) -> None:
        """Take the session out of use, open or broken.

        Its place is free when the connection is closed: a server that allows so many and no
        more would refuse the next one until then.
        """

        def gone(farewell: asyncio.Task[None]) -> None:
            self._leaving.discard(farewell)
            self._free_place()

        farewell = asyncio.get_running_loop().create_task(session.quit())
        self._leaving.add(farewell)
        farewell.add_done_callback(gone)

    def _free_place(self) -> None:
        waiter = self._next_waiter() if self._places_taken <= self._places else None
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

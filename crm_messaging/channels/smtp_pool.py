"""Which message goes over which connection: a fixed number of sessions, kept busy."""

import asyncio
from collections import deque

from crm_messaging.channels.smtp_outcomes import HandOverFailed
from crm_messaging.channels.smtp_reply import NoReply
from crm_messaging.channels.smtp_session import Session, open_session
from crm_messaging.channels.smtp_settings import SmtpSettings
from crm_messaging.channels.smtp_transaction import Transaction

FEWER_SESSIONS_S = 300.0
"""After a server refused one more session, so long it is asked for none beyond those it gave."""


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
        self._waiting: deque[Transaction] = deque()
        self._waiting_for_new: deque[Transaction] = deque()
        """Each has had a broken session, whose place comes free for another."""
        self._opening: set[asyncio.Task[None]] = set()
        self._leaving: set[asyncio.Task[None]] = set()
        self._closed = False

    def enter(self, transaction: Transaction) -> Transaction:
        """Let a transaction begin, now or when its turn comes: see `Transaction.envelope`."""
        if not transaction.wants_new:
            while self._idle:
                session = self._idle.pop()
                if session.wire.is_open:
                    _begin(transaction, session)
                    return transaction
                self._dismiss(session)
        queue = self._waiting_for_new if transaction.wants_new else self._waiting
        queue.append(transaction)
        if self._places_taken < self._places:
            self._places_taken += 1
            self._open_one()
        return transaction

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
        return _next_of(self._waiting)

    def give_back(self, transaction: Transaction) -> None:
        """`transaction` is over: pass its session on, keep it, or let it go."""
        if not transaction.has_begun or not transaction.is_last:
            return  # it never had one; or its guest has the session now
        session = transaction.session
        if self._closed or not session.can_take_another:
            self._dismiss(session)
        elif (waiting := _next_of(self._waiting)) is not None:
            _begin(waiting, session)
        else:
            self._idle.append(session)

    def abandon(self, transaction: Transaction) -> None:
        """Nobody waits for `transaction` any more: hang up before it can be delivered.

        But not before the message in front of it has had its answer; it would be in doubt.
        """
        if not transaction.has_begun:
            return  # its queue passes it over

        def hang_up(_: object = None) -> None:
            transaction.session.wire.drop()
            self.give_back(transaction)

        if transaction.host is None or transaction.host.done():
            hang_up()
        else:
            transaction.host.add_done_callback(hang_up)

    async def close(self) -> None:
        """Say QUIT on every idle session, and wait for those that are leaving already."""
        self._closed = True
        if not self._somebody_waits:
            for opener in self._opening:
                opener.cancel()  # whom they were for has gone
        while self._idle:
            self._dismiss(self._idle.pop())
        if self._leaving or self._opening:
            await asyncio.wait(self._leaving | self._opening)

    def _open_one(self) -> None:
        """Open a session in a place that is taken already."""
        opener = asyncio.get_running_loop().create_task(self._opened())
        self._opening.add(opener)
        opener.add_done_callback(self._opening.discard)

    async def _opened(self) -> None:
        try:
            session = await open_session(self._settings)
        except HandOverFailed as refusal:
            self._places_taken -= 1
            self._refused(refusal)
        except BaseException as error:
            self._places_taken -= 1
            self._turn_away(error)
            raise
        else:
            if waiting := _next_of(self._waiting_for_new) or _next_of(self._waiting):
                _begin(waiting, session)
            elif self._closed:
                self._dismiss(session)
            else:
                self._idle.append(session)

    def _refused(self, refusal: HandOverFailed) -> None:
        if self._places_taken == 0:
            self._turn_away(refusal)  # it gives no session at all
            return
        self._fewer_places = self._places_taken
        self._fewer_until = asyncio.get_running_loop().time() + FEWER_SESSIONS_S
        while (waiting := _next_of(self._waiting_for_new)) is not None:
            waiting.wants_new = False  # those that there are must do
            self.enter(waiting)

    def _turn_away(self, why: BaseException) -> None:
        """No session: that goes for everybody who waits for one."""
        while waiting := _next_of(self._waiting_for_new) or _next_of(self._waiting):
            waiting.envelope.set_exception(why)

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
        if self._somebody_waits:
            self._open_one()
        else:
            self._places_taken -= 1

    @property
    def _somebody_waits(self) -> bool:
        return any(not one.envelope.done() for one in (*self._waiting_for_new, *self._waiting))


def _next_of(waiting: deque[Transaction]) -> Transaction | None:
    while waiting:
        transaction = waiting.popleft()
        if not transaction.envelope.done():  # else its asker was cancelled
            return transaction
    return None


def _begin(transaction: Transaction, session: Session) -> None:
    opening, question = transaction.begin(session)
    try:
        session.wire.ask(opening, question)
    except NoReply as broken:
        question.give_up(broken)

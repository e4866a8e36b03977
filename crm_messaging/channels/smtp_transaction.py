"""One message on one SMTP session: its envelope, then its body."""

import asyncio
from collections.abc import Callable

from crm_messaging.channels.smtp_outcomes import Fault, HandOverFailed, Point
from crm_messaging.channels.smtp_session import Session, answer
from crm_messaging.channels.smtp_syntax import envelope, in_seven_bits, on_the_wire
from crm_messaging.channels.smtp_wire import NoReply, Reply
from crm_messaging.message import OutgoingEmail

_ENVELOPE = (Point.MAIL, Point.RCPT, Point.DATA)
_CHUNK = 256 * 1024


class Transaction:
    """A message that has a session to itself, from MAIL to the reply after the dot.

    Where the server offers PIPELINING, MAIL, RCPT and DATA leave in one write, and the envelope
    of the next message may leave together with the body of this one (RFC 2920 §3.1 allows
    exactly that). A message then costs one round trip instead of four.
    """

    def __init__(self, session: Session, message: OutgoingEmail) -> None:
        self.session = session
        self.message = message
        self._commands = envelope(message, session.eight_bit)
        self._questions: list[asyncio.Future[Reply]] = []
        self.host: asyncio.Future[Reply] | None = None
        """The reply that the message before it on this connection waits for."""
        session.begun += 1
        self._number = session.begun

    @property
    def is_first(self) -> bool:
        """Nothing was sent over this connection before."""
        return self._number == 1

    @property
    def is_last(self) -> bool:
        """No guest has begun behind it: the session is still its own."""
        return self._number == self.session.begun

    @property
    def opening(self) -> bytes:
        """What can be sent before anything is known of the server's answers."""
        return b"".join(self._commands) if self.session.pipelining else b""

    @property
    def limits(self) -> tuple[float, ...]:
        """Seconds to wait for each reply to `opening`."""
        return (self.session.settings.reply_timeout,) * len(_ENVELOPE)

    def opened_behind(
        self, host: asyncio.Future[Reply], questions: list[asyncio.Future[Reply]]
    ) -> None:
        """`opening` has left with the body of another message, whose reply is still to come."""
        self.host = host
        self._questions = questions

    def open(self) -> None:
        """Write `opening` now."""
        if self.session.pipelining:
            try:
                self._questions = self.session.wire.ask(self.opening, *self.limits)
            except NoReply as broken:
                raise HandOverFailed(Point.MAIL, broken.fault, broken.said) from broken

    async def envelope_taken(self) -> None:
        """Return when the server has said 354 and waits for the message."""
        failed: HandOverFailed | None = None
        for at, point in enumerate(_ENVELOPE):
            try:
                if self._questions:
                    reply = await answer(self._questions[at], point)
                else:
                    reply = await self.session.ask(self._commands[at], point)
            except HandOverFailed as broken:
                raise failed or broken from broken
            if failed is not None:
                if reply.code == 354:
                    # It waits for a message to nobody. Only hanging up makes sure of "nobody".
                    self.session.wire.drop()
            elif reply.code // 100 != (3 if point is Point.DATA else 2):
                failed = _failure(point, reply)
                if not self._questions:
                    break
        if failed is not None:
            raise failed

    async def hand_over_body(self, invite: Callable[[], "Transaction | None"]) -> Reply:
        """Write the message and its final dot; the reply, when it is 2yz.

        `invite` is asked, as the last bytes leave, for the next message on this session: its
        envelope leaves in the same write.
        """
        letter = self.message.letter
        if not (self.session.eight_bit or letter.is_ascii):
            letter = in_seven_bits(letter)
        content = on_the_wire(letter)
        wire = self.session.wire
        last = (len(content) - 1) // _CHUNK * _CHUNK
        try:
            for start in range(0, last, _CHUNK):
                wire.write(content[start : start + _CHUNK])
                await wire.drained(self.session.settings.reply_timeout)
            # No await from here to the write: the guest must not speak before the dot.
            guest = invite() if wire.is_open else None
            opening, limits = (guest.opening, guest.limits) if guest else (b"", ())
            final = self.session.settings.final_reply_timeout
            question, *theirs = wire.ask(content[last:] + opening, final, *limits)
        except NoReply as broken:
            raise HandOverFailed(Point.BODY, broken.fault, broken.said) from broken
        if guest:
            guest.opened_behind(question, theirs)
        reply = await answer(question, Point.DOT)
        if reply.code // 100 != 2:
            raise _failure(Point.DOT, reply)
        return reply


_LOGIN_WANTED = {530, 534, 535, 538}
"""RFC 4954 §6: the server wants a login, or another one. No fault of this message."""


def _failure(point: Point, reply: Reply) -> HandOverFailed:
    if reply.code in _LOGIN_WANTED and point is not Point.DOT:
        point = Point.SESSION
    match reply.code // 100:
        case 4:
            fault = Fault.TEMPORARY
        case 5:
            fault = Fault.PERMANENT
        case _:
            fault = Fault.GARBAGE
    return HandOverFailed(point, fault, str(reply))

"""One message on one SMTP session: its envelope, then its body."""

import asyncio
from collections.abc import Callable, Sequence

from crm_messaging.channels.smtp_outcomes import Fault, HandOverFailed, Point
from crm_messaging.channels.smtp_reply import Answers, NoReply, Question, Reply
from crm_messaging.channels.smtp_session import Session
from crm_messaging.channels.smtp_syntax import envelope, in_seven_bits, on_the_wire
from crm_messaging.channels.wording import without_addresses
from crm_messaging.message import Outcome, OutgoingEmail, Receipt

_HOPED = ((Point.MAIL, 2), (Point.RCPT, 2), (Point.DATA, 3))
"""The commands of an envelope, and how the replies begin with which the server takes it."""
_CHUNK = 256 * 1024


class Transaction:
    """A message's way over a session: its turn, its envelope, its body, the reply to its dot.

    Where the server offers PIPELINING, MAIL, RCPT and DATA leave in one write, and the envelope
    of the next message may leave together with the body of this one (RFC 2920 §3.1 allows
    exactly that). A message then costs one round trip instead of four.
    """

    __slots__ = ("_number", "_to_come", "envelope", "host", "message", "session", "wants_new")

    session: Session
    """Set when its turn has come."""

    def __init__(self, message: OutgoingEmail, *, wants_new: bool = False) -> None:
        self.message = message
        self.wants_new = wants_new
        """Only a connection over which nothing has been sent will do."""
        self.envelope: asyncio.Future[Answers] = asyncio.get_running_loop().create_future()
        """The answers to `begin`; or `HandOverFailed`, when no session can be had."""
        self.host: asyncio.Future[Answers] | None = None
        """The answer that the message before it on this connection waits for."""
        self._to_come: Sequence[bytes] = ()
        self._number = 0

    @property
    def has_begun(self) -> bool:
        return self._number > 0

    @property
    def is_first(self) -> bool:
        """Nothing was sent before over its connection, if it has one."""
        return self._number <= 1

    @property
    def is_last(self) -> bool:
        """No guest has begun behind it: the session is still its own."""
        return self._number == self.session.begun

    def begin(self, session: Session) -> tuple[bytes, Question]:
        """Its turn on `session` has come: what is to be written now, and is asked thereby."""
        self.session = session
        session.begun += 1
        self._number = session.begun
        commands = envelope(self.message, session.eight_bit)
        limit = session.settings.reply_timeout
        if session.pipelining:
            return commands, Question(len(_HOPED), limit, self.envelope)
        first, *self._to_come = commands.splitlines(keepends=True)
        return first, Question(1, limit, self.envelope)

    async def refusal(self) -> HandOverFailed | None:
        """What the server has against the envelope; `None` when it waits for the message."""
        try:
            answers = await self.envelope
        except HandOverFailed as failure:
            return failure
        refused = _refused(answers)
        for command in self._to_come:
            if refused is not None:
                break
            answers.append(await self.session.ask(command))
            refused = _refused(answers)
        if refused is None:
            return None
        if refused.session_is_gone or any(_waits_for_a_message(one) for one in answers):
            # To nobody: RSET would be its first line. Only hanging up makes sure of "nobody".
            self.session.wire.drop()
        else:
            await self.session.reset()
        return refused

    async def hand_over_body(self, invite: Callable[[Session], "Transaction | None"]) -> Receipt:
        """Write the message and its final dot; what comes of it.

        `invite` is asked, as the last bytes leave, for the next message on this session: its
        envelope leaves in the same write.
        """
        session, letter = self.session, self.message.letter
        if not (session.eight_bit or letter.is_ascii):
            letter = in_seven_bits(letter)
        content = on_the_wire(letter)
        question = session.wire.question(1, session.settings.final_reply_timeout)
        try:
            if len(content) > _CHUNK:
                content = await self._all_but_the_end(content)
            # No await from here to the write: the guest must not speak before the dot.
            guest = invite(session)
            if guest is None:
                session.wire.ask(content, question)
            else:
                opening, theirs = guest.begin(session)
                guest.host = question.answers
                session.wire.ask(content + opening, question, theirs)
        except NoReply as broken:
            return self._failed(Point.BODY, broken)
        (answer,) = await question.answers
        if isinstance(answer, NoReply) or answer.code // 100 != 2:
            return self._failed(Point.DOT, answer)
        detail = without_addresses(str(answer), self.message.recipient)
        return Receipt(self.message.touchpoint_id, Outcome.ACCEPTED, detail)

    async def _all_but_the_end(self, content: bytes) -> bytes:
        """Write a large message at the network's pace; what is left to write."""
        last = (len(content) - 1) // _CHUNK * _CHUNK
        for start in range(0, last, _CHUNK):
            self.session.wire.write(content[start : start + _CHUNK])
            await self.session.wire.drained(self.session.settings.reply_timeout)
        return content[last:]

    def _failed(self, point: Point, answer: Reply | NoReply) -> Receipt:
        failure = _failure(point, answer)
        if failure.session_is_gone:
            self.session.wire.drop()
        return failure.receipt(self.message)


_LOGIN_WANTED = {530, 534, 535, 538}
"""RFC 4954 §6: the server wants a login, or another one. No fault of this message."""
_REFUSALS = {4: Fault.TEMPORARY, 5: Fault.PERMANENT}


def _refused(answers: Answers) -> HandOverFailed | None:
    """The first of the answers to an envelope that is not as hoped; `None` if all are so far."""
    for (point, hoped), answer in zip(_HOPED, answers, strict=False):
        if isinstance(answer, NoReply) or answer.code // 100 != hoped:
            return _failure(point, answer)
    return None


def _failure(point: Point, answer: Reply | NoReply) -> HandOverFailed:
    """What an answer means that is not as hoped."""
    if isinstance(answer, NoReply):
        return HandOverFailed(point, answer.fault, answer.said)
    if answer.code in _LOGIN_WANTED and point is not Point.DOT:
        point = Point.SESSION
    return HandOverFailed(point, _REFUSALS.get(answer.code // 100, Fault.GARBAGE), str(answer))


def _waits_for_a_message(answer: Reply | NoReply) -> bool:
    return isinstance(answer, Reply) and answer.code == 354

"""E-mail's way out: SMTP sessions, kept open, each message at most once.

The order of one hand-over is the promise: the server takes the envelope and says 354, then
`may_send` commits `sending`, then the body and its final dot leave. Asked earlier, before
DATA, `may_send` would be cheaper to refuse but would hold more messages in `sending` for a
round trip longer, and each of them is in doubt after a crash. Asked after 354, a refusal
costs the connection: only hanging up ends DATA without delivering. Refusals here are rare,
because the gate has already asked.
"""

from crm_messaging.channels.smtp_outcomes import HandOverFailed
from crm_messaging.channels.smtp_pool import SessionPool
from crm_messaging.channels.smtp_settings import SmtpSettings
from crm_messaging.channels.smtp_syntax import fits_an_envelope
from crm_messaging.channels.smtp_transaction import Transaction
from crm_messaging.channels.wording import without_addresses
from crm_messaging.message import MaySend, Outcome, Outgoing, OutgoingEmail, Receipt


class SmtpChannel:
    """The channel `email` over one outgoing mail server."""

    name = "email"

    def __init__(self, settings: SmtpSettings) -> None:
        self._pool = SessionPool(settings)
        self._concurrency = 2 * settings.sessions

    @property
    def concurrency(self) -> int:
        """Two messages per session: one on its way, one whose envelope can go with its body."""
        return self._concurrency

    async def hand_over(self, message: Outgoing, may_send: MaySend) -> Receipt | None:
        """Hand one e-mail over; see `crm_messaging.message.Channel`."""
        if not isinstance(message, OutgoingEmail):
            raise TypeError("The e-mail channel was given something that is no e-mail.")
        if not (fits_an_envelope(message.sender) and fits_an_envelope(message.recipient)):
            detail = "the address cannot be written on an SMTP envelope"
            return Receipt(message.touchpoint_id, Outcome.REJECTED, detail)
        try:
            transaction = await self._envelope(message)
            return await self._body(transaction, may_send)
        except HandOverFailed as failure:
            return failure.receipt(message)

    async def close(self) -> None:
        """Say QUIT on every connection and wait until all are closed."""
        await self._pool.close()

    async def _envelope(self, message: OutgoingEmail) -> Transaction:
        """A transaction whose envelope the server has taken."""
        transaction = await self._pool.begin(message)
        try:
            return await self._taken(transaction)
        except HandOverFailed as failure:
            if transaction.is_first or not failure.session_is_gone:
                raise
        # The server had closed a kept connection (idle, or full) before it saw this message.
        return await self._taken(await self._pool.begin(message, on_new=True))

    async def _taken(self, transaction: Transaction) -> Transaction:
        session = transaction.session
        try:
            await transaction.envelope_taken()
        except HandOverFailed as failure:
            try:
                if failure.session_is_gone:
                    session.wire.drop()
                else:
                    await session.reset()
            finally:
                self._pool.give_back(transaction)
            raise
        except BaseException:
            self._pool.abandon(transaction)
            raise
        return transaction

    async def _body(self, transaction: Transaction, may_send: MaySend) -> Receipt | None:
        message, session = transaction.message, transaction.session
        try:
            if not await may_send(message.touchpoint_id):
                session.wire.drop()
                return None
            reply = await transaction.hand_over_body(lambda: self._pool.invite(session))
        except HandOverFailed as failure:
            if failure.session_is_gone:
                session.wire.drop()
            raise
        except BaseException:
            session.wire.drop()
            raise
        finally:
            self._pool.give_back(transaction)
        detail = without_addresses(str(reply), message.recipient)
        return Receipt(message.touchpoint_id, Outcome.ACCEPTED, detail)

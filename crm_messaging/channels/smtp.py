"""E-mail's way out: SMTP sessions, kept open, each message at most once.

The order of one hand-over is the promise: the server takes the envelope and says 354, then
`may_send` commits `sending`, then the body and its final dot leave. Asked earlier, before
DATA, `may_send` would be cheaper to refuse but would hold more messages in `sending` for a
round trip longer, and each of them is in doubt after a crash. Asked after 354, a refusal
costs the connection: only hanging up ends DATA without delivering. Refusals here are rare,
because the gate has already asked.
"""

from crm_messaging.channels.smtp_pool import SessionPool
from crm_messaging.channels.smtp_settings import SmtpSettings
from crm_messaging.channels.smtp_syntax import fits_an_envelope
from crm_messaging.channels.smtp_transaction import Transaction
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
        transaction = self._pool.enter(Transaction(message))
        try:
            refusal = await transaction.refusal()
            if refusal is not None and refusal.session_is_gone and not transaction.is_first:
                # The server had closed a kept connection (idle, or full) before it saw this
                # message.
                self._pool.give_back(transaction)
                transaction = self._pool.enter(Transaction(message, wants_new=True))
                refusal = await transaction.refusal()
            if refusal is not None:
                receipt = refusal.receipt(message)
            elif await may_send(message.touchpoint_id):
                receipt = await transaction.hand_over_body(self._pool.invite)
            else:
                transaction.session.wire.drop()
                receipt = None
        except BaseException:
            self._pool.abandon(transaction)
            raise
        self._pool.give_back(transaction)
        return receipt

    async def close(self) -> None:
        """Say QUIT on every connection and wait until all are closed."""
        await self._pool.close()

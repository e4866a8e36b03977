"""A mail server on this machine that takes every e-mail and delivers none."""

import asyncio
import logging
import socket
import weakref

from aiosmtpd.smtp import SMTP, Envelope, Session

from crm_messaging.rehearsal.caught import CaughtMail

_MAX_MESSAGE = 32 * 1024 * 1024

# aiosmtpd logs every envelope, and addresses belong in no log.
logging.getLogger("mail.log").setLevel(logging.WARNING)


class _IntoFolder:
    """What aiosmtpd asks: each answer only after the message is in its folder."""

    def __init__(self, caught: CaughtMail) -> None:
        self._caught = caught

    async def handle_EHLO(  # noqa: N802 (aiosmtpd's name)
        self,
        server: SMTP,
        session: Session,
        envelope: Envelope,
        hostname: str,
        responses: list[str],
    ) -> list[str]:
        session.host_name = hostname
        # It reads commands one after another from a stream, so any number may be on the way.
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_DATA(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        content = envelope.original_content or b""
        try:
            for recipient in envelope.rcpt_tos:
                key = self._caught.catch_email(envelope.mail_from or "", recipient, content)
        except OSError as error:
            return f"451 4.3.0 the rehearsal folder cannot be written: {error.strerror}"
        return f"250 2.0.0 caught as {key}"


class MailCatcher:
    """A running catcher and its connections."""

    def __init__(self, caught: CaughtMail) -> None:
        self._caught = caught
        self._server: asyncio.Server | None = None
        self._connections: weakref.WeakSet[SMTP] = weakref.WeakSet()

    async def start(self, listening: socket.socket) -> None:
        """Serve SMTP on `listening`, in the running loop."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._connection, sock=listening)

    async def stop(self) -> None:
        """Stop listening and close every connection."""
        if self._server is not None:
            self._server.close()
        for connection in self._connections:
            if connection.transport is not None:
                connection.transport.close()
        await asyncio.sleep(0)  # lets the transports say goodbye to their protocols

    def _connection(self) -> SMTP:
        connection = SMTP(
            _IntoFolder(self._caught),
            hostname="rehearsal.invalid",
            ident="Sampark rehearsal: nothing leaves this machine",
            data_size_limit=_MAX_MESSAGE,
            loop=asyncio.get_running_loop(),
        )
        self._connections.add(connection)
        return connection

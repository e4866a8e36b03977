"""Opening an SMTP session, and carrying one message at a time over it."""

import asyncio
import ssl
from typing import cast

import aiosmtplib

from crm_messaging.channels.smtp_outcomes import Fault, HandOverFailed, Point
from crm_messaging.channels.smtp_reply import NoReply, Reply
from crm_messaging.channels.smtp_settings import SmtpSettings
from crm_messaging.channels.smtp_wire import Wire

_QUIT_SECONDS = 5.0


class Session:
    """One greeted, encrypted, authenticated connection, and how many messages it has begun."""

    def __init__(self, wire: Wire, settings: SmtpSettings, extensions: frozenset[str]) -> None:
        self.wire = wire
        self.settings = settings
        self.pipelining = "pipelining" in extensions
        self.eight_bit = "8bitmime" in extensions
        self.begun = 0

    @property
    def can_take_another(self) -> bool:
        return self.wire.is_open and self.begun < self.settings.messages_per_connection

    async def ask(self, command: bytes) -> Reply | NoReply:
        """One command, one reply."""
        question = self.wire.question(1, self.settings.reply_timeout)
        try:
            self.wire.ask(command, question)
        except NoReply as broken:
            return broken
        (answer,) = await question.answers
        return answer

    async def reset(self) -> None:
        """Forget the transaction that failed; a session that cannot is dropped."""
        forgotten = False
        try:
            answer = await self.ask(b"RSET\r\n")
            forgotten = isinstance(answer, Reply) and answer.code == 250
        finally:
            if not forgotten:
                self.wire.drop()

    async def quit(self) -> None:
        """Say QUIT, wait a little for the answer, close."""
        question = self.wire.question(1, _QUIT_SECONDS)
        try:
            self.wire.ask(b"QUIT\r\n", question)
            await question.answers
        except NoReply:
            pass  # it is closed already
        finally:
            self.wire.drop()
        await self.wire.closed()


async def open_session(settings: SmtpSettings) -> Session:
    """Connect, greet, encrypt, authenticate: aiosmtplib's part.

    Raises `HandOverFailed` at `Point.SESSION` with a text that says which of these failed.
    """
    password = settings.password.get_secret_value() if settings.password else None
    client = aiosmtplib.SMTP(
        hostname=settings.host,
        port=settings.port,
        username=settings.username,
        password=password,
        timeout=settings.connect_timeout,
        use_tls=settings.tls == "implicit",
        start_tls=settings.tls == "starttls",
        validate_certs=settings.verify,
        cert_bundle=str(settings.ca_file) if settings.ca_file else None,
    )
    try:
        await client.connect()
        if client.is_ehlo_or_helo_needed:
            await client.ehlo()
    except (aiosmtplib.SMTPException, OSError, UnicodeError) as error:  # the last: of a name
        client.close()
        raise HandOverFailed(
            Point.SESSION, Fault.SILENCE, _why_no_session(error, settings)
        ) from error
    except BaseException:
        client.close()
        raise
    wire = Wire(cast(asyncio.Transport, client.transport))
    return Session(wire, settings, frozenset(client.esmtp_extensions))


def _why_no_session(error: Exception, settings: SmtpSettings) -> str:
    server = f"{settings.host}:{settings.port}"
    certificate = error.__cause__ if isinstance(error.__cause__, ssl.SSLError) else error
    match certificate:
        case aiosmtplib.SMTPAuthenticationError():
            problem = f"{server} refused the user name and password"
        case aiosmtplib.SMTPResponseException():
            problem = f"{server} refused the session"
        case ssl.SSLError():
            problem = f"no trusted encryption with {server}"
        case _:
            problem = f"no session with {server}"
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{problem}: {error.code} {error.message}"
    return f"{problem}: {certificate}"

"""Encryption and login, against aiosmtpd with a certificate made for the test."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword
from tls_files import make_certificate

from crm_messaging.channels.smtp import SmtpChannel
from crm_messaging.channels.smtp_settings import SmtpSettings
from crm_messaging.message import Letter, Outcome, OutgoingEmail, Receipt

LETTER = OutgoingEmail(
    *(7, "<7@x>", "a@club.example", "b@mail.example"),
    Letter.of(b"Subject: x\r\n\r\nhello\r\n"),
)
# aiosmtpd says so when a login needs no encryption, as here it must not always.
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
LOGIN = {"username": "club", "password": "s3cret"}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


class Inbox:
    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.encrypted: list[bool] = []

    async def handle_DATA(self, server: SMTP, session: object, envelope: object) -> str:  # noqa: N802
        self.bodies.append(envelope.original_content)  # type: ignore[attr-defined]
        self.encrypted.append(server.transport.get_extra_info("ssl_object") is not None)
        return "250 taken"


def check_login(
    server: object, session: object, envelope: object, method: str, data: object
) -> AuthResult:
    right = data == LoginPassword(b"club", b"s3cret")
    return AuthResult(success=right, handled=False, message=None if right else "535 5.7.8 No")


@asynccontextmanager
async def mail_server(
    certificate: tuple[Path, Path], tls: str, *, login: bool
) -> AsyncIterator[tuple[int, Inbox]]:
    inbox = Inbox()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)

    def connection() -> SMTP:
        return SMTP(
            inbox,
            hostname="mail.example",
            tls_context=context if tls == "starttls" else None,
            require_starttls=tls == "starttls",
            authenticator=check_login if login else None,
            auth_required=login,
            auth_require_tls=tls == "starttls",
            loop=asyncio.get_running_loop(),
        )

    server = await asyncio.get_running_loop().create_server(
        connection, "127.0.0.1", 0, ssl=context if tls == "implicit" else None
    )
    async with server:
        yield server.sockets[0].getsockname()[1], inbox


async def handed_over(port: int, **more: object) -> Receipt:
    settings = SmtpSettings.model_validate({
        "host": "127.0.0.1", "port": port, "connect_timeout": 2, "reply_timeout": 2,
        "final_reply_timeout": 2,
    } | more)  # fmt: skip
    channel = SmtpChannel(settings)

    async def yes(touchpoint_id: int) -> bool:
        return True

    receipts = [await channel.hand_over(LETTER, yes) for _ in range(2)]
    await channel.close()
    first, second = receipts
    assert first is not None
    assert second is not None
    assert first.outcome is second.outcome
    return first


@pytest.mark.parametrize("login", [False, True], ids=["no login", "login"])
@pytest.mark.parametrize("tls", ["none", "starttls", "implicit"])
async def test_a_message_arrives_over_each_kind_of_connection(
    certificate: tuple[Path, Path], tls: str, login: bool
) -> None:
    async with mail_server(certificate, tls, login=login) as (port, inbox):
        secrets = LOGIN if login else {}
        receipt = await handed_over(port, tls=tls, ca_file=certificate[0], **secrets)
        assert (receipt.outcome, receipt.detail) == (Outcome.ACCEPTED, "250 taken")
        assert inbox.bodies == [bytes(LETTER.letter)] * 2
        assert inbox.encrypted == [tls != "none"] * 2


#   server            the club's settings                             the detail says
WRONG = [
    ("starttls", {"tls": "starttls"}, "no trusted encryption with 127.0.0.1"),
    ("implicit", {"tls": "implicit"}, "no trusted encryption with 127.0.0.1"),
    ("none", {"tls": "starttls"}, "STARTTLS extension not supported"),
    ("starttls", {"tls": "implicit"}, "no trusted encryption with 127.0.0.1"),
    ("implicit", {"tls": "none"}, "no session with 127.0.0.1"),
    ("starttls", {"tls": "starttls", "verify": False, **LOGIN, "password": "wrong"},
     "refused the user name and password: 535 5.7.8 No"),
    ("starttls", {"tls": "starttls", "verify": False}, "530 5.7.0 Authentication required"),
]  # fmt: skip


@pytest.mark.parametrize(("server", "settings", "detail"), WRONG)
async def test_a_mistake_in_the_settings_rejects_no_message(
    certificate: tuple[Path, Path], server: str, settings: dict[str, object], detail: str
) -> None:
    async with mail_server(certificate, server, login=True) as (port, inbox):
        receipt = await handed_over(port, **{"connect_timeout": 0.5} | settings)
        assert receipt.outcome is Outcome.DEFERRED
        assert not receipt.connected
        assert detail in receipt.detail
        assert "s3cret" not in receipt.detail
        assert inbox.bodies == []


async def test_verification_can_be_turned_off(certificate: tuple[Path, Path]) -> None:
    async with mail_server(certificate, "starttls", login=False) as (port, inbox):
        receipt = await handed_over(port, tls="starttls", verify=False)
        assert receipt.outcome is Outcome.ACCEPTED
        assert inbox.encrypted == [True, True]

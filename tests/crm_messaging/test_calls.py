"""Calls to other systems: signed, only where allowed, and never into a private network."""

import base64
import hmac
import json
import ssl
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from time import sleep

import pytest
from pytest_httpserver import HTTPServer
from tls_files import make_certificate
from werkzeug import Request, Response

from crm_messaging.channels.call_settings import CallSettings
from crm_messaging.channels.calls import CallChannel, RehearsedCalls, is_public
from crm_messaging.message import Outcome, OutgoingCall, Receipt

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
HOST = "crm.example"
SECRET = "the club's secret"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"), name=HOST)


@pytest.fixture
def server(certificate: tuple[Path, Path]) -> HTTPServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with HTTPServer(ssl_context=context) as running:
        yield running


async def here(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


async def called(
    url: str,
    certificate: tuple[Path, Path],
    *,
    hosts: tuple[str, ...] = (HOST,),
    addresses: Sequence[str] = ("127.0.0.1",),
    private: bool = True,
    leave: bool = True,
    seconds: float = 2,
) -> Receipt | None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        if not addresses:
            raise OSError("no such host")
        return addresses

    async def may_send(touchpoint_id: int) -> bool:
        return leave

    settings = CallSettings.model_validate({"hosts": hosts, "secret": SECRET, "timeout": seconds})
    anything = {"is_allowed": lambda _: True} if private else {}
    trust = ssl.create_default_context(cafile=str(certificate[0]))
    channel = CallChannel(settings, lambda: NOON, resolve=resolve, trust=trust, **anything)
    call = OutgoingCall(7, "abc@call.invalid", url, "webhook", json.dumps({"a": 1}).encode())
    try:
        return await channel.hand_over(call, may_send)
    finally:
        await channel.close()


async def test_it_is_signed_so_that_the_receiver_can_tell(
    server: HTTPServer, certificate: tuple[Path, Path]
) -> None:
    seen: list[Request] = []
    bodies: list[bytes] = []

    def answer(request: Request) -> Response:
        seen.append(request)
        bodies.append(request.get_data())
        return Response("", 204)

    server.expect_request("/hook", method="POST").respond_with_handler(answer)
    receipt = await called(f"https://{HOST}:{server.port}/hook", certificate)
    assert receipt == Receipt(7, Outcome.ACCEPTED, "HTTP 204")
    [request], [body] = seen, bodies
    assert request.headers["Host"] == f"{HOST}:{server.port}"
    signed = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode()
    expected = base64.b64encode(hmac.digest(SECRET.encode(), signed + body, sha256)).decode()
    assert request.headers["webhook-signature"] == f"v1,{expected}"
    assert request.headers["webhook-id"] == "abc@call.invalid"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.ACCEPTED),
        (302, Outcome.REJECTED),  # never followed: it could lead anywhere
        (400, Outcome.REJECTED),
        (401, Outcome.DEFERRED),
        (410, Outcome.REJECTED),
        (429, Outcome.DEFERRED),
        (500, Outcome.IN_DOUBT),
        (503, Outcome.DEFERRED),
    ],
)
async def test_what_an_answer_means(
    status: int, outcome: Outcome, server: HTTPServer, certificate: tuple[Path, Path]
) -> None:
    location = {"Location": f"https://{HOST}:{server.port}/other"}
    server.expect_request("/hook").respond_with_data("", status, headers=location)
    receipt = await called(f"https://{HOST}:{server.port}/hook", certificate)
    assert receipt is not None
    assert (receipt.outcome, receipt.connected) == (outcome, True)
    assert len(server.log) == 1


PRIVATE = [
    "127.0.0.1",
    "10.1.2.3",
    "169.254.169.254",
    "192.168.0.1",
    "::1",
    "fd00::1",
    "240.0.0.1",
    "::ffff:10.0.0.1",
    "100.64.0.1",
    "224.0.0.1",
    "fe80::1%eth0",
    "192.0.0.192",
    "64:ff9b::a00:1",
    "64:ff9b:1::a00:1",
    "2002:a00:1::1",
    "::10.0.0.1",
    "fec0::1",
    "2001::1",
]


async def test_a_private_network_is_never_called(
    server: HTTPServer, certificate: tuple[Path, Path]
) -> None:
    url = f"https://{HOST}:{server.port}/hook"
    for address in PRIVATE:
        receipt = await called(
            url, certificate, addresses=["93.184.216.34", address], private=False
        )
        assert receipt == Receipt(7, Outcome.REJECTED, f"{HOST} is in a private network"), address
    assert server.log == []


async def test_another_host_is_never_called(
    server: HTTPServer, certificate: tuple[Path, Path]
) -> None:
    for url in (f"https://evil.example:{server.port}/", f"http://{HOST}:{server.port}/"):
        receipt = await called(url, certificate)
        assert receipt is not None
        assert receipt.outcome is Outcome.REJECTED
    assert server.log == []


def test_the_internet_is_public() -> None:
    assert all(map(is_public, ("93.184.216.34", "2606:4700::1111", "64:ff9b::5db8:d822")))


async def test_an_answer_without_end_holds_nobody_up(
    server: HTTPServer, certificate: tuple[Path, Path]
) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 100_000

    def drops() -> Iterator[bytes]:
        while True:
            sleep(0.05)
            yield b"x"

    server.expect_request("/endless").respond_with_handler(lambda _: Response(endless()))
    server.expect_request("/drops").respond_with_handler(lambda _: Response(drops()))
    for path, outcome in (("endless", Outcome.ACCEPTED), ("drops", Outcome.IN_DOUBT)):
        receipt = await called(f"https://{HOST}:{server.port}/{path}", certificate, seconds=0.5)
        assert receipt is not None
        assert receipt.outcome is outcome


async def test_no_date_of_theirs_breaks_us(
    server: HTTPServer, certificate: tuple[Path, Path]
) -> None:
    for retry_after in ("Fri, 31 Dec 9999 23:59:59 -0500", "²", "-1"):
        server.clear()
        server.expect_request("/hook").respond_with_data("", 503, {"Retry-After": retry_after})
        receipt = await called(f"https://{HOST}:{server.port}/hook", certificate)
        assert receipt is not None
        assert (receipt.outcome, receipt.retry_at) == (Outcome.DEFERRED, None)


async def test_the_certificate_has_to_be_the_hosts(
    server: HTTPServer, certificate: tuple[Path, Path]
) -> None:
    url = f"https://other.example:{server.port}/hook"
    receipt = await called(url, certificate, hosts=("other.example",))
    assert receipt is not None
    assert receipt.outcome is Outcome.DEFERRED
    assert server.log == []


async def test_a_host_that_is_not_found_is_tried_again(certificate: tuple[Path, Path]) -> None:
    receipt = await called(f"https://{HOST}/hook", certificate, addresses=[])
    assert receipt == Receipt(7, Outcome.DEFERRED, f"{HOST} is not found")


async def test_without_leave_nothing_goes(
    server: HTTPServer, certificate: tuple[Path, Path]
) -> None:
    assert await called(f"https://{HOST}:{server.port}/", certificate, leave=False) is None
    assert server.log == []


async def test_in_a_rehearsal_nobody_is_called() -> None:
    async def may_send(touchpoint_id: int) -> bool:
        return True

    call = OutgoingCall(7, "abc", f"https://{HOST}/", "webhook", b"{}")
    receipt = await RehearsedCalls().hand_over(call, may_send)
    assert receipt == Receipt(7, Outcome.ACCEPTED, "rehearsal: nobody was called")

"""The web app that faces the internet, with visitors who try everything."""

import asyncio
import gzip
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter, HTTPException, Request, Response
from making import make_club, rows_of
from public_site import public_project, public_site

from crm_console.web.public.door import KIB, Allowance, Counted, Door
from crm_console.web.public.premises import Premises
from crm_store.database import Store, open_store
from crm_store.inbox import Arrival
from crm_store.models.inbox import InboundMessage


def try_out(premises: Premises) -> APIRouter:
    """A door that does what doors may do, and a few things that they may not."""
    routes = APIRouter(prefix="/try")

    @routes.post("/store")
    async def store(request: Request) -> Response:
        body = await request.body()
        fresh = await premises.receiving.receive(
            Arrival("try", body[:40].decode(errors="surrogatepass"), body, {})
        )
        return Response("new" if fresh else "known")

    @routes.get("/cookie")
    def cookie() -> Response:
        response = Response("sweet")
        response.set_cookie("who", "she")
        return response

    @routes.get("/broken")
    def broken() -> Response:
        raise RuntimeError("asha@example.org")

    @routes.post("/forbidden")
    def forbidden() -> Response:
        raise HTTPException(403)

    @routes.get("/number")
    def number(n: int) -> Response:
        return Response(str(n))

    return routes


DOOR = Door("/try", try_out, max_body=4 * KIB, allowance=Allowance(burst=500))


@asynccontextmanager
async def site(store: Store, folder: Path, door: Door = DOOR) -> AsyncIterator[httpx.AsyncClient]:
    project = public_project(folder / "club")
    async with public_site(project, store, make_club(store), doors=[door]) as client:
        yield client


async def test_what_is_answered_is_committed_and_a_replay_is_known(
    store: Store, tmp_path: Path
) -> None:
    async with site(store, tmp_path) as client:
        bodies = [f"message {number % 50}" for number in range(150)]
        answers = await asyncio.gather(
            *(client.post("/try/store", content=body) for body in bodies)
        )
    assert {answer.status_code for answer in answers} == {200}
    assert sorted(answer.text for answer in answers) == ["known"] * 100 + ["new"] * 50
    kept = [body.decode() for (body,) in rows_of(store, InboundMessage, "body")]
    assert sorted(kept) == sorted(set(bodies))


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/try/cookie", 200),
        ("GET", "/try/broken", 500),
        ("POST", "/try/forbidden", 403),
        ("GET", "/try/number?n=many", 400),
        ("GET", "/try/cookie/", 404),
        ("GET", "/nowhere", 404),
        ("POST", "/nowhere", 404),
        ("PATCH", "/try/cookie", 405),
        ("GET", "/openapi.json", 404),
        ("GET", "/try/../../etc/passwd", 404),
        ("GET", "/outbox", 404),
    ],
)
async def test_every_answer_is_guarded(
    sqlite_store: Store,
    tmp_path: Path,
    method: str,
    path: str,
    status: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with site(sqlite_store, tmp_path) as client:
        answer = await client.request(method, path, headers={"Host": "evil.example"})
    assert answer.status_code == status
    assert "set-cookie" not in answer.headers
    assert "location" not in answer.headers
    assert "server" not in answer.headers
    assert answer.headers["content-security-policy"].startswith("default-src 'none';")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "asha@example.org" not in answer.text + caplog.text
    assert "detail" not in answer.text


async def endless(size: int) -> AsyncIterator[bytes]:
    """A body without a Content-Length."""
    for _ in range(size // KIB):
        yield b"x" * KIB


BOMB = gzip.compress(bytes(50_000_000))[: 4 * KIB]
OVERSIZED = [
    ({"content": b"x" * 4 * KIB}, 200),
    ({"content": b"x" * (4 * KIB + 1)}, 413),
    ({"content": b"", "headers": {"Content-Length": "9" * 30}}, 413),
    ({"content": BOMB, "headers": {"Content-Encoding": "gzip"}}, 415),
    ({"content": b"x", "headers": {"Content-Encoding": "zip, br"}}, 415),
]


@pytest.mark.parametrize(("request_parts", "status"), OVERSIZED)
async def test_a_body_is_bounded_before_it_is_read(
    sqlite_store: Store, tmp_path: Path, request_parts: dict[str, object], status: int
) -> None:
    async with site(sqlite_store, tmp_path) as client:
        try:
            answer = await client.post("/try/store", **request_parts)  # type: ignore[arg-type]
        except httpx.LocalProtocolError:
            return  # h11 of the client refuses to lie about the length
        assert answer.status_code == status
        assert (await client.get("/try/cookie")).status_code == 200


async def test_a_body_without_a_length_is_cut_off(sqlite_store: Store, tmp_path: Path) -> None:
    async with site(sqlite_store, tmp_path) as client:
        assert (await client.post("/try/store", content=endless(3 * KIB))).status_code == 200
        answer = await client.post("/try/store", content=endless(5_000 * KIB))
    assert answer.status_code == 413
    assert len(rows_of(sqlite_store, InboundMessage, "id")) == 1


async def test_a_head_without_end_is_cut_off(sqlite_store: Store, tmp_path: Path) -> None:
    async with site(sqlite_store, tmp_path) as client:
        for line in (b"X-A: b\r\n" * 128, b"x" * KIB):
            reader, writer = await asyncio.open_connection("127.0.0.1", client.base_url.port)
            writer.write(b"GET /try/cookie HTTP/1.1\r\nHost: x\r\nX-Endless: ")
            with suppress(ConnectionError):
                for _ in range(200):
                    writer.write(line)
                    await writer.drain()
                    await asyncio.sleep(0)
                assert await asyncio.wait_for(reader.read(), 5) == b""
            writer.close()
        assert (await client.get("/try/cookie")).status_code == 200


async def test_half_a_message_is_none(sqlite_store: Store, tmp_path: Path) -> None:
    async with site(sqlite_store, tmp_path) as client:
        port = client.base_url.port
        with socket.create_connection(("127.0.0.1", port)) as wire:
            wire.sendall(b"POST /try/store HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf")
        assert (await client.post("/try/store", content=b"whole")).text == "new"
    assert rows_of(sqlite_store, InboundMessage, "body") == [(b"whole",)]


async def test_a_message_that_no_store_takes_harms_no_other(store: Store, tmp_path: Path) -> None:
    async with site(store, tmp_path) as client:
        bodies = [f"message {number}".encode() for number in range(20)]
        bodies[7] = b"half a character: \xed\xa0\x80"
        answers = await asyncio.gather(
            *(client.post("/try/store", content=body) for body in bodies)
        )
    statuses = [answer.status_code for answer in answers]
    assert statuses == [400 if number == 7 else 200 for number in range(20)]
    assert len(rows_of(store, InboundMessage, "id")) == 19


async def test_an_address_that_asks_too_often_waits(sqlite_store: Store, tmp_path: Path) -> None:
    door = Door("/try", try_out, allowance=Allowance(burst=3, per_minute=30))
    async with site(sqlite_store, tmp_path, door) as client:
        mine = [await client.get("/try/cookie") for _ in range(5)]
        other = await client.get("/try/cookie", headers={"X-Forwarded-For": "192.0.2.7"})
        lying = await client.get("/try/cookie", headers={"X-Forwarded-For": "192.0.2.7, 127.0.0.1"})
    assert [answer.status_code for answer in mine] == [200, 200, 200, 429, 429]
    assert 1 <= int(mine[-1].headers["retry-after"]) <= 3
    assert (other.status_code, lying.status_code) == (200, 200)


async def test_one_ipv6_network_is_one_address(sqlite_store: Store, tmp_path: Path) -> None:
    door = Door("/try", try_out, allowance=Allowance(burst=2, per_minute=1))
    async with site(sqlite_store, tmp_path, door) as client:
        answers = [
            await client.get("/try/cookie", headers={"X-Forwarded-For": f"2001:db8::{number}"})
            for number in range(3)
        ]
        another = await client.get("/try/cookie", headers={"X-Forwarded-For": "2001:db8:1::1"})
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert another.status_code == 200


async def test_a_sender_who_is_believed_is_not_slowed_down(
    sqlite_store: Store, tmp_path: Path
) -> None:
    allowance = Allowance(burst=2, per_minute=1, counts=Counted.REFUSALS)
    async with site(sqlite_store, tmp_path, Door("/try", try_out, allowance=allowance)) as client:
        good = [await client.get("/try/cookie") for _ in range(20)]
        forged = [await client.post("/try/forbidden") for _ in range(4)]
    assert {answer.status_code for answer in good} == {200}
    assert [answer.status_code for answer in forged] == [403, 403, 429, 429]


async def test_without_a_database_the_sender_is_asked_to_come_again(tmp_path: Path) -> None:
    away = open_store("postgresql://nobody:secret@127.0.0.1:9/nothing")
    project = public_project(tmp_path / "club")
    async with public_site(project, away, 1, doors=[DOOR]) as client:
        answer = await client.post("/try/store", content=b"x")
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "60"
    assert "secret" not in answer.text
    away.close()

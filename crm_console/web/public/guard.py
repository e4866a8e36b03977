"""The guard: what holds for every request from the internet, before any door sees it.

It bounds how much one address may ask for and how long and large a body may be, and it has the
last word on every answer's headers. Plain ASGI: a thousand webhooks a second pass through here.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, TypeAlias

from crm_console.web.public.allowances import Allowances
from crm_console.web.public.door import KIB, Allowance, Counted, Door
from flows.trouble import class_and_place
from flows.web_server import AsgiApp

log = logging.getLogger(__name__)

BODY_PATIENCE_S = 20.0
"""Whoever sends a body more slowly than this holds a connection on purpose."""

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]

_NOWHERE = Allowance(burst=30, per_minute=30)
"""For paths that lead to no door: only people who try names ask for them."""
_SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (
        b"content-security-policy",
        b"default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self';"
        b" base-uri 'none'; frame-ancestors 'none'",
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cache-control", b"no-store"),
    (b"x-robots-tag", b"noindex, nofollow"),
)


class Guard:
    """Stands before the apps behind the doors; `elsewhere` answers for what is behind none."""

    def __init__(
        self, rooms: Sequence[tuple[Door, AsgiApp]], *, elsewhere: AsgiApp, https: bool
    ) -> None:
        # The longest first: a door within another's prefix has its own rules.
        self._rooms = sorted(rooms, key=lambda room: -len(room[0].prefix))
        self._elsewhere = elsewhere
        self._allowances = Allowances()
        self._headers = _SECURITY_HEADERS
        if https:
            self._headers += ((b"strict-transport-security", b"max-age=31536000"),)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await self._request(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._elsewhere(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _request(self, scope: Message, receive: Receive, send: Send) -> None:
        door, app = self._room(scope["path"])
        allowance = door.allowance if door else _NOWHERE
        key = ((scope.get("client") or ("",))[0], door.prefix if door else "")
        answering = _Answering(send, self._headers)
        now = asyncio.get_running_loop().time()
        if wait := self._allowances.wait(key, allowance, now):
            await answering.refuse(429, b"Too many requests.", retry_after=wait)
            return
        if allowance.counts is Counted.REQUESTS:
            self._allowances.spend(key, allowance, now)
        most = door.max_body if door else 64 * KIB
        await self._answer(app, scope, receive, answering, most)
        if allowance.counts is Counted.REFUSALS and 400 <= answering.status < 500:
            self._allowances.spend(key, allowance, now)

    async def _answer(
        self,
        app: AsgiApp,
        scope: Message,
        receive: Receive,
        answering: "_Answering",
        most: int,
    ) -> None:
        headers = dict(scope["headers"])
        if headers.get(b"content-encoding", b"identity") != b"identity":
            # What is small on the wire may be large when it is unpacked: nothing is unpacked.
            await answering.refuse(415, b"Send the body without a content coding.")
            return
        length = headers.get(b"content-length", b"0")
        if not length.isdigit() or int(length[:19]) > most:
            await answering.refuse(413, b"The body is too large.")
            return
        try:
            async with asyncio.timeout(BODY_PATIENCE_S):
                body = await _whole_body(receive, most)
        except TimeoutError:
            await answering.refuse(408, b"The body did not come.")
            return
        except _TooLarge:
            await answering.refuse(413, b"The body is too large.")
            return
        except _Gone:
            return
        try:
            await app(scope, _replayed(body, receive), answering.send)
        except Exception as error:
            # Its words may hold an address. The answer, a plain 500, has been given by the app.
            log.error("a public page failed: %s", class_and_place(error))  # noqa: TRY400

    def _room(self, path: str) -> tuple[Door | None, AsgiApp]:
        for door, app in self._rooms:
            if path == door.prefix or path.startswith(f"{door.prefix}/"):
                return door, app
        return None, self._elsewhere


class _Answering:
    """The way back: every answer gets the guard's headers, and none sets a cookie."""

    def __init__(self, send: Send, headers: tuple[tuple[bytes, bytes], ...]) -> None:
        self._send = send
        self._headers = headers
        self.status = 0

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            own = [pair for pair in message["headers"] if pair[0].lower() != b"set-cookie"]
            names = {name.lower() for name, _ in own}
            more = (pair for pair in self._headers if pair[0] not in names)
            message = {**message, "headers": [*own, *more]}
        await self._send(message)

    async def refuse(self, status: int, text: bytes, *, retry_after: float | None = None) -> None:
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        headers.append((b"content-length", str(len(text)).encode()))
        if retry_after is not None:
            headers.append((b"retry-after", str(int(retry_after) + 1).encode()))
        await self.send({"type": "http.response.start", "status": status, "headers": headers})
        await self.send({"type": "http.response.body", "body": text})


class _TooLarge(Exception):
    """The body is longer than the door takes."""


class _Gone(Exception):
    """The client left before the body was whole: half a message is none."""


async def _whole_body(receive: Receive, most: int) -> bytes:
    parts, length = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Gone
        parts.append(message.get("body", b""))
        length += len(parts[-1])
        if length > most:
            raise _TooLarge
        if not message.get("more_body", False):
            return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Gives the app the body that was read already, and then what really comes."""
    given = False

    async def next_message() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return next_message

"""A web application served in this process's own loop, which keeps its own signals."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Literal, TypeAlias

import uvicorn

from crm_store.errors import EnvironmentUnready

AsgiApp: TypeAlias = Callable[..., Awaitable[None]]
"""Any ASGI 3 application: FastAPI's, Starlette's."""


MOST_CONNECTIONS = 1_000
"""Beyond it uvicorn answers 503 by itself; an open connection costs memory and a file."""


SWITCH_S = 0.0005
"""How long a thread keeps the interpreter; Python's own 5 ms are felt several times a request."""


class _Guest(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def web_server(
    app: AsgiApp, host: str, port: int, *, setting: str, proxies: Sequence[str] = ()
) -> AsyncIterator[str]:
    """Serve `app` while the context is open; yields its URL. Port 0 is any free one.

    `setting` is the block of club.yaml that says where. `proxies` are the addresses whose
    `X-Forwarded-For` is believed. Raises `EnvironmentUnready` when the port is taken.
    """
    # Threads beside the loop read and write for the engine; who asks a page waits for none of them.
    sys.setswitchinterval(SWITCH_S)
    with _listening(host, port, setting) as listening:
        config = uvicorn.Config(
            app,
            http=_protocol(),
            log_config=None,
            access_log=False,  # links and addresses of people are in it
            server_header=False,
            proxy_headers=bool(proxies),
            forwarded_allow_ips=list(proxies),
            limit_concurrency=MOST_CONNECTIONS,
            timeout_graceful_shutdown=3,
        )
        server = _Guest(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://{host}:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            await serving


def _protocol() -> "type[asyncio.Protocol] | Literal['h11']":
    try:
        from flows.bounded_http import BoundedHttp
    except ImportError:  # there is no httptools for Windows
        return "h11"
    return BoundedHttp


def _listening(host: str, port: int, setting: str) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise EnvironmentUnready(
            f"Nothing can listen on {host}, port {port}, as `{setting}:` asks: {error.strerror}.",
            f"Stop the other program, or set `{setting}: {{port: …}}` in club.yaml.",
        ) from error

"""A web application served in this process's own loop, which keeps its own signals."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TypeAlias

import uvicorn

from crm_store.errors import EnvironmentUnready

AsgiApp: TypeAlias = Callable[..., Awaitable[None]]
"""Any ASGI 3 application: FastAPI's, Starlette's."""


class _Guest(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def web_server(app: AsgiApp, host: str, port: int) -> AsyncIterator[str]:
    """Serve `app` while the context is open; yields its URL.

    Raises `EnvironmentUnready` when the port is taken.
    """
    with _listening(host, port) as listening:
        config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=3)
        server = _Guest(config)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield f"http://{host}:{port}"
        finally:
            server.should_exit = True
            await serving


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port))
    except OSError as error:
        raise EnvironmentUnready(
            f"The console cannot listen on {host}, port {port}: {error.strerror}.",
            "Stop the other program, or set `console: {port: …}` in club.yaml.",
        ) from error

"""The club's own Prefect server, in a child process that leaves no port held behind."""

import asyncio
import socket
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from crm_store.errors import EnvironmentUnready
from flows.children import child, end_with_parent
from flows.prefect_home import child_environment

HOST = "127.0.0.1"
START_LIMIT_S = 60
"""A first start makes the server's database: some 15 s on two slow cores."""


@dataclass(frozen=True)
class PrefectServer:
    """A server that answers."""

    api: str
    """The URL of its API."""
    process: Process


@asynccontextmanager
async def prefect_server(
    state_folder: Path, *, port: int | None = None, for_one_run: bool = False
) -> AsyncIterator[PrefectServer]:
    """Run a server while the context is open, from the moment it is healthy.

    Without a `port` it takes any free one. `for_one_run` leaves out the UI and the schedules.
    Raises `EnvironmentUnready` when it does not start.
    """
    listening_on = port or _free_port()
    _refuse_taken(listening_on)
    extra = {
        # The UI asks the browser to call the API there.
        "PREFECT_SERVER_API_HOST": HOST,
        "PREFECT_SERVER_API_PORT": str(listening_on),
    }
    if for_one_run:
        extra |= {"PREFECT_UI_ENABLED": "false", "PREFECT__SERVER_EPHEMERAL": "1"}
    command = [sys.executable, "-m", "flows.prefect_server", str(listening_on)]
    async with child(command, child_environment(state_folder, extra)) as process:
        api = f"http://{HOST}:{listening_on}/api"
        if not await _becomes_healthy(api, process):
            raise EnvironmentUnready(
                "The Prefect server did not start.",
                f"Look at {state_folder / 'prefect'} for room and rights on the disk.",
            )
        yield PrefectServer(api, process)


async def is_healthy(api: str) -> bool:
    """Whether a Prefect server answers at this API URL."""
    try:
        async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
            answer = await client.get(f"{api.rstrip('/')}/health")
    except httpx.HTTPError:
        return False
    return answer.status_code == 200


async def _becomes_healthy(api: str, process: Process) -> bool:
    deadline = asyncio.get_running_loop().time() + START_LIMIT_S
    while process.returncode is None and asyncio.get_running_loop().time() < deadline:
        if await is_healthy(api):
            return True
        await asyncio.sleep(0.2)
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise EnvironmentUnready(
                f"Port {port} on this machine is in use, so Prefect cannot listen there.",
                "Stop the other program, or set `prefect: {port: …}` in club.yaml.",
            ) from error


def _serve(port: int) -> None:
    import uvicorn
    from prefect.server.api.server import create_app

    config = uvicorn.Config(
        create_app(final=True),
        host=HOST,
        port=port,
        log_level="critical",
        timeout_graceful_shutdown=3,
    )
    server = uvicorn.Server(config)

    def stop() -> None:
        server.should_exit = True

    end_with_parent(stop)
    server.run()


if __name__ == "__main__":
    _serve(int(sys.argv[1]))

"""The real program in a club's folder: subprocesses, SQLite, catchers, and a Prefect server."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from crm_messaging.rehearsal.caught import CaughtMail
from flows.prefect_home import child_environment

PROGRAM = Path(sys.executable).with_name("sampark")
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def prefect_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prefect server for all of these tests: each sweep's own would cost ten seconds."""
    state = tmp_path_factory.mktemp("prefect")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    api = f"http://127.0.0.1:{port}/api"
    settings = {"PREFECT_SERVER_API_HOST": "127.0.0.1", "PREFECT_SERVER_API_PORT": str(port)}
    with subprocess.Popen(
        [sys.executable, "-m", "flows.prefect_server", str(port)],
        env=child_environment(state, settings),
        stdin=subprocess.PIPE,
    ) as server:
        try:
            _wait_until_healthy(api, server)
            yield api
        finally:
            server.terminate()


def _wait_until_healthy(api: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if httpx.get(f"{api}/health", trust_env=False).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            time.sleep(0.2)
    pytest.fail("the Prefect server did not start")


@pytest.fixture(scope="session")
def environment(prefect_api: str) -> dict[str, str]:
    """What the program runs with; the commands are on the PATH."""
    path = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "PREFECT_API_URL": prefect_api, "TERM": "dumb"}


@pytest.fixture(scope="session")
def made_club(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A club as the program makes it; never changed."""
    folder = tmp_path_factory.mktemp("made") / "lotus"
    arguments = ["init", str(folder), "--name", "Lotus Fitness", "--languages", "en,hi"]
    subprocess.run([PROGRAM, *arguments], check=True, capture_output=True)
    return folder


@pytest.fixture
def club(made_club: Path, tmp_path: Path) -> Path:
    """A club of the test's own."""
    return Path(shutil.copytree(made_club, tmp_path / "lotus"))


def program_in(folder: Path, environment: dict[str, str]) -> Run:
    """Run commands in a folder; another exit code than the expected one fails."""

    def run(*args: str, exit_code: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [PROGRAM, *args],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == exit_code, f"{args}: {done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    return run


@pytest.fixture
def sampark(club: Path, environment: dict[str, str]) -> Run:
    """Run a command in the club's folder."""
    return program_in(club, environment)


@pytest.fixture(scope="session")
def program(environment: dict[str, str]) -> Callable[[Path], Run]:
    """The same for any folder."""
    return lambda folder: program_in(folder, environment)


@pytest.fixture
def answer(sampark: Run) -> Callable[..., Any]:
    """Run a command with `--json`; what it answered."""
    return lambda *args, **expected: json.loads(sampark(*args, "--json", **expected).stdout)


@pytest.fixture
def caught(club: Path) -> CaughtMail:
    """What the club's catchers hold."""
    return CaughtMail(club / ".sampark" / "caught")

"""Postfix's own load tools as the reference: `smtp-sink` takes mail, `smtp-source` sends it."""

import os
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

TOOLS = "/usr/sbin:/usr/bin:/usr/lib/postfix/sbin"


def tool(name: str) -> str:
    """The path of a Postfix load tool. Raises `SystemExit` with what to install."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{TOOLS}")
    if found is None:
        raise SystemExit(f"{name} is not installed: it comes with Debian's package `postfix`.")
    return found


@contextmanager
def sink(log: Path, cores: set[int] | None = None) -> Iterator[int]:
    """A running `smtp-sink` that counts what it takes; its port on 127.0.0.1."""
    port = free_port()
    user = ["-u", "nobody"] if os.getuid() == 0 else []
    with log.open("wb") as out:
        running = subprocess.Popen(
            [tool("smtp-sink"), *user, "-c", f"127.0.0.1:{port}", "1000"], stdout=out, stderr=out
        )
        try:
            if cores:
                os.sched_setaffinity(running.pid, cores)
            wait_for(port)
            yield port
        finally:
            running.terminate()
            running.wait()


def taken(log: Path) -> int:
    """How many messages the sink says it has taken: it writes `mesg=N`, over and over."""
    counts = re.findall(rb"mesg=(\d+)", log.read_bytes())
    return int(counts[-1]) if counts else 0


def source(
    port: int, *, messages: int, size: int, sessions: int, cores: set[int] | None = None
) -> float:
    """Seconds that `smtp-source` needs for as many messages of `size` bytes, reusing sessions."""
    command = [tool("smtp-source"), "-d", "-s", str(sessions), "-m", str(messages)]
    started = time.perf_counter()
    running = subprocess.Popen([*command, "-l", str(size), f"127.0.0.1:{port}"])
    if cores:
        os.sched_setaffinity(running.pid, cores)
    if running.wait():
        raise SystemExit("smtp-source failed")
    return time.perf_counter() - started


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(port: int) -> None:
    """Return when something listens. Raises `SystemExit` after ten seconds."""
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"nothing listens on port {port}")

"""Debian's Kannel on this machine: bearerbox, smsbox, and the fake operator that comes with it."""

import asyncio
import shutil
import socket
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

BEARERBOX, SMSBOX = (
    shutil.which(name, path="/usr/sbin:/usr/bin") for name in ("bearerbox", "smsbox")
)
FAKESMSC = Path("/usr/lib/kannel/test/fakesmsc")
INSTALLED = bool(BEARERBOX and SMSBOX and FAKESMSC.exists())
USER, PASSWORD = "lotus", "s3cret"

CONFIGURATION = """
group = core
admin-port = {admin}
admin-password = x
smsbox-port = {boxes}
box-allow-ip = 127.0.0.1
log-level = 4

group = smsc
smsc = fake
smsc-id = FAKE
port = {operator}
connect-allow-ip = 127.0.0.1

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
log-level = 4

group = sendsms-user
username = {user}
password = {password}
max-messages = 10
concatenation = true

group = sms-service
keyword = default
get-url = "{incoming}&id=%I&from=%q&coding=%c&charset=%C&text=%b"
catch-all = true
max-messages = 1
"""


@dataclass
class Kannel:
    """A running Kannel, and the phones behind its operator."""

    url: str
    """Of `sendsms`."""
    operator: Process
    log: Path

    def phone_writes(self, number: str, text: str) -> None:
        assert self.operator.stdin is not None
        self.operator.stdin.write(f"{number} LOTUS text {text}\n".encode())

    def reached_phones(self) -> list[str]:
        """What has come to phones so far: sender, number, kind and text of each SMS."""
        said = self.log.read_text(encoding="utf-8", errors="replace")
        lines = said.split("Got message ")[1:]
        return [line.partition(": <")[2].rpartition(">")[0] for line in lines]

    async def until_reached(self, number: int) -> list[str]:
        """What has come to phones, once it is so many."""
        async with asyncio.timeout(15):
            while len(self.reached_phones()) < number:  # noqa: ASYNC110 - another process's file
                await asyncio.sleep(0.02)
        return self.reached_phones()


@asynccontextmanager
async def kannel(folder: Path, incoming: str) -> AsyncIterator[Kannel]:
    """Kannel, while the context is open; `incoming` is where it asks when a phone has written."""
    ports = dict(zip(("admin", "boxes", "operator", "sendsms"), _free_ports(4), strict=True))
    file = _configured(folder, incoming, ports)
    log = folder / "operator.log"
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(_running(str(BEARERBOX), str(file), cwd=folder))
        await _answers(ports["boxes"])
        await stack.enter_async_context(_running(str(SMSBOX), str(file), cwd=folder))
        await _answers(ports["sendsms"])
        with log.open("wb") as told:
            port = str(ports["operator"])
            operator = await stack.enter_async_context(
                _running(
                    str(FAKESMSC),
                    "-i",
                    "0.01",
                    "-H",
                    "127.0.0.1",
                    "-r",
                    port,
                    cwd=folder,
                    told=told,
                )
            )
            yield Kannel(f"http://127.0.0.1:{ports['sendsms']}/cgi-bin/sendsms", operator, log)


def _configured(folder: Path, incoming: str, ports: dict[str, int]) -> Path:
    folder.mkdir()
    file = folder / "kannel.conf"
    text = CONFIGURATION.format(**ports, user=USER, password=PASSWORD, incoming=incoming)
    file.write_text(text)
    return file


@asynccontextmanager
async def _running(*command: str, cwd: Path, told: object = DEVNULL) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(
        *command, cwd=cwd, stdin=PIPE, stdout=told, stderr=told
    )
    try:
        yield process
    finally:
        process.kill()
        await process.wait()


async def _answers(port: int) -> None:
    async with asyncio.timeout(15):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.02)
            else:
                writer.close()
                return


def _free_ports(number: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(number)]
    ports = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports

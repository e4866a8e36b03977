"""Both catchers of a rehearsal folder, started and stopped together, and found again."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import httpx

from crm_messaging.rehearsal.caught import CaughtMail
from crm_messaging.rehearsal.mail_catcher import MailCatcher
from crm_messaging.rehearsal.sms_catcher import SmsCatcher
from crm_store.errors import EnvironmentUnready

_LOOPBACK = "127.0.0.1"
_PORTS = "ports.json"


@dataclass(frozen=True)
class CatcherPorts:
    """Where the catchers of a folder listen, on 127.0.0.1."""

    mail: int
    sms: int

    @property
    def sms_url(self) -> str:
        """What a Twilio-compatible channel takes as its base URL."""
        return f"http://{_LOOPBACK}:{self.sms}"


@asynccontextmanager
async def catchers(
    folder: Path, *, mail_port: int = 0, sms_port: int = 0
) -> AsyncIterator[CatcherPorts]:
    """Catch mail and text messages into `folder` while the context is open.

    Port 0 means any free one. Raises `EnvironmentUnready` when a given port is in use.
    """
    caught = CaughtMail(folder)
    mail_catcher, sms_catcher = MailCatcher(caught), SmsCatcher(caught)
    note = folder / _PORTS
    with _listening(mail_port) as mail, _listening(sms_port) as sms:
        ports = CatcherPorts(mail.getsockname()[1], sms.getsockname()[1])
        ours = json.dumps(asdict(ports))
        try:
            await mail_catcher.start(mail)
            await sms_catcher.start(sms)
            note.write_text(ours)
            yield ports
        finally:
            # Catchers that started meanwhile have put their own note in its place.
            if note.exists() and note.read_text() == ours:
                note.unlink()
            await mail_catcher.stop()
            await sms_catcher.stop()


async def running_catchers(folder: Path) -> CatcherPorts | None:
    """The catchers that another process runs for `folder`, if they answer."""
    try:
        ports = CatcherPorts(**json.loads((folder / _PORTS).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    this_folder = CaughtMail(folder).identity
    try:
        async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
            answer = await client.get(f"{ports.sms_url}/catcher")
        if answer.json() != {"catches_into": this_folder}:
            return None  # the port has passed to somebody else
        _, writer = await asyncio.wait_for(asyncio.open_connection(_LOOPBACK, ports.mail), 2)
    except (httpx.HTTPError, OSError, ValueError):
        return None
    writer.close()
    return ports


def _listening(port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((_LOOPBACK, port))
    except OSError as error:
        listening.close()
        raise EnvironmentUnready(
            f"Port {port} on this machine is in use, so the rehearsal cannot catch messages there.",
            "Stop the other program, or set `catchers: {smtp_port: …, sms_port: …}` in club.yaml; 0"
            " is any free port.",
        ) from error
    return listening

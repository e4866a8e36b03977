"""A storm of webhooks on the public web app: how long senders wait, and whether anything is lost.

A server process runs what `sampark up` runs for a club, without Prefect: the public web app and
the intake, which reads the inbox meanwhile. This process sends, at a fixed rate that does not
wait for the answers, the reports of three providers on messages that are in the ledger, signed as
they sign them, and some of them twice. The time of a request runs from the moment at which it was
due. Nothing is lost when every report that heard 200 has moved its touchpoint in the end.

    python benchmarks/webhooks.py [--rate 1000] [--seconds 60] [--database postgresql]
"""

import argparse
import asyncio
import base64
import hashlib
import hmac
import json
import random
import signal
import sys
import tempfile
import time
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import httpx
from club import at_work, make_club, queue_everyone, seed_leads
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from databases import KINDS, databases
from machine import load
from sqlalchemy import func, select, update

from crm_console.web.public.app import create_public_app
from crm_store.event_names import EMAIL_DELIVERED
from crm_store.models.campaign import Enrollment
from crm_store.models.event import Event
from crm_store.models.inbox import InboundMessage
from crm_store.models.touchpoint import State
from crm_store.tables import table_of
from crm_store.touchpoints import TOUCHPOINT
from flows.admit import admit
from flows.clock import wall_clock
from flows.event_loop import run
from flows.followed_plan import FollowedPlan
from flows.intake import take_in
from flows.project import open_club, open_engine, open_project
from flows.web_server import web_server

_EVENT, _INBOX = table_of(Event), table_of(InboundMessage)

TOKEN = "a-token-for-the-benchmark"  # noqa: S105
KEY = ec.generate_private_key(ec.SECP256R1())
WEBHOOKS = """
webhooks:
  postmark:
  mailgun:
  sendgrid: {{public_key: "{key}"}}
"""
SECRETS = f"""
SAMPARK_WEBHOOKS__POSTMARK__TOKEN={TOKEN}
SAMPARK_WEBHOOKS__MAILGUN__SECRET={TOKEN}
"""
REPLAYS = 0.02
"""So many of the reports come twice."""
PATIENCE_S = 30.0
DRAIN_S = 600.0


async def serve(folder: Path) -> None:
    """The server process: it prints where it listens, and its CPU seconds when it ends."""
    project = open_project(folder)
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    async with open_engine(project, wall_clock) as engine:
        followed = FollowedPlan(project, engine, lambda _what, _text: None)
        app = create_public_app(project, engine.store, engine.club_id, wall_clock)
        async with web_server(app, "127.0.0.1", 0, setting="public") as url:
            print(url, flush=True)
            before = time.process_time()
            await take_in(followed, lambda *_: None, stop)
    print(time.process_time() - before, flush=True)


@dataclass
class Outcome:
    """What one round came to."""

    statuses: Counter[str] = field(default_factory=Counter)
    waits: list[float] = field(default_factory=list)
    """Seconds from the moment at which a request was due to its answer."""
    took: float = 0.0
    drained: float = 0.0
    """Seconds after the last request until everything was read."""
    server_cpu: float = 0.0

    def show(self) -> None:
        waits = sorted(self.waits)
        places = {"median": 0.5, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}
        figures = {name: waits[int(len(waits) * place)] * 1000 for name, place in places.items()}
        figures["longest"] = waits[-1] * 1000
        print("  answers", dict(self.statuses), f"in {self.took:.1f} s")
        print("  ms     ", ", ".join(f"{name} {ms:,.1f}" for name, ms in figures.items()))
        print(
            f"  inbox empty {self.drained:.1f} s after the last one;"
            f" server {self.server_cpu:.1f} s CPU,"
            f" {self.server_cpu / len(waits) * 1e6:,.0f} µs a report"
        )


class Wire(asyncio.Protocol):
    """One kept connection: a request at a time."""

    def __init__(self, sender: "Sender") -> None:
        self._sender = sender
        self._due = 0.0
        self._answer = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._sender.free(self)

    def send(self, due: float, request: bytes) -> None:
        self._due = due
        self._transport.write(request)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, end, body = self._answer.partition(b"\r\n\r\n")
        if not end or len(body) < _length(head):
            return
        self._answer = b""
        self._sender.heard(self._due, head[9:12].decode())
        self._sender.free(self)

    def connection_lost(self, error: Exception | None) -> None:
        self._sender.lost(self, self._due)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    return 0


class Sender:
    """Sends each request when it is due, over whichever connection is free."""

    def __init__(self, requests: list[bytes], rate: float) -> None:
        self._requests = requests
        self._rate = rate
        self._free: deque[Wire] = deque()
        self._waiting: deque[tuple[float, bytes]] = deque()
        self._left = len(requests)
        self._done = asyncio.Event()
        self.outcome = Outcome()

    async def send_all(self, host: str, port: int, connections: int) -> Outcome:
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            await loop.create_connection(lambda: Wire(self), host, port)
        started = loop.time()
        for number, request in enumerate(self._requests):
            due = started + number / self._rate
            if (early := due - loop.time()) > 0.0005:
                await asyncio.sleep(early)
            self._waiting.append((due, request))
            self._hand_out()
        await asyncio.wait_for(self._done.wait(), PATIENCE_S)
        self.outcome.took = loop.time() - started
        return self.outcome

    def lost(self, wire: Wire, due: float) -> None:
        if not self._done.is_set() and wire not in self._free:
            self.heard(due, "connection lost")

    def free(self, wire: Wire) -> None:
        self._free.append(wire)
        self._hand_out()

    def heard(self, due: float, status: str) -> None:
        self.outcome.waits.append(asyncio.get_running_loop().time() - due)
        self.outcome.statuses[status] += 1
        self._left -= 1
        if not self._left:
            self._done.set()

    def _hand_out(self) -> None:
        while self._free and self._waiting:
            self._free.popleft().send(*self._waiting.popleft())


def requests_for(message_ids: list[str]) -> list[bytes]:
    """A report of each message, by the three providers in turn, and the replays."""
    dice = random.Random(1)  # noqa: S311
    makers = (_postmark, _mailgun, _sendgrid)
    made = [makers[number % 3](one) for number, one in enumerate(message_ids)]
    for one in dice.sample(made, int(len(made) * REPLAYS)):
        made.insert(dice.randrange(made.index(one), len(made) + 1), one)
    return made


def _request(path: str, body: bytes, **headers: str) -> bytes:
    lines = [f"POST /hooks/{path} HTTP/1.1", "host: crm.club.example"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    lines += ["content-type: application/json", f"content-length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def _postmark(message_id: str) -> bytes:
    body = {
        "RecordType": "Delivery",
        "ServerID": 23,
        "MessageStream": "outbound",
        "MessageID": hashlib.md5(message_id.encode(), usedforsecurity=False).hexdigest(),
        "Recipient": "somebody@example.org",
        "Tag": "welcome",
        "DeliveredAt": wall_clock().isoformat(),
        "Details": "smtp;250 2.0.0 OK 1461095248 m143si2210036ioe.159 - gsmtp",
        "Metadata": {"sampark": message_id},
    }
    credentials = base64.b64encode(f"x:{TOKEN}".encode()).decode()
    return _request("postmark", json.dumps(body).encode(), authorization=f"Basic {credentials}")


def _mailgun(message_id: str) -> bytes:
    token = hashlib.sha256(message_id.encode()).hexdigest()[:50]
    timestamp = str(int(time.time()))
    digest = hmac.new(TOKEN.encode(), (timestamp + token).encode(), hashlib.sha256).hexdigest()
    body = {
        "signature": {"timestamp": timestamp, "token": token, "signature": digest},
        "event-data": {
            "event": "delivered",
            "id": token[:22],
            "timestamp": time.time(),
            "recipient": "somebody@example.org",
            "message": {"headers": {"message-id": message_id.strip("<>")}, "size": 4809},
            "delivery-status": {"code": 250, "message": "OK", "mx-host": "mx.example.org"},
            "flags": {"is-routed": False, "is-authenticated": True},
        },
    }
    return _request("mailgun", json.dumps(body).encode())


def _sendgrid(message_id: str) -> bytes:
    named = hashlib.sha256(message_id.encode()).hexdigest()[:22]
    event = {
        "event": "delivered",
        "email": "somebody@example.org",
        "timestamp": int(time.time()),
        "sg_event_id": named,
        "sg_message_id": f"{named}.filter0425p1mdw1.13037.57168B4A1D.0",
        "response": "250 2.0.0 OK 1461095248 m143si2210036ioe.159 - gsmtp ",
        "sampark": message_id,
    }
    body = json.dumps([event]).encode() + b"\r\n"
    timestamp = str(int(time.time()))
    signature = KEY.sign(timestamp.encode() + body, ec.ECDSA(SHA256()))
    return _request(
        "sendgrid",
        body,
        x_twilio_email_event_webhook_signature=base64.b64encode(signature).decode(),
        x_twilio_email_event_webhook_timestamp=timestamp,
    )


async def a_club_that_has_sent(folder: Path, database: str, messages: int) -> list[str]:
    """A club's folder whose ledger has so many accepted messages; their Message-IDs."""
    make_club(folder, database=database, port=9, sessions=1)
    public = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with (folder / "club.yaml").open("a") as file:
        file.write(WEBHOOKS.format(key=base64.b64encode(public).decode()))
    with (folder / ".env").open("a") as file:
        file.write(SECRETS)
    sent_at = wall_clock() - timedelta(minutes=5)
    async with at_work(folder) as (engine, campaign):
        seed_leads(engine.store, engine.club_id, messages, sent_at)
        admit(engine, campaign)
        queue_everyone(engine.store, campaign, sent_at)
        with engine.store.write() as connection:
            connection.execute(update(_EVENT).values(handled_at=sent_at))
            connection.execute(update(table_of(Enrollment)).values(status="completed"))
            sent = {"state": str(State.ACCEPTED), "sent_at": sent_at, "settled_at": sent_at}
            connection.execute(update(TOUCHPOINT).values(**sent))
            query = select(TOUCHPOINT.c.message_id).order_by(TOUCHPOINT.c.id)
            return list(connection.execute(query).scalars())


async def one_round(folder: Path, message_ids: list[str], rate: float, connections: int) -> Outcome:
    """The storm, and the time until everything is read."""
    requests = requests_for(message_ids)
    server = await asyncio.create_subprocess_exec(
        sys.executable, __file__, "--serve", str(folder), stdout=asyncio.subprocess.PIPE
    )
    assert server.stdout is not None
    try:
        url = httpx.URL((await server.stdout.readline()).decode().strip())
        outcome = await Sender(requests, rate).send_all(url.host, url.port or 80, connections)
        ended = time.monotonic()
        while _waiting(folder) and time.monotonic() < ended + DRAIN_S:  # noqa: ASYNC110
            await asyncio.sleep(0.5)
        outcome.drained = time.monotonic() - ended
        server.terminate()
        outcome.server_cpu = float((await server.stdout.read()).split()[-1])
        return outcome
    finally:
        if server.returncode is None:
            server.kill()
        await server.wait()


def _waiting(folder: Path) -> int:
    query = select(func.count()).select_from(_INBOX).where(_INBOX.c.handled_at.is_(None))
    with open_club(open_project(folder), wall_clock) as (store, _), store.read() as connection:
        return connection.execute(query).scalar_one()


def audit(folder: Path, messages: int) -> str:
    """What the store says in the end; ends the benchmark when a report is missing in it."""
    with open_club(open_project(folder), wall_clock) as (store, _), store.read() as connection:
        delivered = TOUCHPOINT.c.state == str(State.DELIVERED)
        counts = {
            "received": select(func.count()).select_from(_INBOX),
            "failed": select(func.count()).where(_INBOX.c.failure.is_not(None)),
            "events": select(func.count()).where(_EVENT.c.name == EMAIL_DELIVERED),
            "delivered": select(func.count()).where(delivered),
        }
        found = {name: connection.execute(query).scalar_one() for name, query in counts.items()}
    if found != {"received": messages, "failed": 0, "events": messages, "delivered": messages}:
        raise SystemExit(f"not what was sent: {messages:,} reports, in the store {found}")
    return f"nothing lost, nothing twice: {messages:,} reports moved as many touchpoints"


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=1000)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--database", choices=KINDS, default="sqlite")
    asked = parser.parse_args()
    messages = int(asked.rate * asked.seconds)
    print(f"{messages:,} reports at {asked.rate:,.0f} a second on {asked.database}; {load()}")
    with databases(asked.database) as made, tempfile.TemporaryDirectory() as folder:
        club = Path(folder) / "club"
        club.mkdir()
        message_ids = await a_club_that_has_sent(club, made.new(club), messages)
        outcome = await one_round(club, message_ids, asked.rate, asked.connections)
        outcome.show()
        print(" ", audit(club, messages))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--serve"]:
        run(serve(Path(sys.argv[2])))
    else:
        run(main())

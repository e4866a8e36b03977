"""From a recorded lead to its message at the mail server, while `sampark up` runs.

Another process than `up` records each lead, as a web form does, at a moment of no pattern. The
time runs from just before the event is written to the last byte at an SMTP server here.

    python benchmarks/lead_to_wire.py [--leads 50]
"""

import argparse
import asyncio
import contextlib
import os
import random
import shutil
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
from aiosmtpd.smtp import SMTP, Envelope, Session

from crm_store import events
from crm_store.database import Store
from crm_store.event_names import LEAD_CREATED
from crm_store.models.customer import Customer
from crm_store.tables import table_of
from flows.clock import wall_clock
from flows.project import open_club, open_project

ROOT = Path(__file__).parent.parent
CLUB = """
club:
  name: Lotus Fitness
  timezone: UTC
  country: IN
  languages: [en, hi, ru]
  website: https://lotus.example
  phone: "+912240001000"
  address: 12 MG Road, Pune
mode: live
channels:
  email:
    from: Lotus Fitness <hello@lotus.example>
    smtp: {{host: 127.0.0.1, port: {smtp}, tls: none}}
pipelines: {{sales: [new, won]}}
topics: [leads]
prefect: {{port: {prefect}}}
"""
CAMPAIGN = """
campaign: leads
name: New leads
topic: leads
trigger: {type: new_lead}
steps:
  - {id: welcome, at: now, email: lead/welcome}
"""
UP = """
import asyncio, sys
from pathlib import Path
from flows.project import open_project
from flows.up import up
asyncio.run(up(open_project(Path(sys.argv[1])), lambda part, where: print(part, where, flush=True)))
"""


class Arrivals:
    """What aiosmtpd asks: when each message was complete, by its recipient."""

    def __init__(self) -> None:
        self.at: dict[str, float] = {}

    async def handle_DATA(  # noqa: N802 (aiosmtpd's name)
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        self.at[envelope.rcpt_tos[0]] = time.monotonic()
        return "250 taken"


@contextlib.asynccontextmanager
async def up_running(folder: Path, prefect: int) -> AsyncIterator[None]:
    """`sampark up` in a process of its own, with Prefect ready."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", UP, str(folder))
    try:
        async with httpx.AsyncClient(trust_env=False) as client:
            for _ in range(600):
                with contextlib.suppress(httpx.HTTPError):
                    health = f"http://127.0.0.1:{prefect}/api/health"
                    if (await client.get(health)).is_success:
                        break
                await asyncio.sleep(0.1)
        await asyncio.sleep(20)  # its first scheduled work
        yield
    finally:
        process.terminate()
        await process.wait()


async def measure(folder: Path, leads: int) -> list[float]:
    """Seconds from record to wire, one per lead."""
    smtp, prefect = free_port(), free_port()
    (folder / "campaigns").mkdir(parents=True)
    shutil.copytree(ROOT / "templates", folder / "templates")
    (folder / "campaigns" / "leads.yaml").write_text(CAMPAIGN)
    (folder / "club.yaml").write_text(CLUB.format(smtp=smtp, prefect=prefect))
    (folder / ".env").write_text(f"SAMPARK_SECRET_KEY={'k' * 43}\n")
    arrivals = Arrivals()
    server = await asyncio.get_running_loop().create_server(
        lambda: SMTP(arrivals, hostname="sink.example"), "127.0.0.1", smtp
    )
    recorded: dict[str, float] = {}
    with open_club(open_project(folder), wall_clock) as (store, club_id):
        async with up_running(folder, prefect):
            for number in range(leads):
                await asyncio.sleep(random.uniform(0.1, 1.5))  # noqa: S311 - no secret
                address = f"lead{number}@example.org"
                recorded[address] = time.monotonic()
                await asyncio.to_thread(record_lead, store, club_id, address)
            await asyncio.sleep(10)
    server.close()
    return [arrivals.at[address] - at for address, at in recorded.items() if address in arrivals.at]


def record_lead(store: Store, club_id: int, address: str) -> None:
    """A new customer and her event, in one commit."""
    now = wall_clock()
    with store.write() as connection:
        made = connection.execute(
            table_of(Customer)
            .insert()
            .values(
                club_id=club_id,
                ref=address,
                first_name="Asha",
                email=address,
                custom={},
                created_at=now,
                updated_at=now,
            )
        ).inserted_primary_key
        assert made is not None
        events.record(
            connection,
            customer_id=made[0],
            name=LEAD_CREATED,
            source="benchmark",
            occurred_at=now,
            now=now,
        )


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def main() -> None:
    """Print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--leads", type=int, default=50)
    leads = arguments.parse_args().leads
    os.environ["PYTHONPATH"] = str(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        times = sorted(asyncio.run(measure(Path(folder) / "club", leads)))
    if len(times) < leads:
        raise SystemExit(f"only {len(times)} of {leads} leads reached the wire")
    p99 = times[min(leads - 1, round(0.99 * leads))]
    median = statistics.median(times)
    print(f"{leads} leads, to the wire: median {median * 1000:.0f} ms, p99 {p99 * 1000:.0f} ms")


if __name__ == "__main__":
    main()

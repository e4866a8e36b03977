"""A worker on another machine, beside a scheduler: it takes a share, and nothing leaves twice."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from engines import LEADS, TEMPLATES
from making import NOW, rows_of

from crm_messaging.rehearsal.caught import CaughtMail
from crm_store.database import Store
from crm_store.event_names import LEAD_CREATED
from crm_store.models.customer import Customer
from crm_store.models.event import Event
from crm_store.models.operation import EVERYTHING, LedgerHome
from crm_store.models.touchpoint import Touchpoint
from crm_store.pauses import pause, resume
from crm_store.tables import table_of
from flows.campaigns import RunningCampaign
from flows.clock import wall_clock
from flows.engine import Engine
from flows.project import Project, open_engine, open_project
from flows.report import CampaignReport
from flows.sweep import plan_sweep, sweep

ROOT = Path(__file__).parents[2]
MANY = 3_100
"""More than a worker has in hand at a time: three batches of 1,000."""
SAMPARK = "from crm_console.cli import app; app()"
CLUB = """
club: {{name: Lotus Fitness, timezone: Asia/Kolkata, country: IN, languages: [en, hi]}}
topics: [news]
database: "{database}"
prefect: {{api_url: "http://127.0.0.1:9/api"}}
"""


def club_folder(folder: Path, database: str) -> Path:
    for path, text in TEMPLATES.items():
        target = folder / "templates" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    (folder / "campaigns").mkdir()
    (folder / "campaigns" / "leads.yaml").write_text(LEADS)
    (folder / "club.yaml").write_text(CLUB.format(database=database))
    (folder / ".env").write_text(f"SAMPARK_SECRET_KEY={'k' * 43}\n")
    return folder


def sampark(folder: Path, *words: str, **more: object) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-c", SAMPARK, "--project", str(folder), *words]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": str(ROOT)}, **more)  # type: ignore[call-overload,no-any-return]


@contextmanager
def a_worker(folder: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """`sampark worker` at work in the folder."""
    with sampark(folder, "worker", stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith(b"ready"):
                break
        assert process.poll() is None, said
        yield process
        process.kill()


@dataclass
class Chain:
    """A club on PostgreSQL, its folder here and on another machine."""

    store: Store
    here: Project
    there: Project
    engine: Engine

    def leads(self, number: int) -> None:
        """So many new leads."""
        first = len(rows_of(self.store, Customer, "id")) + 1
        ids = range(first, first + number)
        with self.store.write() as connection:
            at = {"created_at": NOW, "updated_at": NOW, "club_id": self.engine.club_id}
            connection.execute(
                table_of(Customer).insert(),
                [
                    at
                    | {"id": one, "ref": f"L-{one}", "email": f"l{one}@example.org", "custom": {}}
                    for one in ids
                ],
            )
            happened = {"occurred_at": wall_clock(), "recorded_at": wall_clock(), "data": {}}
            connection.execute(
                table_of(Event).insert(),
                [
                    happened
                    | {
                        "customer_id": one,
                        "name": LEAD_CREATED,
                        "source": "t",
                        "source_id": str(one),
                    }
                    for one in ids
                ],
            )

    async def queue(self) -> None:
        """A sweep that leaves all sending to others."""

        async def nothing(_: Engine, __: RunningCampaign, ___: CampaignReport) -> None:
            pass

        plan = plan_sweep(self.engine, self.here.check())
        await sweep(self.engine, plan, deliver_campaign=nothing)

    async def sweep(self) -> None:
        await sweep(self.engine, plan_sweep(self.engine, self.here.check()))

    def states(self) -> dict[str, int]:
        found = [state for (state,) in rows_of(self.store, Touchpoint, "state")]
        return {state: found.count(state) for state in set(found)}

    def caught(self) -> list[str]:
        """The Message-IDs of all that really arrived, here and there."""
        found = []
        for project in (self.here, self.there):
            mail: CaughtMail = project.caught()
            entries = mail.newest(channel="email", limit=100_000)
            messages = [mail.get(entry.key) for entry in entries]
            found += [
                dict(one.headers)["Message-ID"] for one in messages if hasattr(one, "headers")
            ]
        return sorted(found)

    def accepted(self) -> list[str]:
        rows = rows_of(self.store, Touchpoint, "message_id", "state")
        return sorted(message_id for message_id, state in rows if state == "accepted")


@pytest.fixture
async def chain(postgres_store: Store, tmp_path: Path) -> AsyncIterator[Chain]:
    database = postgres_store.engine.url.set(drivername="postgresql")
    here = club_folder(tmp_path / "here", database.render_as_string(hide_password=False))
    there = Path(shutil.copytree(here, tmp_path / "there"))
    async with opened(postgres_store, here, there) as made:
        yield made


@asynccontextmanager
async def opened(store: Store, here: Path, there: Path) -> AsyncIterator[Chain]:
    project = open_project(here)
    async with open_engine(project, wall_clock) as engine:
        yield Chain(store, project, open_project(there), engine)


async def until(holds: Callable[[], bool], seconds: float = 30) -> None:
    given_up = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < given_up, "it did not come to pass"
        await asyncio.sleep(0.05)


async def test_a_worker_takes_its_share_and_leaves_the_rest(chain: Chain) -> None:
    with chain.store.write() as connection:
        pause(connection, EVERYTHING, "by hand", wall_clock())
    chain.leads(20)
    await chain.queue()
    with a_worker(chain.there.folder) as worker:
        await asyncio.sleep(2.5)  # it has looked twice
        assert chain.states() == {"queued": 20}
        with chain.store.write() as connection:
            resume(connection, EVERYTHING)
        await until(lambda: chain.states() == {"accepted": 20})

        chain.leads(MANY)
        await chain.queue()
        await until(lambda: chain.states().get("accepted", 0) > 100)
        beside = asyncio.create_task(chain.sweep())
        await until(lambda: chain.states().get("accepted", 0) > 1_000)
        worker.send_signal(signal.SIGTERM)
        await until(lambda: worker.poll() is not None, 15)
        assert worker.returncode == 0
        assert set(chain.states()) <= {"accepted", "queued", "claimed", "sending"}
    await beside
    await chain.sweep()  # what the worker gave back last
    assert chain.states() == {"accepted": 20 + MANY}
    caught = chain.caught()
    assert caught == chain.accepted()
    assert len(set(caught)) == 20 + MANY
    homes = [batches for (batches,) in rows_of(chain.store, LedgerHome, "batches")]
    assert len(homes) == 2
    assert min(homes) > 0


def test_sqlite_has_no_workers(tmp_path: Path) -> None:
    folder = club_folder(tmp_path / "club", "sqlite:///club.db")
    with sampark(folder, "worker", stderr=subprocess.PIPE) as process:
        _, told = process.communicate(timeout=30)
    assert process.returncode == 3
    assert b"one file, on one machine" in b" ".join(told.split())
    assert not (folder / "club.db").exists()

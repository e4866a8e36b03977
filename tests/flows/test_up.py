"""`up` as a whole: a lead becomes a message, the schedule is there, and nothing is left behind."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from engines import LEADS, TEMPLATES

from crm_store import events
from crm_store.errors import EnvironmentUnready
from crm_store.event_names import LEAD_CREATED
from crm_store.models.customer import Customer
from crm_store.tables import table_of
from flows.clock import wall_clock
from flows.club_lock import running_up
from flows.project import Project, open_club, open_project
from flows.up import up

ROOT = Path(__file__).parents[2]
UP = """
import asyncio, sys
from pathlib import Path
from flows.project import open_project
from flows.up import up
asyncio.run(up(open_project(Path(sys.argv[1])), lambda what, text: print(what, text, flush=True)))
"""
CLUB = """
club: {{name: Lotus Fitness, timezone: Asia/Kolkata, country: IN, languages: [en, hi]}}
topics: [news]
sweep: {{every: 1m}}
prefect: {{port: {prefect}}}
catchers: {{smtp_port: {smtp}, sms_port: {sms}}}
"""


@dataclass
class RunningClub:
    """A club's folder with `up` at work in it."""

    project: Project
    process: "subprocess.Popen[bytes]"

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.project.settings.prefect.port}/api"

    def record_lead(self) -> None:
        """As a web form does it: another process than `up`."""
        now = wall_clock()
        with open_club(self.project, wall_clock) as (store, club_id), store.write() as connection:
            row = {"club_id": club_id, "ref": uuid.uuid4().hex, "first_name": "Asha"}
            row |= {"email": "asha@example.org", "custom": {}, "created_at": now}
            made = connection.execute(table_of(Customer).insert().values(**row, updated_at=now))
            events.record(
                connection,
                customer_id=(made.inserted_primary_key or (0,))[0],
                name=LEAD_CREATED,
                source="test",
                occurred_at=now,
                now=now,
            )

    def caught(self) -> int:
        return self.project.caught().count(channel="email")

    def runs(self, **flow: object) -> list[dict[str, object]]:
        answer = httpx.post(f"{self.api}/flow_runs/filter", json=flow, trust_env=False, timeout=10)
        return list(answer.json())

    def prefect_answers(self) -> bool:
        try:
            return httpx.get(f"{self.api}/health", trust_env=False).is_success
        except httpx.HTTPError:
            return False


@pytest.fixture
def club(tmp_path: Path) -> Iterator[RunningClub]:
    """`up` in a process of its own, ready to take events."""
    folder = tmp_path / "club"
    for path, text in TEMPLATES.items():
        target = folder / "templates" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    (folder / "campaigns").mkdir()
    (folder / "campaigns" / "leads.yaml").write_text(LEADS)
    ports = {name: _free_port() for name in ("prefect", "smtp", "sms")}
    (folder / "club.yaml").write_text(CLUB.format(**ports))
    (folder / ".env").write_text(f"SAMPARK_SECRET_KEY={'k' * 43}\n")
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [sys.executable, "-c", UP, str(folder)], env=environment, stdout=subprocess.PIPE
    )
    running = RunningClub(open_project(folder), process)
    assert process.stdout is not None
    try:
        assert any(line.startswith(b"ready") for line in process.stdout)
        yield running
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        _until(lambda: not running.prefect_answers(), 20)
        shutil.rmtree(folder)


def test_a_lead_is_answered_at_once_and_all_ends_cleanly(club: RunningClub) -> None:
    club.record_lead()
    _until(lambda: club.caught() == 1, 15)
    _until(club.prefect_answers, 60)
    _until(lambda: any(run["state_type"] == "SCHEDULED" for run in club.runs()), 60)
    club.record_lead()
    _until(lambda: club.caught() == 2, 15)
    names = {"events · leads · 2 entered · 2 sent", "events · leads · 1 entered · 1 sent"}
    _until(lambda: names & {str(run["name"]) for run in club.runs()} != set(), 40)
    with pytest.raises(EnvironmentUnready, match="running for this folder already"):
        asyncio.run(up(club.project, lambda what, text: None))
    club.process.send_signal(signal.SIGTERM)
    assert club.process.wait(30) == 0
    assert not club.prefect_answers()
    assert running_up(club.project.state_folder) is None
    assert club.caught() == 2


def test_a_killed_up_leaves_no_prefect_behind(club: RunningClub) -> None:
    _until(club.prefect_answers, 60)
    club.process.kill()
    club.process.wait()
    _until(lambda: not club.prefect_answers(), 20)
    assert running_up(club.project.state_folder) is None


def _until(holds: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

"""docs/foresight.md is true: its campaign and its commands, with what they really print.

After a change: REWRITE_PAGES=1 python -m pytest tests/crm_console/test_foresight_page.py
"""

import asyncio
import os
import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from making import make_customer, make_membership, make_visit, rows_of

from crm_store.database import Store
from crm_store.foresight import record_all
from crm_store.models.customer import Customer
from flows.campaigns import load_campaigns
from flows.foresight.assumptions import read_assumptions
from flows.foresight.play import HandClock, Play
from flows.foresight.scratch_engine import engine_on
from flows.project import Project, open_club, open_project

PAGE = Path(__file__).parents[2] / "docs" / "foresight.md"
COMMAND = re.compile(r"^```console\n\$ sampark (.*)\n((?:.*\n)*?)```$", re.MULTILINE)
FIRST = datetime(2025, 2, 20, tzinfo=UTC)


def people(store: Store) -> None:
    """Forty members whose terms end from day to day; every third still trains."""
    for number in range(1, 41):
        email = None if number % 10 == 0 else f"m{number}@example.org"
        customer = make_customer(store, ref=f"M-{number}", email=email)
        ends_on = date(2025, 3, 25) + timedelta(days=number // 2)
        make_membership(store, customer, ends_on=ends_on, auto_renew=number % 13 == 0)
        for day in range(10 if number % 3 == 0 else 0):
            make_visit(store, customer, FIRST - timedelta(days=day))


def play(project: Project, store: Store, until: datetime) -> None:
    """Sweep from the first day on."""
    clock = HandClock(FIRST)
    engine = engine_on(project, store, clock)
    running, _ = load_campaigns(store, project.check(), engine.catalogue, FIRST)
    sweeps = Play(engine, clock, running)
    renewed = datetime(2025, 3, 10, 9, tzinfo=UTC)
    (second,) = [one for one, ref in rows_of(store, Customer, "id", "ref") if ref == "M-2"]
    sweeps.will_happen(
        renewed,
        lambda connection: record_all(connection, [second], "membership_renewed", {}, "1", renewed),
    )
    asyncio.run(sweeps.run(until))


def test_its_output_is_what_the_commands_print(club: Path, sampark: Callable[..., Any]) -> None:
    page = PAGE.read_text(encoding="utf-8")
    for file in (club / "campaigns").iterdir():
        file.unlink()
    (campaign,) = re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (club / "campaigns" / "renewal.yaml").write_text(campaign)
    project = open_project(club)
    with open_club(project, lambda: FIRST) as (store, _):
        people(store)

    def printed(found: re.Match[str]) -> str:
        args = found[1].split()
        if args[0] == "why":
            with open_club(project, lambda: FIRST) as (store, _):
                play(project, store, datetime(2025, 4, 20, tzinfo=UTC))
        shown = sampark(*args, exit_code=1 if args == ["test"] else 0).stdout
        lines = "\n".join(line.rstrip() for line in shown.rstrip().splitlines())
        return f"```console\n$ sampark {found[1]}\n{lines}\n```"

    real = COMMAND.sub(printed, page)
    if os.environ.get("REWRITE_PAGES"):
        PAGE.write_text(real, encoding="utf-8")
    assert real == page


def test_its_assumptions_can_be_read(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    (text,) = re.findall(r"^```yaml assumptions\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
    (tmp_path / "assume.yaml").write_text(text)
    assert len(read_assumptions(tmp_path / "assume.yaml").responses) == 2

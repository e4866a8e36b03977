"""A campaign whose file was taken away while customers are in it."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from making import make_customer, make_membership

from flows.campaigns import load_campaigns
from flows.foresight.planning import plan_day
from flows.foresight.play import HandClock, Play
from flows.foresight.scratch_engine import engine_on
from flows.project import open_club, open_project
from flows.sweep import plan_sweep

NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
RENEWAL = """\
campaign: renewal
name: Renewal
topic: renewals
trigger: {type: membership_expiring}
steps:
  - {id: month, at: -30d, email: renewal/heads_up}
  - {id: hindi, at: -20d, email: renewal/recap}
"""
GONE = "its file is gone; 1 customer is inside, and nothing of it leaves"


@pytest.fixture
def file(club: Path) -> Path:
    """The file of the only campaign; M-1 is in it, M-2 is through."""
    for other in (club / "campaigns").iterdir():
        other.unlink()
    file = club / "campaigns" / "renewal.yaml"
    file.write_text(RENEWAL)
    project = open_project(club)
    with open_club(project, lambda: NOW) as (store, _):
        for ref, days in (("M-1", 30), ("M-2", 20)):
            customer = make_customer(store, ref=ref, language="en")
            ends_on = date(2026, 11, 22) + timedelta(days=days)
            make_membership(store, customer, ends_on=ends_on)
        clock = HandClock(NOW)
        engine = engine_on(project, store, clock)
        running, _ = load_campaigns(store, project.check(), engine.catalogue, NOW)
        asyncio.run(Play(engine, clock, running).run(NOW + timedelta(days=1)))
    return file


def disabled(club: Path) -> dict[str, str]:
    project = open_project(club)
    with open_club(project, lambda: NOW) as (store, _):
        engine = engine_on(project, store, HandClock(NOW))
        return {one.slug: one.problem for one in plan_sweep(engine, project.check()).disabled}


def test_a_sweep_and_a_plan_name_it(club: Path, file: Path) -> None:
    assert disabled(club) == {}
    file.unlink()
    found = disabled(club)
    assert list(found) == ["renewal"]
    assert found["renewal"].startswith(f"{GONE}: put the file back")
    assert plan_day(open_project(club), date(2026, 11, 23), NOW).disabled == found
    file.write_text(RENEWAL.replace("name:", "nmae:"))
    assert "its file is gone" not in disabled(club)["renewal"]


def test_doctor_names_it(file: Path, answer: Callable[..., Any]) -> None:
    file.unlink()
    found = [one for one in answer("doctor", exit_code=3)["findings"] if one["mend"]]
    told = {one["text"]: one["mend"] for one in found if one["what"] == "campaigns"}
    assert told[f"renewal: {GONE}"].startswith("Put the file back")


def test_why_says_it_and_promises_nothing(
    file: Path, sampark: Callable[..., Any], answer: Callable[..., Any]
) -> None:
    assert "Next: hindi of renewal" in sampark("why", "M-1").stdout
    file.unlink()
    told = " ".join(sampark("why", "M-1").stdout.split())
    assert "Its file is gone, and nothing of it leaves: put the file back" in told
    assert "Next:" not in told
    gone = {ref: answer("why", ref)["enrollments"][0]["file_gone"] for ref in ("M-1", "M-2")}
    assert gone == {"M-1": True, "M-2": False}
    file.write_text(RENEWAL.replace("name:", "nmae:"))
    told = sampark("why", "M-1").stdout
    assert "renewal is broken" in told
    assert "Next:" not in told

"""`sampark simulate` and `sampark plan`: looking ahead changes nothing."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from crm_console.demo.population import populate
from flows.foresight.simulation import Spread
from flows.project import open_club, open_project

NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
TODAY = date(2026, 11, 22)
CAMPAIGNS = ("membership-renewal", "new-lead", "birthday")


@pytest.fixture
def peopled(club: Path) -> Path:
    """The club with three campaigns and some two hundred people in it."""
    for file in (club / "campaigns").iterdir():
        if file.stem not in CAMPAIGNS:
            file.unlink()
    with open_club(open_project(club), lambda: NOW) as (store, club_id):
        populate(store, club_id, seed=7, today=TODAY, members=100)
    return club


def days(answer: dict[str, Any]) -> int:
    return sum(day["messages"] for day in answer["days"])


def test_a_simulation_adds_up_and_changes_nothing(
    peopled: Path, answer: Callable[..., Any]
) -> None:
    before = (peopled / "sampark.db").read_bytes()
    span = ("--from", "2026-11-22", "--to", "2026-11-30")
    told = answer("simulate", *span)
    assert (told["from"], told["to"]) == ("2026-11-22", "2026-11-30")
    assert {one["campaign"] for one in told["campaigns"]} == set(CAMPAIGNS)
    assert days(told) == told["messages"] == sum(one["messages"] for one in told["campaigns"]) > 100
    assert all(sum(day["by_campaign"].values()) == day["messages"] for day in told["days"])
    assert all(sum(day["by_channel"].values()) == day["messages"] for day in told["days"])
    spread = told["per_member_week"]
    assert 1 <= spread["median"] <= spread["p99"] <= spread["worst"]
    assert told == answer("simulate", *span)
    assert (peopled / "sampark.db").read_bytes() == before


def test_who_renews_gets_less(peopled: Path, answer: Callable[..., Any]) -> None:
    span = ("--from", "2026-11-22", "--to", "2026-12-15")
    nobody = answer("simulate", *span)
    everybody = answer("simulate", *span, "--respond", "membership-renewal.heads_up=100%")
    sent = [
        {one["campaign"]: one["messages"] for one in told["campaigns"]}
        for told in (nobody, everybody)
    ]
    assert sent[1]["membership-renewal"] < sent[0]["membership-renewal"]
    assert sent[1]["birthday"] == sent[0]["birthday"]


def test_a_file_of_assumptions(peopled: Path, answer: Callable[..., Any], tmp_path: Path) -> None:
    file = tmp_path / "assume.yaml"
    file.write_text(
        "seed: 3\nvisits: as_past\nresponses:\n"
        "  - {after: membership-renewal.heads_up, share: 50%, delay: 2d}\n"
        "  - {after: new-lead.welcome, share: 10%, event: trial_booked}\n"
    )
    assert answer("simulate", "--from", "2026-11-22", "--to", "2026-11-24", "--assume", str(file))


MISTAKES = [
    (["--from", "tomorrow"], "tomorrow is no day."),
    (["--from", "2026-11-22", "--to", "2026-11-01"], "2026-11-01 is before 2026-11-22."),
    (["--from", "2026-11-22", "--to", "2029-11-01"], "is too long"),
    (["--respond", "membership-renewal.ofer=20%"], "There is no step membership-renewal.ofer."),
    (["--respond", "membership-renewal.offer=lots"], "is no response."),
    (["--picture", "load.png"], "load.png is no .svg file."),
]


@pytest.mark.parametrize(("args", "reason"), MISTAKES)
def test_mistakes_are_told(
    peopled: Path, answer: Callable[..., Any], args: list[str], reason: str
) -> None:
    told = answer("simulate", *args, exit_code=2)
    assert reason in told["error"]["reason"]


def test_a_wrong_assumption_has_its_line(
    peopled: Path, answer: Callable[..., Any], tmp_path: Path
) -> None:
    file = tmp_path / "assume.yaml"
    file.write_text(
        "sed: 3\nresponses: [{after: renewal, share: 120%}, {after: a.b, event: stage_changed}]\n"
    )
    reason = answer("simulate", "--assume", str(file), exit_code=2)["error"]["reason"]
    assert f"{file}:1:1: unknown key `sed`; did you mean `seed`?" in reason
    assert f"{file}:2:21: `renewal` names no step" in reason
    assert f"{file}:2:37: `120%` is not a share of people" in reason
    assert f"{file}:2:64: `stage_changed` says nothing without its data" in reason


def test_the_table_and_the_picture(
    peopled: Path, sampark: Callable[..., Any], tmp_path: Path
) -> None:
    picture = tmp_path / "load.svg"
    with (peopled / "club.yaml").open("a") as file:
        file.write(
            "\nchannels:\n  email:\n    from: a@club.example\n    smtp: {host: smtp.example}\n"
            "    limits: {per_hour: 2}\n"
        )
    shown = sampark(
        "simulate", "--from", "2026-11-22", "--to", "2026-12-31", "--picture", str(picture)
    ).stdout
    assert re.search(r"^2026-11-22 to 2026-12-31: \d+ messages to \d+ members\.$", shown, re.M)
    assert re.search(r"^Sun 2026-11-22 +\d+ +█+ *$", shown, re.M)
    assert re.search(r"^Mon 2026-11-23 +\d+ +█+ *$", shown, re.M)
    assert "by email are too many" in shown
    bars = ElementTree.parse(picture).getroot().findall(".//{http://www.w3.org/2000/svg}title")  # noqa: S314
    told = sum(int(re.search(r": ([\d,]+) ", bar.text).group(1)) for bar in bars)
    assert f": {told} messages to" in shown


def test_a_plan_as_table_and_with_everyone(
    peopled: Path, sampark: Callable[..., Any], answer: Callable[..., Any]
) -> None:
    told = answer("plan", "--on", "2026-11-21", "--all")
    assert told["day"] == "2026-11-21"
    assert sum(one["count"] for one in told["touchpoints"]) == len(told["everyone"]) > 0
    shown = sampark("plan", "--on", "2026-11-21", "--all")
    assert shown.stdout.startswith("Sat 21 Nov 2026: ")
    assert re.search(r"^membership-renewal +\w+ +\d+ +\w+", shown.stdout, re.M)
    assert "this day is past" in shown.stdout
    assert "goes out" not in shown.stdout
    refs = {one["customer_ref"] for one in told["everyone"]}
    assert all(ref in shown.stdout for ref in refs)


def test_a_plan_says_what_is_paused(
    peopled: Path, sampark: Callable[..., Any], answer: Callable[..., Any]
) -> None:
    sampark("pause", "membership-renewal", "--reason", "a wrong price")
    assert "membership-renewal is paused, and nothing of it leaves: a wrong price." in " ".join(
        sampark("plan").stdout.split()
    )
    sampark("pause", "--reason", "stocktaking")
    assert answer("plan")["paused"] == {"membership-renewal": "a wrong price", "*": "stocktaking"}
    shown = " ".join(sampark("plan").stdout.split())
    assert "Everything is paused, and nothing leaves: stocktaking." in shown


def test_a_club_without_a_database_is_told_what_to_do(
    club: Path, answer: Callable[..., Any]
) -> None:
    told = answer("simulate", exit_code=3)["error"]
    assert "There is no database" in told["reason"]
    assert "sampark import" in told["instruction"]
    assert not (club / "sampark.db").exists()


@pytest.mark.parametrize(
    ("numbers", "spread"),
    [
        ([], Spread(0, 0, 0, 0)),
        ([3], Spread(1, 3, 3, 3)),
        ([1, 2], Spread(2, 1, 2, 2)),
        ([1, 2, 3], Spread(3, 2, 3, 3)),
        ([1] * 99 + [7], Spread(100, 1, 1, 7)),
        ([1] * 98 + [5, 7], Spread(100, 1, 5, 7)),
    ],
)
def test_a_spread_is_by_the_nearest_rank(numbers: list[int], spread: Spread) -> None:
    assert Spread.of(numbers) == spread

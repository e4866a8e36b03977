"""`sampark demo`: the day of a whole club, from nothing to a ledger that agrees."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

AT_WORK = (
    *("adaptation", "attendance-drop", "birthday", "cancellation", "freeze", "membership-renewal"),
    *("new-lead", "nps", "nps-care", "nps-referral", "payment-failed", "trial", "trial-attended"),
    *("trial-missed", "welcome", "win-back"),
)
"""Campaigns that send something on any day of the demonstration."""


def test_it_adds_up_and_the_second_sweep_does_nothing(
    tmp_path: Path, sampark: Callable[..., Any]
) -> None:
    told = sampark("demo", str(tmp_path / "demo"), "--members", "500").stdout
    assert "the same ids, each exactly once" in told
    assert "0 admitted, 0 sent." in told
    for campaign in AT_WORK:
        row = re.search(rf"^ *{campaign} +([\d,]+) +([\d,]+) +([\d,]+)", told, re.MULTILINE)
        assert row, campaign
        assert int(row[3].replace(",", "")) > 0, row[0]
    assert "Not sent now, and why:" in told
    shown = re.search(r"sampark --project (\S+) why (\S+)", told)
    assert shown
    assert "sent" in sampark("why", shown[2], "--project", shown[1]).stdout


def test_a_folder_that_is_no_demo_is_left_alone(club: Path, sampark: Callable[..., Any]) -> None:
    before = sorted(club.rglob("*"))
    refused = sampark("demo", str(club), exit_code=2)
    assert "is not empty" in refused.stderr
    assert sorted(club.rglob("*")) == before

"""`sampark demo`: the day of a whole club, from nothing to a ledger that agrees."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "club"


def test_it_adds_up_and_the_second_sweep_does_nothing(
    folder: Path, sampark: Callable[..., Any]
) -> None:
    told = sampark("demo", str(folder), "--members", "500").stdout
    assert "the same ids, each exactly once" in told
    assert "0 admitted, 0 sent." in told
    for campaign in ("birthday", "membership-renewal", "new-lead", "trial"):
        assert campaign in told
    assert "Not sent now, and why:" in told


def test_it_is_made_anew_in_its_own_folder(folder: Path, sampark: Callable[..., Any]) -> None:
    marked = folder / "campaigns" / "mine.yaml"
    marked.write_text("of the last demonstration")
    sampark("demo", str(folder), "--members", "500")
    assert not marked.exists()


def test_a_folder_that_is_no_demo_is_left_alone(club: Path, sampark: Callable[..., Any]) -> None:
    before = sorted(club.rglob("*"))
    refused = sampark("demo", str(club), exit_code=2)
    assert "is not empty" in refused.stderr
    assert sorted(club.rglob("*")) == before

"""The demonstration's folder: made anew, and never over somebody's files."""

import fcntl
from pathlib import Path

import pytest

from crm_console.demo.club import fresh_club
from crm_store.errors import UsageError


def test_it_takes_the_place_of_an_older_one(tmp_path: Path) -> None:
    fresh_club(tmp_path / "demo")
    mine = tmp_path / "demo" / "campaigns" / "mine.yaml"
    mine.write_text("of the last demonstration")
    assert all(one.definition for one in fresh_club(tmp_path / "demo").check())
    assert not mine.exists()


def test_a_club_that_is_no_demo_is_left_alone(club: Path) -> None:
    before = sorted(club.rglob("*"))
    with pytest.raises(UsageError, match="is not empty"):
        fresh_club(club)
    assert sorted(club.rglob("*")) == before


def test_one_that_is_at_work_is_left_alone(tmp_path: Path) -> None:
    state = fresh_club(tmp_path / "demo").state_folder
    (state / "up.json").write_text('{"pid": 4711, "prefect_api": "http://127.0.0.1:4200/api"}')
    with (state / "up.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UsageError, match="4711"):
            fresh_club(tmp_path / "demo")

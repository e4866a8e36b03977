"""`sampark inbox`: what could not be used is seen, and read again when its cause is mended."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from crm_store import inbox
from crm_store.inbox import Arrival
from flows.clock import wall_clock
from flows.project import open_club, open_project


@pytest.fixture
def nobody_reads_it(club: Path, sampark: Callable[..., Result]) -> int:
    """A message of a source that no reader knows, after a sweep; its id."""
    with open_club(open_project(club), wall_clock) as (store, club_id), store.write() as connection:
        inbox.receive(connection, club_id, Arrival("pigeon", "1", b"asha@x", {}), wall_clock())
    sampark("sweep")
    with open_club(open_project(club), wall_clock) as (store, club_id), store.read() as connection:
        (failed,) = inbox.failed(connection, club_id)
    return failed.id


def test_it_is_listed_with_its_reason_and_without_what_it_said(
    nobody_reads_it: int, sampark: Callable[..., Result], answer: Callable[..., Any]
) -> None:
    told = answer("inbox")
    assert told["waiting"] == 0
    (one,) = told["failed"]
    assert (one["id"], one["source"], one["attempts"]) == (nobody_reads_it, "pigeon", 1)
    assert one["failure"] == "Nothing reads messages of `pigeon`."
    shown = sampark("inbox").output
    assert "pigeon" in shown
    assert "1 message could not be used; 0 messages wait." in shown
    assert "asha" not in shown
    assert "1 message from outside could not be used" in sampark("doctor").output


def test_it_is_read_again_when_asked(
    nobody_reads_it: int, answer: Callable[..., Any], sampark: Callable[..., Result]
) -> None:
    assert answer("inbox", str(nobody_reads_it), "--again") == {"again": 1}
    assert answer("inbox") == {"waiting": 1, "failed": []}
    told = sampark("inbox", str(nobody_reads_it), "--again").output
    assert "1 of them had not failed" in told


def test_ids_and_again_go_together(sampark: Callable[..., Result]) -> None:
    for args in (("inbox", "--again"), ("inbox", "7")):
        assert "sampark inbox 31 --again" in sampark(*args, exit_code=2).output

"""`sampark doubt`: what is settled, and what is said of the rest."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from making import (
    NOW,
    make_club,
    make_customer,
    make_enrollment,
    make_touchpoint,
    make_version,
    rows_of,
)

from crm_store.database import Store
from crm_store.models.touchpoint import Touchpoint
from flows.project import open_club, open_project

Sampark = Callable[..., Result]


@pytest.fixture
def touchpoints(club: Path) -> list[int]:
    """Ids: one in doubt, one that was accepted, and one in doubt in another club's hands."""
    with open_club(open_project(club), lambda: NOW) as (store, club_id):
        version = make_version(store)
        mine = [_touchpoint(store, club_id, version, state) for state in ("in_doubt", "accepted")]
        return [*mine, _touchpoint(store, make_club(store, code="other"), version, "in_doubt")]


def _touchpoint(store: Store, club_id: int, version: int, state: str) -> int:
    customer = make_customer(store, club_id=club_id)
    enrollment = make_enrollment(store, customer, version)
    return make_touchpoint(store, customer, enrollment, version_id=version, state=state)


def _states(club: Path) -> list[tuple[Any, ...]]:
    with open_club(open_project(club), lambda: NOW) as (store, _):
        return sorted(rows_of(store, Touchpoint, "id", "state"))


@pytest.mark.parametrize("verdict", ["arrived", "give-up", "resend"])
def test_what_cannot_be_settled_is_named(
    sampark: Sampark, club: Path, touchpoints: list[int], verdict: str
) -> None:
    doubted, accepted, others = touchpoints
    before = _states(club)
    told = sampark("doubt", "999", str(others), "--as", verdict, exit_code=1)
    assert told.stdout == ""
    assert f"There is no touchpoint 999. There is no touchpoint {others}." in told.stderr
    assert "\n`sampark doubt` lists those" in told.stderr
    assert _states(club) == before

    ids = [str(one) for one in (doubted, doubted, accepted, 999)]
    told = sampark("doubt", *ids, "--as", verdict, exit_code=4)
    assert f"1 touchpoint settled as {verdict}." in told.stdout
    assert f"Touchpoint {accepted} is accepted, not in doubt" in told.stderr
    assert "There is no touchpoint 999." in told.stderr
    after = {"arrived": "accepted", "give-up": "failed", "resend": "queued"}[verdict]
    assert _states(club) == [(doubted, after), *before[1:]]


def test_what_is_in_doubt_is_settled_without_a_word_more(
    sampark: Sampark, answer: Callable[..., Any], touchpoints: list[int]
) -> None:
    assert [one["id"] for one in answer("doubt")] == touchpoints[:1]
    told = sampark("doubt", str(touchpoints[0]), "--as", "arrived")
    assert (told.stdout, told.stderr) == ("1 touchpoint settled as arrived.\n", "")

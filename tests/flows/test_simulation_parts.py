"""A simulation in several processes: the same figures, and the same errors."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from crm_console.demo.club import fresh_club
from crm_console.demo.population import populate
from crm_store.errors import SamparkError
from flows.foresight.assumptions import Assumptions, response
from flows.foresight.course import Course
from flows.foresight.in_parts import MOST, PartEnded, processes_for, run_in_parts
from flows.foresight.simulation import simulate
from flows.project import Project, open_club, open_project

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
COURSE = Course(TODAY, TODAY, Assumptions())


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = fresh_club(tmp_path_factory.mktemp("club"))
    with open_club(project, lambda: NOW) as (store, club_id):
        populate(store, club_id, seed=1, today=TODAY, members=100)
    yield project


def test_the_figures_do_not_depend_on_the_number_of_processes(club: Project) -> None:
    answers = (response("membership-renewal.heads_up=60%"), response("win-back.easier=30%"))
    assumptions = Assumptions(visits="as_past", responses=answers)
    last = TODAY + timedelta(days=25)
    alone = simulate(club, TODAY, last, assumptions, processes=1)
    shared = simulate(club, TODAY, last, assumptions, processes=2)
    assert (alone.processes, shared.processes) == (1, 2)
    assert alone.messages > 100
    assert shared.to_json() == alone.to_json()
    assert shared.outcomes == alone.outcomes
    assert shared.passes == alone.passes


def test_an_error_of_a_part_is_told_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "club.yaml").write_text("club: {name: Lotus Fitness, timezone: Asia/Calcuta}\n")
    with pytest.raises(SamparkError) as at_home:
        open_project(tmp_path)
    with pytest.raises(SamparkError) as in_a_part:
        run_in_parts(COURSE, tmp_path, tmp_path / "copy.db", 2)
    assert type(in_a_part.value) is type(at_home.value)
    assert str(in_a_part.value) == str(at_home.value)
    assert in_a_part.value.exit_code == at_home.value.exit_code


def test_a_part_that_dies_is_missed(club: Project, tmp_path: Path) -> None:
    with pytest.raises(PartEnded, match="exit code 1"):
        run_in_parts(COURSE, club.folder, tmp_path / "no-copy.db", 1)


@pytest.mark.parametrize(
    ("customers", "days", "most"),
    [(0, 1, 1), (300, 731, 1), (5_000, 31, 1), (5_000, 90, 2), (20_000, 365, MOST)],
)
def test_processes_are_started_where_they_are_worth_it(
    customers: int, days: int, most: int
) -> None:
    assert processes_for(customers, days) == min(most, processes_for(10**9, 365))

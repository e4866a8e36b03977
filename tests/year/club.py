"""The club of the proof: the starter as `init` makes it, some campaigns more, and its people."""

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path

from crm_console.demo.club import fresh_club
from crm_console.demo.population import make_population
from crm_store.dossiers import Dossier, insert_dossiers
from flows.project import Project, open_club, open_project

HERE = Path(__file__).parent
STARTER = HERE.parents[1] / "campaigns"
TODAY = date(2026, 11, 22)
"""The first day, on which the demonstration's people have something due."""
BORN = datetime(2026, 11, 21, 18, 30, tzinfo=UTC)
"""Its midnight in the club, at which everything begins."""
HALF_A_YEAR = timedelta(weeks=26)
BATCH = 500
NEWCOMERS = 9
"""One in so many joins later."""
LEAP_DAY = date(2000, 2, 29)
SEED = 2026


def make_club(folder: Path, members: int, *, each: int = 1, more: bool = False) -> Project:
    """A club in `folder` with the demonstration's people for `members`; of these, one in `each`.

    `more` adds the campaigns beside this file, for what the starter does not use.
    """
    project = fresh_club(folder)
    # Of the starter's, `init` leaves out what is for another country.
    beside = (STARTER / "seasonal-may.yaml", *(HERE / "campaigns").glob("*.yaml"))
    for campaign in beside if more else ():
        shutil.copy(campaign, project.campaigns_folder)
    with open_club(project, lambda: BORN) as (store, club_id), store.write() as connection:
        people = _people(members, each)
        while batch := list(islice(people, BATCH)):
            insert_dossiers(connection, club_id, batch)
    return open_project(folder)


def _people(members: int, each: int) -> Iterator[Dossier]:
    population = islice(make_population(SEED, TODAY, members), 0, None, each)
    for number, one in enumerate(population):
        # Half a year of visits is known of them: they came the half before as they did after it.
        one.visits = sorted({*one.visits, *(at - HALF_A_YEAR for at in one.visits)})
        if number % NEWCOMERS == 0 and one.terms:
            _joins(one, TODAY + timedelta(days=number % 300))
        elif number % NEWCOMERS == 1:
            one.customer["birth_date"] = LEAP_DAY
        yield one


def _joins(one: Dossier, day: date) -> None:
    """She has not been here yet: her first term begins on that day."""
    term = one.terms[-1]
    length = term.values["ends_on"] - term.values["starts_on"]
    term.values |= {"starts_on": day, "ends_on": day + length, "status": "active"}
    one.customer["joined_on"] = day
    one.terms, one.visits, one.events = [term], [], []
    term.freezes = []

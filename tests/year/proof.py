"""The proof: the same club, simulated and really swept, and what differs."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, time, timedelta
from pathlib import Path
from typing import NamedTuple

from year.compared import Facts, facts_of
from year.lived import lives_in
from year.swept import Swept, sweep_through

from crm_store.models.touchpoint import State
from flows.foresight.assumptions import read_assumptions
from flows.foresight.play import Outcomes
from flows.foresight.simulation import Simulated, simulated
from flows.project import Project
from triggers.timeline import instant


class Difference(NamedTuple):
    """Rows of one kind."""

    same: int
    only_simulated: list[tuple[object, ...]]
    only_swept: list[tuple[object, ...]]


@dataclass
class Proof:
    """Both sides, and how much there was to live through."""

    figures: Simulated
    simulated: Facts
    swept: Swept
    visits: int
    deeds: int
    to_the_moment: bool
    """Rows are compared with the moment they were due and left at, else with the day."""

    @property
    def sweeps(self) -> int:
        return self.swept.sweeps

    @property
    def caught(self) -> Counter[str]:
        """What the catchers hold, by campaign."""
        known, caught = self.swept.facts.message_ids, self.swept.catchers.caught
        by_campaign: Counter[str] = Counter()
        for one, touch in known.items():
            by_campaign[touch.campaign] += caught[one]
        return by_campaign

    @property
    def cells(self) -> tuple[int, int]:
        """How many counts by campaign, step, channel and day there are, and how many differ."""
        simulated, real = self.simulated.sent(), self.swept.facts.sent()
        cells = simulated.keys() | real.keys()
        return len(cells), sum(simulated[cell] != real[cell] for cell in cells)

    def rows(self) -> dict[str, Difference]:
        """Touchpoints, people in campaigns, and tasks, each on one side alone."""
        one, other = self.simulated, self.swept.facts
        if self.to_the_moment:
            touches = _differ(one.touches, other.touches)
        else:
            touches = _differ(
                [touch.by_day for touch in one.touches], [touch.by_day for touch in other.touches]
            )
        return {
            "Touchpoints": touches,
            "People in campaigns": _differ(one.stays, other.stays),
            "Tasks": _differ(one.calls, other.calls),
        }

    @property
    def postponed(self) -> tuple[Counter[tuple[str, str]], Counter[tuple[str, str]]]:
        """How often something had to wait, by campaign and reason: simulated and swept."""
        return _postponed(self.figures.outcomes), _postponed(self.swept.outcomes)

    @property
    def holds(self) -> bool:
        """Everything is the same, and what the simulation tells is its ledger."""
        told = Counter(
            {
                (campaign, day): number
                for day, counts in self.figures.load.items()
                for campaign, number in counts.items()
            }
        )
        kept: Counter[tuple[str, date | None]] = Counter()
        for (campaign, _, _, day), number in self.simulated.sent().items():
            kept[campaign, day] += number
        rows = self.rows().values()
        simulated, swept = self.postponed
        return (
            self.swept.catchers.agrees
            and kept == told
            and self.figures.admitted == Counter(one.campaign for one in self.simulated.stays)
            and (simulated == swept or not self.to_the_moment)
            and not any(one.only_simulated or one.only_swept for one in rows)
        )


def prove(
    project: Project, first: date, last: date, assumptions: Path, every: timedelta | None = None
) -> Proof:
    """Simulate the club, then sweep it for real."""
    since = instant(first, time.min, project.zone)
    with simulated(project, first, last, read_assumptions(assumptions)) as (figures, store):
        facts, lives = facts_of(store, project.zone), lives_in(store, since)
    visits, deeds = len(lives.visits), len(lives.deeds)
    swept = asyncio.run(sweep_through(project, lives, first, last, every))
    return Proof(figures, facts, swept, visits, deeds, to_the_moment=every is None)


def _postponed(outcomes: Mapping[str, Outcomes]) -> Counter[tuple[str, str]]:
    waits: Counter[tuple[str, str]] = Counter()
    for campaign, counts in outcomes.items():
        for (state, reason), number in counts.items():
            if state is State.PLANNED:
                waits[campaign, str(reason)] += number
    return waits


def _differ(one: list, other: list) -> Difference:  # type: ignore[type-arg]
    here, there = Counter(map(tuple, one)), Counter(map(tuple, other))
    return Difference(
        (here & there).total(), list((here - there).elements()), list((there - here).elements())
    )

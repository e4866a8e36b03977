"""A simulation: what the campaigns would send, day by day, if they ran on from now."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from math import ceil
from typing import Any

from crm_store.customers import how_many
from crm_store.database import Store
from crm_store.errors import UsageError
from crm_store.models.touchpoint import State
from crm_store.reasons import Reason
from crm_store.scratch import file_of
from flows.campaigns import RunningCampaign
from flows.engine import Engine
from flows.foresight.assumptions import Assumptions, Response
from flows.foresight.course import Course, run_course
from flows.foresight.in_parts import processes_for, run_in_parts
from flows.foresight.play import HandClock
from flows.foresight.scratch_engine import engine_on_copy
from flows.foresight.tally import Tally
from flows.project import Project
from flows.sweep import SweepPlan, plan_sweep
from triggers.problems import choose_from

HELD = (Reason.CAP, Reason.QUIET_HOURS, Reason.SEND_WINDOW, Reason.TEMPLATE)
"""Reasons for which a message that is due waits, or is left out after all."""


@dataclass(frozen=True)
class Spread:
    """How many messages somebody gets: half get this or fewer, 99 of 100 that, one the most."""

    people: int
    median: int
    p99: int
    worst: int

    @classmethod
    def of(cls, numbers: Iterable[int]) -> "Spread":
        """Of numbers, each somebody's, by the nearest rank."""
        ranked = sorted(numbers)
        if not ranked:
            return cls(0, 0, 0, 0)
        last = len(ranked)
        return cls(last, ranked[ceil(last / 2) - 1], ranked[ceil(last * 0.99) - 1], ranked[-1])


@dataclass
class Simulated:
    """What came of it. Days are the club's."""

    first: date
    last: date
    load: dict[date, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Messages by day and campaign."""
    by_channel: dict[date, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Messages by day and channel."""
    per_member: Spread = Spread(0, 0, 0, 0)
    """Messages to each member in the whole time, of those who got any."""
    per_member_week: Spread = Spread(0, 0, 0, 0)
    """Messages to each member in each week (Monday to Sunday) in which one came."""
    admitted: Counter[str] = field(default_factory=Counter)
    outcomes: dict[str, Counter[tuple[State, Reason | None]]] = field(default_factory=dict)
    """By campaign; one that is postponed counts each time."""
    disabled: dict[str, str] = field(default_factory=dict)
    passes: int = 0
    """At how many moments there was something to do."""
    processes: int = 1
    """How many worked at it."""

    @property
    def messages(self) -> int:
        return sum(counts.total() for counts in self.load.values())

    def campaigns(self) -> list[str]:
        """Those that ran, the one with the most messages first."""
        totals: Counter[str] = Counter()
        for counts in self.load.values():
            totals += counts
        return sorted(self.outcomes.keys() | totals, key=lambda one: (-totals[one], one))

    def sent(self, campaign: str) -> int:
        """Messages of a campaign."""
        return sum(counts[campaign] for counts in self.load.values())

    def held(self, campaign: str, reason: Reason) -> int:
        """How often a message of the campaign had to wait, or was left out, for this reason."""
        outcomes = self.outcomes.get(campaign, Counter())
        return sum(number for (_, why), number in outcomes.items() if why == reason)

    def to_json(self) -> dict[str, Any]:
        """The stable form of `simulate --json`."""
        return {
            "from": str(self.first),
            "to": str(self.last),
            "messages": self.messages,
            "days": [
                {
                    "day": str(day),
                    "messages": self.load[day].total(),
                    "by_campaign": dict(sorted(self.load[day].items())),
                    "by_channel": dict(sorted(self.by_channel[day].items())),
                }
                for day in sorted(self.load)
            ],
            "campaigns": [
                {
                    "campaign": one,
                    "entered": self.admitted[one],
                    "messages": self.sent(one),
                    "held": {str(why): self.held(one, why) for why in HELD if self.held(one, why)},
                }
                for one in self.campaigns()
            ],
            "disabled": self.disabled,
            "per_member": vars(self.per_member),
            "per_member_week": vars(self.per_member_week),
        }


def simulate(
    project: Project,
    first: date,
    last: date,
    assumptions: Assumptions,
    processes: int | None = None,
) -> Simulated:
    """Run the club's campaigns from the first to the last day on a copy of its store.

    `processes` at once, each for a part of the customers; left out, as many as are worth it. The
    figures do not depend on their number. Raises `UsageError` when an assumption names a step that
    is not there.
    """
    course = Course(first, last, assumptions)
    with _begun(project, course) as (engine, clock, campaigns):
        with engine.store.read() as connection:
            customers = how_many(connection, engine.club_id)
        number = processes or processes_for(customers, (last - first).days + 1)
        if number == 1:
            tally = run_course(course, engine, clock, campaigns.running)
        else:
            copy = file_of(engine.store)
            tally = run_in_parts(course, project.folder.resolve(), copy, number)
        return _told(course, tally, campaigns, number)


@contextmanager
def simulated(
    project: Project, first: date, last: date, assumptions: Assumptions
) -> Iterator[tuple[Simulated, Store]]:
    """As `simulate`, with the copy on which it came about; that is gone afterwards."""
    course = Course(first, last, assumptions)
    with _begun(project, course) as (engine, clock, campaigns):
        tally = run_course(course, engine, clock, campaigns.running)
        yield _told(course, tally, campaigns, 1), engine.store


@contextmanager
def _begun(project: Project, course: Course) -> Iterator[tuple[Engine, HandClock, SweepPlan]]:
    clock = course.clock(project.zone)
    with engine_on_copy(project, clock) as engine:
        campaigns = plan_sweep(engine, project.check())
        _refuse_unknown(course.assumptions.responses, campaigns.running)
        yield engine, clock, campaigns


def _told(course: Course, tally: Tally, campaigns: SweepPlan, processes: int) -> Simulated:
    return Simulated(
        course.first,
        course.last,
        load=tally.load,
        by_channel=tally.by_channel,
        per_member=Spread.of(tally.of_member.values()),
        per_member_week=Spread.of(tally.of_week.values()),
        admitted=tally.admitted,
        outcomes=tally.outcomes,
        disabled={one.slug: one.problem for one in campaigns.disabled},
        passes=len(tally.passes),
        processes=processes,
    )


def _refuse_unknown(responses: Sequence[Response], running: Sequence[RunningCampaign]) -> None:
    steps = {f"{one.slug}.{act.step}" for one in running for act in one.current.definition.acts()}
    for one in responses:
        name = ".".join(one.after)
        if name not in steps:
            raise UsageError(f"There is no step {name}.", choose_from(name, steps))

"""A simulation: what the campaigns would send, day by day, if they ran on from now."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from math import ceil
from typing import Any

from sqlalchemy import Connection

from crm_store.errors import UsageError
from crm_store.event_names import MEMBERSHIP_RENEWED
from crm_store.foresight import come_as_before, record_all, renew_terms
from crm_store.models.touchpoint import State
from crm_store.reasons import Reason
from crm_store.touchpoints import Claimed
from flows.campaigns import RunningCampaign, load_campaigns
from flows.engine import Engine
from flows.foresight.assumptions import Assumptions, Response
from flows.foresight.play import HandClock, Play
from flows.foresight.scratch_engine import engine_on_copy
from flows.project import Project
from triggers.chance import chance
from triggers.problems import choose_from
from triggers.timeline import instant

TOGETHER = (time(11),)
"""What is due since the stop before is done together: most campaigns write in the morning."""
HELD = (Reason.CAP, Reason.QUIET_HOURS, Reason.SEND_WINDOW)
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


def simulate(project: Project, first: date, last: date, assumptions: Assumptions) -> Simulated:
    """Run the club's campaigns from the first to the last day on a copy of its store.

    Raises `UsageError` when an assumption names a step that is not there.
    """
    zone = project.zone
    clock = HandClock(instant(first, time.min, zone))
    until = instant(last + timedelta(days=1), time.min, zone) - timedelta(seconds=1)
    with engine_on_copy(project, clock) as engine:
        running, disabled = load_campaigns(
            engine.store, project.check(), engine.catalogue, clock.now
        )
        _refuse_unknown(assumptions.responses, running)
        if assumptions.visits == "as_past":
            with engine.store.write() as connection:
                come_as_before(connection, clock.now, until)
        play = Play(engine, clock, running, _stops(running))
        people = _People(play, assumptions, Simulated(first, last), engine)
        play.on_accepted = people.got
        asyncio.run(play.run(until))
        result = people.told()
    result.disabled = {one.slug: one.problem for one in disabled}
    return result


def _stops(running: Sequence[RunningCampaign]) -> list[time]:
    """When a day's messages leave together: at eleven, and each time before silence begins.

    What waited for the end of a silence leaves at the next of these.
    """
    begins = set(TOGETHER)
    for one in running:
        defaults = one.current.definition.defaults
        if (quiet := defaults.quiet_hours) is not None:
            begins.add(quiet.start)
        if defaults.send_window and (hours := defaults.send_window.hours):
            begins.add(hours.end)
    return sorted(begins)


def _refuse_unknown(responses: Sequence[Response], running: Sequence[RunningCampaign]) -> None:
    steps = {f"{one.slug}.{act.step}" for one in running for act in one.current.definition.acts()}
    for one in responses:
        name = ".".join(one.after)
        if name not in steps:
            raise UsageError(f"There is no step {name}.", choose_from(name, steps))


@dataclass
class _People:
    """Everyone who gets a message: counted, and answering as is assumed."""

    play: Play
    assumptions: Assumptions
    result: Simulated
    engine: Engine
    _of_member: Counter[int] = field(default_factory=Counter)
    _of_week: Counter[tuple[int, date]] = field(default_factory=Counter)
    _done: set[tuple[str, int, str]] = field(default_factory=set)
    _serial: int = 0

    def got(self, campaign: str, touchpoints: Sequence[Claimed]) -> None:
        """A batch counts as handed over now."""
        now = self.play.clock.now
        day = now.astimezone(self.engine.club_zone).date()
        monday = day - timedelta(days=day.weekday())
        messages = [one for one in touchpoints if one.channel != "webhook"]
        self.result.load[day][campaign] += len(messages)
        self.result.by_channel[day].update(one.channel for one in messages)
        self._of_member.update(one.customer_id for one in messages)
        self._of_week.update((one.customer_id, monday) for one in messages)
        for response in self.assumptions.responses:
            if response.after[0] == campaign:
                self._answer(response, touchpoints, now)

    def _answer(self, response: Response, touchpoints: Sequence[Claimed], now: datetime) -> None:
        moved = list(self._who(response, touchpoints))
        if moved:
            self._serial += 1
            at = now + response.delay
            answer = _Answer(response.event, tuple(moved), f"{self._serial}", at)
            self.play.will_happen(at, answer)

    def _who(self, response: Response, touchpoints: Sequence[Claimed]) -> Iterator[int]:
        """Those who answer: of each occasion once, whichever step moved them."""
        campaign, step = response.after
        for one in touchpoints:
            occasion = (response.event, one.customer_id, one.occurrence)
            drawn = chance(self.assumptions.seed, campaign, step, one.customer_id, one.occurrence)
            if one.step == step and occasion not in self._done and drawn < response.share:
                self._done.add(occasion)
                yield one.customer_id

    def told(self) -> Simulated:
        """The figures, once the play is over."""
        result, play = self.result, self.play
        result.per_member = Spread.of(self._of_member.values())
        result.per_member_week = Spread.of(self._of_week.values())
        result.admitted, result.outcomes = play.admitted, play.outcomes
        result.passes = len(play.passes)
        return result


@dataclass(frozen=True)
class _Answer:
    """What some people do, when its moment has come."""

    event: str
    customer_ids: Sequence[int]
    source_id: str
    at: datetime

    def __call__(self, connection: Connection) -> None:
        record_all(connection, self.customer_ids, self.event, self.source_id, self.at)
        if self.event == MEMBERSHIP_RENEWED:
            renew_terms(connection, self.customer_ids, self.at)

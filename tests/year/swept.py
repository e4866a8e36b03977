"""The year for real: sweep after sweep, over SMTP and HTTP into the catchers, by a set clock."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from year.compared import Facts, facts_of
from year.lived import Lives, live_until

from crm_console.demo.comparison import Comparison, compare
from flows.campaigns import RunningCampaign
from flows.engine import Engine
from flows.foresight.course import stops_of
from flows.foresight.play import MINUTE, HandClock, Outcomes
from flows.project import Project, open_engine
from flows.report import SweepReport
from flows.sweep import SweepPlan, handle_events, plan_sweep, sweep
from triggers.cron import moments
from triggers.kinds.schedule import Schedule
from triggers.timeline import instant

DAY = timedelta(days=1)


@dataclass
class Swept:
    """What came of it."""

    facts: Facts
    catchers: Comparison
    """The ledger's accepted messages and those that were caught, by id."""
    sweeps: int
    outcomes: dict[str, Outcomes]
    """By campaign, what the sweeps reported; what is postponed counts each time."""


async def sweep_through(
    project: Project, lives: Lives, first: date, last: date, every: timedelta | None = None
) -> Swept:
    """Sweep from the first to the last day, with people living as they did in the simulation.

    Each day at midnight, in the minute before each of the simulation's stops, before the day's
    end, and at the moments of schedules; with `every`, as often as that as well.
    """
    clock = HandClock(instant(first, time.min, project.zone))
    sweeps, outcomes = 0, defaultdict[str, Outcomes](Counter)
    async with open_engine(project, clock) as engine:
        files = project.check()
        plan = plan_sweep(engine, files)
        assert not plan.disabled
        for now in _moments(plan.running, first, last, project.zone, every):
            clock.now = now
            live_until(lives, now, engine, project.folder)
            await _sweep(engine, plan, outcomes)
            sweeps += 1
        with engine.store.read() as connection:
            catchers = compare(connection, engine.club_id, project.caught())
        return Swept(facts_of(engine.store, project.zone), catchers, sweeps, outcomes)


async def _sweep(engine: Engine, plan: SweepPlan, outcomes: dict[str, Outcomes]) -> None:
    """What `sampark sweep` does, and then what `sampark up` does about new events."""
    report: SweepReport | None = await sweep(engine, plan)
    while report is not None:
        for one in report.campaigns:
            if one.failed is not None:
                raise AssertionError(f"{one.campaign}: {one.failed}")
            outcomes[one.campaign].update(one.outcomes)
        report = await handle_events(engine, plan)


def _moments(
    campaigns: Sequence[RunningCampaign],
    first: date,
    last: date,
    zone: ZoneInfo,
    every: timedelta | None,
) -> Iterator[datetime]:
    stops = stops_of(campaigns)
    day = first
    while day <= last:
        begin, end = instant(day, time.min, zone), instant(day + DAY, time.min, zone)
        of_day = {begin, end - MINUTE, *(instant(day, stop, zone) - MINUTE for stop in stops)}
        for one in campaigns:
            trigger = one.current.definition.trigger
            if isinstance(trigger, Schedule):
                its_zone = ZoneInfo(trigger.zone) if trigger.zone else zone
                of_day.update(moments(trigger.cron, its_zone, begin, end - MINUTE))
        if every is not None:
            of_day.update(begin + every * number for number in range(-((begin - end) // every)))
        yield from sorted(of_day)
        day += DAY

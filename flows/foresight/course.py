"""The course of a simulation: the play of some customers, and what they do about messages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from crm_store.event_names import MEMBERSHIP_RENEWED
from crm_store.foresight import come_as_before, record_all, renew_terms
from crm_store.touchpoints import Claimed
from flows.campaigns import RunningCampaign
from flows.engine import Engine
from flows.event_loop import run
from flows.foresight.assumptions import Assumptions, Response
from flows.foresight.play import HandClock, Play
from flows.foresight.tally import Tally
from triggers.chance import chance
from triggers.timeline import instant

TOGETHER = (time(11),)
"""What is due since the stop before is done together: most campaigns write in the morning."""


@dataclass(frozen=True)
class Course:
    """What is simulated: from the first day to the last, with what is assumed of people."""

    first: date
    last: date
    assumptions: Assumptions

    def clock(self, zone: ZoneInfo) -> HandClock:
        """A clock that stands at the beginning."""
        return HandClock(instant(self.first, time.min, zone))

    def until(self, zone: ZoneInfo) -> datetime:
        """The last second."""
        return instant(self.last + timedelta(days=1), time.min, zone) - timedelta(seconds=1)


def run_course(
    course: Course, engine: Engine, clock: HandClock, running: Sequence[RunningCampaign]
) -> Tally:
    """Run the campaigns from the beginning to the end on the engine's scratch store."""
    until = course.until(engine.club_zone)
    if course.assumptions.visits == "as_past":
        with engine.store.write() as connection:
            come_as_before(connection, clock.now, until)
    play = Play(engine, clock, running, stops_of(running))
    people = _People(play, course.assumptions)
    play.on_accepted = people.got
    run(play.run(until))
    tally = people.tally
    tally.admitted, tally.outcomes, tally.passes = play.admitted, play.outcomes, set(play.passes)
    return tally


def stops_of(running: Sequence[RunningCampaign]) -> list[time]:
    """When a day's messages leave together: at eleven, and each time before silence begins.

    What waited for the end of a silence leaves at the next of these, or at the day's end.
    """
    begins = set(TOGETHER)
    for one in running:
        defaults = one.current.definition.defaults
        if (quiet := defaults.quiet_hours) is not None:
            begins.add(quiet.start)
        if defaults.send_window and (hours := defaults.send_window.hours):
            begins.add(hours.end)
    return sorted(begins)


@dataclass
class _People:
    """Everyone who gets a message: counted, and answering as is assumed."""

    play: Play
    assumptions: Assumptions
    tally: Tally = field(default_factory=Tally)
    _done: set[tuple[str, int, str]] = field(default_factory=set)
    _serial: int = 0

    def got(self, campaign: str, touchpoints: Sequence[Claimed]) -> None:
        """A batch counts as handed over now."""
        now = self.play.clock.now
        day = now.astimezone(self.play.engine.club_zone).date()
        self.tally.count(day, campaign, [one for one in touchpoints if one.channel != "webhook"])
        for response in self.assumptions.responses:
            if response.after[0] == campaign:
                self._answer(response, touchpoints, now)

    def _answer(self, response: Response, touchpoints: Sequence[Claimed], now: datetime) -> None:
        moved = list(self._who(response, touchpoints))
        if moved:
            self._serial += 1
            at = now + response.delay
            answer = _Answer(response.event, response.data, tuple(moved), f"{self._serial}", at)
            self.play.will_happen(at, answer)

    def _who(self, response: Response, touchpoints: Sequence[Claimed]) -> Iterator[int]:
        """Those who answer: of each occasion once, whichever step moved them."""
        campaign, step = response.after
        for one in touchpoints:
            occasion = (response.event, one.customer_id, one.occurrence)
            if one.step != step or occasion in self._done:
                continue
            # By its time, not by the occurrence: the number of a term or an event that comes about
            # here depends on whoever else is in the store.
            about = (campaign, step, one.customer_id, one.expires_at)
            if chance(self.assumptions.seed, *about) < response.share:
                self._done.add(occasion)
                yield one.customer_id


@dataclass(frozen=True)
class _Answer:
    """What some people do, when its moment has come."""

    event: str
    data: Mapping[str, Any]
    customer_ids: Sequence[int]
    source_id: str
    at: datetime

    def __call__(self, connection: Connection) -> None:
        record_all(
            connection, self.customer_ids, self.event, dict(self.data), self.source_id, self.at
        )
        if self.event == MEMBERSHIP_RENEWED:
            renew_terms(connection, self.customer_ids, self.at)

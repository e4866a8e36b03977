"""A play: the real engine on a scratch store, under a clock that jumps to what is due next."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from heapq import heappop, heappush
from itertools import count
from typing import TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from crm_store.errors import SamparkError
from crm_store.events import has_unhandled
from crm_store.foresight import campaigns_due, next_due, next_visit
from crm_store.models.touchpoint import State
from crm_store.reasons import Reason
from flows.campaigns import RunningCampaign
from flows.engine import Engine
from flows.foresight.long_pause import LongPause
from flows.foresight.meanwhile import Meanwhile
from flows.foresight.next_entry import NEVER, NextEntry
from flows.foresight.settling import OnAccepted, settling
from flows.report import CampaignReport, SweepReport
from flows.rules import everybody
from flows.sweep import DeliverCampaign, SweepPlan, handle_events, let_in, one_pass, work_off
from triggers.cron import moments
from triggers.kinds.schedule import Schedule
from triggers.timeline import instant

MINUTE = timedelta(minutes=1)
Outcomes: TypeAlias = Counter[tuple[State, Reason | None]]
Happening: TypeAlias = Callable[[Connection], None]
"""Something that comes about at its moment, such as an event that is recorded."""


class PlayFailed(SamparkError):
    """A campaign's work ended in an error: what would come after it cannot be foretold."""

    def __init__(self, campaign: str, error: str) -> None:
        super().__init__(
            f"The campaign {campaign} cannot be played: {error}.",
            "A real sweep would fail there too. Look with `sampark check` and `sampark doctor`.",
        )


@dataclass
class HandClock:
    """A clock that stands until it is moved by hand."""

    now: datetime

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Play:
    """What runs, on which store, and what has come of it so far.

    Once a day, at midnight of the club, a whole pass admits; in between, the clock jumps to the
    moments at which something is due. With stops, it also lets in whom something happened to.
    """

    engine: Engine
    clock: HandClock
    campaigns: Sequence[RunningCampaign]
    stops: Sequence[time] = ()
    """Times of the club's day. Where there are any, what is due in between is done together, in
    the last minute before the next; else each thing at its own moment."""
    on_accepted: OnAccepted = lambda _campaign, _touchpoints: None
    """Told of what counts as handed over: what people do about it comes in here."""
    next_entry: NextEntry | None = None
    """Knows of the only campaign which midnights can let nobody in: they are passed over."""
    long_pause: LongPause | None = None
    """Knows which hourly looks at its only customer change nothing: they are left out."""
    outcomes: dict[str, Outcomes] = field(default_factory=dict)
    admitted: Counter[str] = field(default_factory=Counter)
    passes: list[datetime] = field(default_factory=list)
    """When each pass was."""
    _happenings: list[tuple[datetime, int, Happening]] = field(default_factory=list)
    _serial: Iterator[int] = field(default_factory=count)
    _whole_at: datetime | None = None
    _happened_at: datetime | None = None
    """When something last happened, or was heard of."""
    _meanwhile: Meanwhile | None = None

    def __post_init__(self) -> None:
        if self.stops:
            self._meanwhile = Meanwhile(self.engine, self.campaigns)

    def will_happen(self, at: datetime, what: Happening) -> None:
        """Something to come: it happens when the clock gets there."""
        heappush(self._happenings, (at, next(self._serial), what))

    async def run(self, until: datetime) -> None:
        """Pass after pass, up to and including `until`. The first is at the clock's time."""
        moment = self.clock.now
        while moment <= until:
            self.clock.now = moment
            await self._pass()
            moment = self._next_moment()

    async def go_on(self, until: datetime) -> None:
        """Go on from where the last run ended, up to and including `until`."""
        self.clock.now = self._next_moment()
        await self.run(until)

    async def run_out(self, until: datetime) -> None:
        """Go on while anything is due up to `until`; nobody is admitted any more."""
        self._whole_at, self.next_entry = NEVER, None
        await self.run(until)

    async def _pass(self) -> None:
        now, settle = self.clock.now, settling(self.on_accepted)
        if self._whole_at is None:
            self._whole_at = (self.next_entry and self.next_entry.first(now)) or now
        happened = False
        while self._happenings and self._happenings[0][0] <= now:
            what = heappop(self._happenings)[2]
            with self.engine.store.write() as connection:
                what(connection)
            happened = True
        whole = now >= self._whole_at
        if whole:
            self._whole_at = self._next_admission(now)
            among_of = self._meanwhile.whole(now) if self._meanwhile else everybody
            reports = {one.slug: CampaignReport(one.slug) for one in self.campaigns}
            await one_pass(self.engine, self.campaigns, SweepReport(now), reports, settle, among_of)
        else:
            reports = {}
            for asked, among in self._meanwhile.asked(now) if self._meanwhile else ():
                reports |= {one.slug: CampaignReport(one.slug) for one in asked}
                let_in(self.engine, asked, reports, among)
            with self.engine.store.read() as connection:
                due = campaigns_due(connection, now)
            concerned = [one for one in self.campaigns if one.slug in due]
            for one in concerned:
                reports.setdefault(one.slug, CampaignReport(one.slug))
            if concerned:
                await work_off(self.engine, concerned, reports, settle)
        self._note(reports.values())
        happened |= await self._hear_events(settle)
        self.passes.append(now)
        if happened:
            self._happened_at = now
        if self.next_entry is not None and (whole or happened):
            told = self.next_entry.after(now, happened=happened)
            self._whole_at = told or self._next_admission(now)

    async def _hear_events(self, settle: DeliverCampaign) -> bool:
        """Handle what was recorded; whether there was anything."""
        heard = False
        while True:
            with self.engine.store.read() as connection:
                if not has_unhandled(connection, self.clock.now):
                    return heard
            heard = True
            report = await handle_events(
                self.engine, SweepPlan(self.campaigns, ()), deliver_campaign=settle
            )
            if report is not None:
                self._note(report.campaigns)

    def _note(self, reports: Iterable[CampaignReport]) -> None:
        for one in reports:
            self.outcomes.setdefault(one.campaign, Counter()).update(one.outcomes)
            self.admitted[one.campaign] += one.admitted
            if one.failed is not None:
                raise PlayFailed(one.campaign, one.failed)

    def _next_admission(self, now: datetime) -> datetime:
        """The next midnight, or before it the moment for which a schedule stands."""
        zone = self.engine.club_zone
        first = _next_midnight(now, zone)
        for campaign in self.campaigns:
            trigger = campaign.current.definition.trigger
            if isinstance(trigger, Schedule):
                its_zone = ZoneInfo(trigger.zone) if trigger.zone else zone
                first = min(moments(trigger.cron, its_zone, now, first), default=first)
        return first

    def _next_moment(self) -> datetime:
        now = self.clock.now
        with self.engine.store.read() as connection:
            due = next_due(connection)
            hears = self._meanwhile is not None and self._meanwhile.hears_of_visits
            comes = next_visit(connection, now) if hears else None
        if self.long_pause is not None and due is not None and due > now:
            happens_at = self._happenings[0][0] if self._happenings else NEVER
            due = self.long_pause.last_look(due, self._happened_at, happens_at)
        waiting = [at for at in (due, comes) if at is not None]
        waiting += [at for at, _, _ in self._happenings[:1]]
        if self._meanwhile is not None and self._meanwhile.asks_always:
            waiting.append(now)
        # What could not be done now is not tried again at once.
        zone = self.engine.club_zone
        coming = [_stop_after(max(at, now + MINUTE), self.stops, zone) for at in waiting]
        if self._whole_at is not None:
            coming.append(self._whole_at)
        return min(coming)


def _next_midnight(now: datetime, zone: ZoneInfo) -> datetime:
    tomorrow = now.astimezone(zone).date() + timedelta(days=1)
    return instant(tomorrow, time.min, zone)


def _stop_after(moment: datetime, stops: Sequence[time], zone: ZoneInfo) -> datetime:
    """The last minute before the first stop after a moment; without stops, the moment itself.

    The day's end is always one: what is due in its evening still belongs to it.
    """
    if not stops:
        return moment
    today = moment.astimezone(zone).date()
    coming = [instant(today, stop, zone) - MINUTE for stop in stops]
    coming.append(_next_midnight(moment, zone) - MINUTE)
    return min((one for one in coming if one >= moment), default=moment)

"""The plan of a day: who would get what, who would not and why, and what changed files do."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

from sqlalchemy import Connection

from crm_store import enrollments
from crm_store.foresight import (
    Decision,
    decisions_between,
    in_flight,
    newest_versions,
    not_admitted,
)
from crm_store.pauses import pauses
from flows.admit import look_of
from flows.campaigns import RunningCampaign, disabled_without_file, load_campaigns
from flows.engine import Engine
from flows.foresight.play import HandClock, Play
from flows.foresight.scratch_engine import engine_on_copy
from flows.project import Project
from triggers.timeline import instant

_AT_ONCE = 10_000


@dataclass(frozen=True)
class Change:
    """A campaign file that is not as it was when customers last entered under it."""

    campaign: str
    from_version: int | None
    """The newest version in the store; none for a new campaign."""
    to_version: int
    in_flight: Literal["finish", "move"]
    staying: dict[int, int]
    """How many are in flight, by the version that they are under."""
    leaving: int
    """Of those, how many leave at once: with `move`, by the new file's exits."""
    not_let_in: int
    """Of those, how many the new file's `where` would not let in today."""

    def sentence(self) -> str:
        """For people, without its full stop."""
        if self.from_version is None:
            return f"{self.campaign} is new: nobody is in it yet"
        told = []
        for version, number in sorted(self.staying.items()):
            what = "stay on" if self.in_flight == "finish" else "move from"
            to = "" if self.in_flight == "finish" else f" to version {self.to_version}"
            told.append(f"{number:,} in flight {what} version {version}{to}")
        if self.leaving:
            told.append(f"{self.leaving:,} would now leave")
        if self.not_let_in:
            told.append(f"{self.not_let_in:,} of them would not be let in any more")
        effect = "; ".join(told) or "nobody is in flight under another version"
        return f"{self.campaign} has changed: {effect}"


@dataclass
class DayPlan:
    """What a day would bring."""

    day: date
    since: datetime
    decisions: Sequence[Decision] = ()
    entering: Counter[str] = field(default_factory=Counter)
    """By campaign, on the way to the end of that day."""
    left_out: dict[str, int] = field(default_factory=dict)
    """By campaign: whose occasion has come and whom its condition or re-entry rule keeps out."""
    changes: Sequence[Change] = ()
    disabled: dict[str, str] = field(default_factory=dict)
    paused: dict[str, str] = field(default_factory=dict)
    """Why a campaign sends nothing at present; under ``*``, why nothing at all leaves."""
    is_past: bool = False
    """What was done that day, and what would have been, is told together."""

    def counts(self) -> Counter[tuple[str, str, str, str | None]]:
        """Decisions by campaign, step, state and reason."""
        return Counter((one.campaign, one.step, one.state, one.reason) for one in self.decisions)

    def to_json(self) -> dict[str, Any]:
        """The stable form of `plan --json`, without the ids."""
        return {
            "day": str(self.day),
            "since": self.since.isoformat(),
            "touchpoints": [
                {"campaign": campaign, "step": step, "state": state, "reason": why, "count": number}
                for (campaign, step, state, why), number in sorted(
                    self.counts().items(), key=lambda item: str(item[0])
                )
            ],
            "entering": dict(sorted(self.entering.items())),
            "left_out": self.left_out,
            "changes": [vars(one) for one in self.changes],
            "disabled": self.disabled,
            "paused": self.paused,
            "is_past": self.is_past,
        }


def plan_day(project: Project, day: date, now: datetime) -> DayPlan:
    """Play up to the end of a day on a copy of the store, from now or from that day if it is past.

    Of today, only what is still to come is told.
    """
    zone = project.zone
    begin, end = (instant(one, time.min, zone) for one in (day, day + timedelta(days=1)))
    # What was sent before now has been sent: it is in the copy, and no part of the plan.
    start = begin if end <= now else now
    clock = HandClock(start)
    with engine_on_copy(project, clock) as engine:
        with engine.store.read() as connection:
            known = newest_versions(connection)
        files = project.check()
        running, disabled = load_campaigns(engine.store, files, engine.catalogue, now)
        disabled += disabled_without_file(engine.store, engine.club_id, files)
        with engine.store.read() as connection:
            before = {one.slug: in_flight(connection, engine.club_id, one.slug) for one in running}
        play = Play(engine, clock, running)
        asyncio.run(play.run(start))
        with engine.store.read() as connection:
            changes = [
                _change(connection, engine, one, known.get(one.slug), before[one.slug])
                for one in running
                if known.get(one.slug, (0, ""))[1] != one.current.definition.digest
            ]
        if start + timedelta(minutes=1) < end:
            asyncio.run(play.go_on(end - timedelta(seconds=1)))
        with engine.store.read() as connection:
            since = max(begin, start)
            return DayPlan(
                day,
                since,
                decisions_between(connection, engine.club_id, since, end),
                play.admitted,
                _left_out(connection, engine, running, clock.now),
                changes,
                {one.slug: one.problem for one in disabled},
                {one.campaign: one.reason for one in pauses(connection)},
                is_past=end <= now,
            )


def _change(
    connection: Connection,
    engine: Engine,
    campaign: RunningCampaign,
    known: tuple[int, str] | None,
    before: Sequence[tuple[int, int]],
) -> Change:
    definition = campaign.current.definition
    # A file that was put back is an older version again: for those under it nothing changes.
    before = [one for one in before if one[1] != campaign.current.number]
    staying = Counter(version for _, version in before)
    ids = [enrollment for enrollment, _ in before]
    moves = definition.in_flight == "move"
    still = {one for one, _ in in_flight(connection, engine.club_id, campaign.slug)}
    return Change(
        definition.campaign,
        known[0] if known else None,
        campaign.current.number,
        definition.in_flight,
        dict(staying),
        len(set(ids) - still) if moves else 0,
        len(ids) - _let_in(connection, engine, campaign, ids),
    )


def _let_in(
    connection: Connection, engine: Engine, campaign: RunningCampaign, ids: Sequence[int]
) -> int:
    """How many of these enrollments the condition of the newest file lets in now."""
    where = campaign.current.where
    if where is None:
        return len(ids)
    asked = where.asked(engine.scope(campaign.current.definition, engine.clock()))
    parts = (ids[begin : begin + _AT_ONCE] for begin in range(0, len(ids), _AT_ONCE))
    return sum(len(enrollments.matching(connection, part, asked)) for part in parts)


def _left_out(
    connection: Connection, engine: Engine, running: Sequence[RunningCampaign], now: datetime
) -> dict[str, int]:
    found = {}
    for one in running:
        definition = one.current.definition
        look = look_of(engine, definition, now)
        occasions = definition.trigger.occasions(look)
        number = sum(not_admitted(connection, one.slug, each) for each in occasions)
        if number:
            found[one.slug] = number
    return found

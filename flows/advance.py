"""Advance: look at every enrollment whose time has come; what is due becomes a touchpoint."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from crm_store import enrollments, events, touchpoints
from crm_store.enrollments import DueEnrollment, Progress
from crm_store.models.campaign import EnrollmentStatus
from crm_store.models.touchpoint import State
from crm_store.reasons import Reason
from crm_store.touchpoints import NewTime
from flows.campaigns import RunningCampaign, Version, version_of
from flows.engine import Engine
from triggers.definition import CampaignDefinition
from triggers.steps import Step
from triggers.timeline import birthday_in, instant, step_due

BATCH = 1_000


def advance(engine: Engine, campaign: RunningCampaign) -> int:
    """Look at all due enrollments of a campaign, a batch a transaction; return how many."""
    now = engine.clock()
    looked_at = 0
    while True:
        with engine.store.write() as connection:
            batch = enrollments.due(connection, engine.club_id, campaign.slug, now, BATCH)
            for version_id in {one.version_id for one in batch}:
                version = version_of(campaign, version_id, engine.store, engine.catalogue)
                mine = [one for one in batch if one.version_id == version_id]
                _look(engine, connection, version, mine, now)
        looked_at += len(batch)
        if len(batch) < BATCH:
            return looked_at


@dataclass
class _Findings:
    """What a look at a batch wants written."""

    progress: list[Progress] = field(default_factory=list)
    new: list[dict[str, Any]] = field(default_factory=list)
    moved: list[NewTime] = field(default_factory=list)
    exited: list[int] = field(default_factory=list)

    def exit(self, one: DueEnrollment, schedule: "_Schedule") -> None:
        """She met an exit event."""
        self.exited.append(one.id)
        self.progress.append(
            Progress(
                one.id,
                EnrollmentStatus.EXITED,
                None,
                schedule.exits_from,
                schedule.anchor_on,
                "exit_on",
            )
        )

    def keep(self, one: DueEnrollment, schedule: "_Schedule", coming: list[datetime]) -> None:
        """She stays until her last step is due."""
        self.progress.append(
            Progress(
                one.id,
                EnrollmentStatus.ACTIVE if coming else EnrollmentStatus.COMPLETED,
                min(coming, default=None),
                schedule.exits_from,
                schedule.anchor_on,
            )
        )


def _look(
    engine: Engine,
    connection: Connection,
    version: Version,
    batch: Sequence[DueEnrollment],
    now: datetime,
) -> None:
    ids = [one.id for one in batch]
    definition = version.definition
    made = touchpoints.steps_made(connection, ids)
    exits = events.latest_by_customer(
        connection, [one.customer_id for one in batch], definition.exit_on
    )
    scope = engine.scope(definition, now)
    holds = {
        step: enrollments.matching(connection, ids, condition.sql(scope))
        for (step, way), condition in version.conditions.items()
        if not way
    }
    findings = _Findings()
    for one in batch:
        schedule = _Schedule.of(one, definition)
        last_exit = exits.get(one.customer_id)
        if last_exit is not None and last_exit >= schedule.exits_from:
            findings.exit(one, schedule)
            continue
        unmet = {step for step, who in holds.items() if one.id not in who}
        _look_at_one(version, one, schedule, made.get(one.id, {}), unmet, now, findings)
    touchpoints.add(connection, findings.new)
    touchpoints.move_in_time(connection, findings.moved)
    touchpoints.cancel_unsent(connection, findings.exited, Reason.EXITED, now)
    enrollments.keep_progress(connection, findings.progress, now)


@dataclass(frozen=True)
class _Schedule:
    """When each step of an enrollment is due, by its anchor as it stands now."""

    anchor_on: date | None
    steps: list[tuple[Step, datetime]]
    exits_from: datetime
    anchor_moved: bool

    @classmethod
    def of(cls, one: DueEnrollment, definition: CampaignDefinition) -> "_Schedule":
        zone = ZoneInfo(one.timezone)
        anchor_on = one.anchor_on
        if definition.trigger.type == "birthday" and one.birth_date and anchor_on:
            # A birth date that was put right moves this year's birthday with it.
            anchor_on = birthday_in(one.birth_date, anchor_on.year)
        steps = [
            (
                step,
                step_due(step, definition, anchor_on=anchor_on, anchor_at=one.anchor_at, zone=zone),
            )
            for step in definition.steps
        ]
        return cls(
            anchor_on,
            steps,
            _exits_from(one, anchor_on, min(due for _, due in steps), zone),
            # `follow_moved_terms` forgets exits_from; a new enrollment has none yet.
            anchor_moved=one.exits_from is None or anchor_on != one.anchor_on,
        )


def _exits_from(
    one: DueEnrollment, anchor_on: date | None, first_step: datetime, zone: ZoneInfo
) -> datetime:
    """From when an exit event counts.

    For an event, from its moment. For a day, from the first step's time; for the end of a term
    already from the middle of the term: who renews two months early has renewed this term, who
    renewed last year has not.
    """
    if one.anchor_at is not None:
        return one.anchor_at
    if one.term_starts_on is None or anchor_on is None:
        return first_step
    middle = one.term_starts_on + (anchor_on - one.term_starts_on) / 2
    return min(first_step, instant(middle, time.min, zone))


def _look_at_one(
    version: Version,
    one: DueEnrollment,
    schedule: _Schedule,
    made: dict[str, tuple[int, State]],
    unmet: set[str],
    now: datetime,
    findings: _Findings,
) -> None:
    coming = []
    for step, due in schedule.steps:
        if step.id not in made:
            if due > now:
                coming.append(due)
            else:
                findings.new.append(_touchpoint(version, one, step, due, step.id in unmet, now))
        elif schedule.anchor_moved and due > now and made[step.id][1] in _MAY_MOVE:
            coming.append(due)
            expires = due + version.definition.late_of(step).grace
            findings.moved.append(NewTime(made[step.id][0], due, expires))
    findings.keep(one, schedule, coming)


_MAY_MOVE = (State.PLANNED, State.QUEUED, State.EXPIRED)


def _touchpoint(
    version: Version, one: DueEnrollment, step: Step, due: datetime, unmet: bool, now: datetime
) -> dict[str, Any]:
    """The row of a step whose time has come: queued, or why it will not be sent."""
    definition = version.definition
    expires = due + definition.late_of(step).grace
    state, reason = State.QUEUED, None
    if expires < now:
        late_when_she_came = expires < one.entered_at
        state = State.EXPIRED
        reason = Reason.JOINED_LATE if late_when_she_came else Reason.TOO_LATE
    elif unmet:
        state, reason = State.SUPPRESSED, Reason.CONDITION
    return {
        "enrollment_id": one.id,
        "version_id": version.id,
        "campaign": definition.campaign,
        "customer_id": one.customer_id,
        "occurrence": one.occurrence,
        "step": step.id,
        "variant": "",
        "channel": step.channel,
        "is_marketing": True,
        "state": str(state),
        "reason": None if reason is None else str(reason),
        "detail": "",
        "due_at": due,
        "expires_at": expires,
        "not_before": due,
        "queued_at": now if state == State.QUEUED else None,
        "settled_at": None if state == State.QUEUED else now,
        "attempts": 0,
        "resends": 0,
        "created_at": now,
    }

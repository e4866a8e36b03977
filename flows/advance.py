"""Advance: look at every enrollment whose time has come; what is due becomes a touchpoint."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from crm_messaging.compose import message_id_of
from crm_store import enrollments, events, planned
from crm_store.enrollments import LOOK_AGAIN, DueEnrollment, Progress
from crm_store.models.campaign import EnrollmentStatus
from crm_store.models.touchpoint import OPEN, SENT, State
from crm_store.planned import Made, NewTime
from crm_store.reasons import UNREACHED, Reason
from flows.campaigns import RunningCampaign, Version, version_of
from flows.carry_out import Deed, carry_out
from flows.coupons import new_code
from flows.engine import Engine
from flows.moved_dates import moved_in
from flows.schedule import Schedule, Schedules
from triggers.chance import is_held_out, side_of
from triggers.steps import TIMEOUT, Act, Step

BATCH = 1_000


def advance(engine: Engine, campaign: RunningCampaign) -> int:
    """Look at all due enrollments of a campaign, a batch a transaction; return how many."""
    now = engine.clock()

    def look(connection: Connection) -> tuple[int, bool]:
        batch, is_more = enrollments.due(connection, engine.club_id, campaign.slug, now, BATCH)
        if batch:
            version = version_of(campaign, batch[0].version_id, engine.store, engine.catalogue)
            _Look(engine, connection, version, batch, now).take()
        return len(batch), is_more

    looked_at, is_more = 0, True
    while is_more:
        number, is_more = engine.store.transact(look)
        looked_at += number
    return looked_at


@dataclass
class _Findings:
    """What a look at a batch wants written."""

    progress: list[Progress] = field(default_factory=list)
    new: list[dict[str, Any]] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)
    moved: list[NewTime] = field(default_factory=list)
    exited: list[int] = field(default_factory=list)


class _Look:
    """One look at a batch of enrollments of one version."""

    def __init__(
        self,
        engine: Engine,
        connection: Connection,
        version: Version,
        batch: Sequence[DueEnrollment],
        now: datetime,
    ) -> None:
        self.engine, self.connection, self.version = engine, connection, version
        self.definition, self.now, self.batch = version.definition, now, batch
        self.is_marketing = self.definition.topic not in engine.transactional
        self.findings = _Findings()

    def take(self) -> None:
        """Look, and write down what came of it."""
        connection = self.connection
        moved = moved_in(connection, self.definition, self.batch)
        self.overtaken = {one.id for one in moved.values() if one.overtaken}
        schedules = Schedules(self.definition, {one.id: one.to for one in moved.values()})
        batch = [
            one._replace(occurrence=moved[one.id].occurrence) if one.id in moved else one
            for one in self.batch
        ]
        looked_at = [(one, schedules.of(one)) for one in batch]
        self.made = planned.steps_made(connection, [one.id for one in self.batch])
        self._ask(looked_at)
        self.came = self._what_was_waited_for()
        exits = events.latest_by_customer(
            connection, [one.customer_id for one in self.batch], self.definition.exit_on
        )
        for one, schedule in looked_at:
            self._look_at(one, schedule, exits.get(one.customer_id))
        self._write()

    def _ask(self, looked_at: Sequence[tuple[DueEnrollment, Schedule]]) -> None:
        """Ask the conditions of the steps that are due, of those for whom they are due."""
        due: set[int] = set()
        useful: dict[str, list[int]] = defaultdict(list)
        for one, schedule in looked_at:
            made = self.made.get(one.id, {})
            for step, at in schedule.steps:
                if at <= self.now and step.id not in made:
                    due.add(one.id)
                    if at + self.definition.late_of(step).grace >= self.now:
                        useful[step.id].append(one.id)
        scope = self.engine.scope(self.definition, self.now)
        self.holds = {
            (step, way): enrollments.matching(self.connection, useful[step], condition.asked(scope))
            for (step, way), condition in self.version.conditions.items()
            if step in useful
        }
        self.paused: set[int] = set()
        if due and (pause := self.version.pause_while) is not None:
            paused = pause.asked(scope)
            self.paused = enrollments.matching(self.connection, sorted(due), paused)

    def _what_was_waited_for(self) -> set[int]:
        """The touchpoints after which the event came that their step waits for."""
        came: set[int] = set()
        for step in self.definition.steps:
            if step.wait_for is not None:
                sent = [
                    made.id
                    for steps in self.made.values()
                    for made in steps.get(step.id, ())
                    if made.sent_at is not None
                ]
                came |= events.answered(
                    self.connection, sent, step.wait_for.event, step.wait_for.timeout
                )
        return came

    def _write(self) -> None:
        connection, found = self.connection, self.findings
        planned.add(connection, found.new)
        planned.hold_unsent(connection, [one.id for one in found.moved], found.exited)
        planned.move_in_time(connection, found.moved)
        planned.cancel_unsent(connection, found.exited, Reason.EXITED, self.now)
        carry_out(self.engine, connection, self.definition, found.deeds, self.now)
        enrollments.keep_progress(connection, found.progress, self.now)

    def _look_at(self, one: DueEnrollment, schedule: Schedule, last_exit: datetime | None) -> None:
        moved = schedule.anchor_on != one.anchor_on
        if is_held_out(self.definition, one.customer_id):
            self._keep(one, schedule, EnrollmentStatus.HELD_OUT, "holdout")
        elif last_exit is not None and last_exit >= schedule.exits_from:
            self._exit(one, schedule, "exit_on")
        elif moved and (self.definition.if_anchor_moves == "exit" or one.id in self.overtaken):
            self._exit(one, schedule, Reason.ANCHOR_MOVED)
        else:
            self._go_on(one, schedule, moved)

    def _exit(self, one: DueEnrollment, schedule: Schedule, why: str) -> None:
        self.findings.exited.append(one.id)
        self._keep(one, schedule, EnrollmentStatus.EXITED, why)

    def _keep(
        self,
        one: DueEnrollment,
        schedule: Schedule,
        status: EnrollmentStatus,
        why: str | None = None,
        next_at: datetime | None = None,
    ) -> None:
        self.findings.progress.append(
            Progress(
                one.id,
                status,
                next_at,
                schedule.exits_from,
                schedule.goal_until,
                schedule.anchor_on,
                why,
            )
        )

    def _go_on(self, one: DueEnrollment, schedule: Schedule, moved: bool) -> None:
        """Do what is due; she stays until nothing is left to come."""
        made = self.made.get(one.id, {})
        coming: list[datetime] = []
        for step, due in schedule.steps:
            mine = made.get(step.id)
            if mine is None:
                coming += self._due_or_coming(one, step, due)
                continue
            if moved:
                coming += self._move(step, mine, due)
            if step.wait_for is not None:
                coming += self._timeout(one, step, mine, made)
            coming += self._stand_in(one, step, mine)
        status = EnrollmentStatus.ACTIVE if coming else EnrollmentStatus.COMPLETED
        self._keep(one, schedule, status, next_at=min(coming, default=None))

    def _due_or_coming(self, one: DueEnrollment, step: Step, due: datetime) -> Sequence[datetime]:
        if due > self.now:
            return [due]
        expires = due + self.definition.late_of(step).grace
        paused = one.id in self.paused
        if paused and expires >= self.now:
            return [min(self.now + LOOK_AGAIN, expires + timedelta(seconds=1))]
        act = self._way(one, step) if expires >= self.now else None
        if act is None:
            joined_late = expires < one.entered_at
            late = (
                Reason.PAUSED if paused else Reason.JOINED_LATE if joined_late else Reason.TOO_LATE
            )
            reason = Reason.CONDITION if expires >= self.now else late
            self._add(one, next(step.ways()), due, reason)
            return []
        self._add(one, act, due, None)
        # What may need a stand-in is looked at when a channel can have refused it.
        if act.action.fallback:
            return [self.now + LOOK_AGAIN]
        # Nothing that is waited for can be overdue before the message has left.
        return [self.now + step.wait_for.timeout] if step.wait_for is not None else []

    def _way(self, one: DueEnrollment, step: Step) -> Act | None:
        """Which of the step's ways is hers; nothing when no condition holds for her."""
        if (step.id, "") in self.holds and one.id not in self.holds[step.id, ""]:
            return None
        if step.split is not None:
            side = side_of(self.definition, step, one.customer_id)
            return self.definition.act(step.id, side)
        for act in step.ways():
            if not act.variant or (one.id in self.holds.get((step.id, act.variant), (one.id,))):
                return act
        return None

    def _move(self, step: Step, made: Sequence[Made], due: datetime) -> Sequence[datetime]:
        """The day moved: what has not been sent moves with it."""
        movable = [touch for touch in made if touch.state in _MAY_MOVE] if due > self.now else []
        expires = due + self.definition.late_of(step).grace
        self.findings.moved += [NewTime(touch.id, due, expires) for touch in movable]
        return [due] if movable else []

    def _timeout(
        self,
        one: DueEnrollment,
        step: Step,
        sent: Sequence[Made],
        made: Mapping[str, Sequence[Made]],
    ) -> Sequence[datetime]:
        """What is done when nothing came after the step's message."""
        name = f"{step.id}.{TIMEOUT}"
        if step.wait_for is None or name in made:
            return []
        left = [touch.sent_at for touch in sent if touch.state in SENT and touch.sent_at]
        if not left:
            is_open = any(touch.state in OPEN for touch in sent)
            return [self.now + LOOK_AGAIN] if is_open else []
        due = max(left) + step.wait_for.timeout
        if due > self.now:
            return [due]
        came = any(touch.id in self.came for touch in sent)
        late = due + self.definition.late_of(step).grace < self.now
        reason = Reason.CAME if came else Reason.TOO_LATE if late else None
        self._add(one, self.definition.act(name), due, reason)
        return []

    def _stand_in(self, one: DueEnrollment, step: Step, made: Sequence[Made]) -> Sequence[datetime]:
        """The next channel, where the ones before were of no use."""
        last = made[-1]
        act = self.definition.act(step.id, last.variant)
        rest = [name for name in act.action.fallback if name not in {one.channel for one in made}]
        if not rest:
            return []
        if last.state in OPEN:
            return [self.now + LOOK_AGAIN]
        if last.reason in UNREACHED:
            self._add(one, act, last.due_at, None, channel=rest[0])
            return [self.now + LOOK_AGAIN] if rest[1:] else []
        return []

    def _add(
        self,
        one: DueEnrollment,
        act: Act,
        due: datetime,
        reason: Reason | None,
        channel: str | None = None,
    ) -> None:
        """The row of a step whose time has come: what is done, or why it is not."""
        action = act.action
        state = _ENDS[reason] if reason else State.QUEUED
        if state is State.QUEUED and action.is_ours:
            self.findings.deeds.append(Deed(one, act))
            state = State.DONE
        queued = state is State.QUEUED
        self.findings.new.append(
            {
                "enrollment_id": one.id,
                "version_id": self.version.id,
                "campaign": self.definition.campaign,
                "customer_id": one.customer_id,
                "occurrence": one.occurrence,
                "step": act.step,
                "variant": act.variant,
                "channel": channel or action.channel,
                "is_marketing": self.is_marketing and action.writes,
                "coupon": new_code(action.coupon) if action.coupon and queued else None,
                "state": str(state),
                "reason": None if reason is None else str(reason),
                "detail": "",
                "due_at": due,
                "expires_at": due + self.definition.late_of(act.of).grace,
                "not_before": due,
                "queued_at": self.now if queued else None,
                "settled_at": None if queued else self.now,
                "message_id": None
                if action.is_ours
                else self._message_id(one, act.step, channel or action.channel),
                "attempts": 0,
                "resends": 0,
                "created_at": self.now,
            }
        )

    def _message_id(self, one: DueEnrollment, step: str, channel: str) -> str:
        campaign, sender = self.definition.campaign, self.engine.sender
        return message_id_of(sender, campaign, one.customer_id, one.occurrence, step, channel)


_MAY_MOVE = (State.PLANNED, State.QUEUED, State.EXPIRED)
_ENDS = {
    Reason.CONDITION: State.SUPPRESSED,
    Reason.CAME: State.CANCELLED,
    Reason.PAUSED: State.EXPIRED,
    Reason.JOINED_LATE: State.EXPIRED,
    Reason.TOO_LATE: State.EXPIRED,
}

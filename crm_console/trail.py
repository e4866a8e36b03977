"""Why a customer got a message, or did not: the store's rows as a trail a person can follow."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from crm_console.rule_places import RulePlaces
from crm_store import history
from crm_store.history import CustomerCard, EnrollmentRecord, Refusal, TouchpointRecord
from crm_store.models.campaign import EnrollmentStatus
from crm_store.models.operation import EVERYTHING
from crm_store.pauses import Paused, pauses
from flows.engine import Engine
from flows.foresight.asking import Answer, ask
from triggers.check import CheckedFile
from triggers.definition import CampaignDefinition
from triggers.steps import TIMEOUT, Step
from triggers.timeline import step_due

_TO_COME = ("planned", "queued")


@dataclass(frozen=True)
class StepTrail:
    """One step of an enrollment: its touchpoint, or when it will be due."""

    step: str
    variant: str
    channel: str
    due_at: datetime
    condition: str | None
    touchpoint: TouchpointRecord | None
    rule: str | None
    """Where the rule stands that decided: `campaigns/renewal.yaml:31`."""
    held: bool = False
    """Its time has come, and `pause_while` holds it."""


@dataclass(frozen=True)
class EnrollmentTrail:
    """One time in a campaign."""

    record: EnrollmentRecord
    name: str
    steps: Sequence[StepTrail]
    rule: str | None
    """Where the rule stands that ended it, if one did."""
    paused: str | None
    """Why the campaign sends nothing at present, when somebody has paused it."""
    file_gone: bool
    """There is no file of the campaign any more: what is still to come does not leave."""


@dataclass(frozen=True)
class Outside:
    """A campaign that the customer is not in."""

    answer: Answer
    rule: str | None
    """Where its condition stands."""


@dataclass(frozen=True)
class Trail:
    """All that is known about a customer and the club's campaigns."""

    card: CustomerCard
    refusals: Sequence[Refusal]
    enrollments: Sequence[EnrollmentTrail]
    outside: Sequence[Outside]
    disabled: Sequence[str]
    """Campaigns whose file is broken."""
    paused: str | None
    """Why nothing at all is sent at present, when somebody has paused everything."""

    def to_json(self) -> dict[str, Any]:
        """The stable form of `why --json`; it names the customer by reference only."""
        return {
            "customer": self.card.ref,
            "paused": self.paused,
            "refusals": [asdict(one) | {"since": one.since.isoformat()} for one in self.refusals],
            "enrollments": [_enrollment_json(one) for one in self.enrollments],
            "not_in": [asdict(one.answer) | {"rule": one.rule} for one in self.outside],
            "disabled": list(self.disabled),
        }


def trail_of(
    connection: Connection,
    engine: Engine,
    customer_id: int,
    *,
    files: Sequence[CheckedFile],
    places: RulePlaces,
    now: datetime,
    only: str | None = None,
) -> Trail:
    """The trail of a customer; with `only`, of that campaign alone."""
    card = history.customer_card(connection, customer_id)
    stopped = {one.campaign: one for one in pauses(connection)}
    with_file = {one.name for one in files}
    enrollments = [
        _enrollment_trail(
            connection,
            card,
            record,
            places,
            stopped.get(record.campaign),
            now,
            has_file=record.campaign in with_file,
        )
        for record in history.enrollments_of(connection, customer_id)
        if only in (None, record.campaign)
    ]
    entered = {one.record.campaign for one in enrollments}
    everything = stopped.get(EVERYTHING)
    return Trail(
        card,
        history.refusals_of(connection, card),
        enrollments,
        [
            Outside(
                ask(connection, engine, one.definition, customer_id, now),
                places.of(one.definition, "where") if one.definition.where else None,
            )
            for one in files
            if one.definition is not None
            and one.definition.campaign not in entered
            and only in (None, one.definition.campaign)
        ],
        [one.name for one in files if one.definition is None and only in (None, one.name)],
        everything.reason if everything else None,
    )


def _enrollment_trail(
    connection: Connection,
    card: CustomerCard,
    record: EnrollmentRecord,
    places: RulePlaces,
    paused: Paused | None,
    now: datetime,
    *,
    has_file: bool,
) -> EnrollmentTrail:
    definition = CampaignDefinition.model_validate(record.definition)
    touchpoints = history.touchpoints_of(connection, record.id)
    steps = [_made(one, definition, places) for one in touchpoints]
    if record.status == EnrollmentStatus.ACTIVE:
        # Who has left gets no more: what was not made will not be.
        made = {one.step for one in touchpoints}
        steps += [
            _coming(step, definition, _due(step, definition, record, card), places, now)
            for step in definition.steps
            if step.id not in made
        ]
    return EnrollmentTrail(
        record,
        definition.name,
        sorted(steps, key=lambda one: (one.due_at, one.touchpoint is None)),
        _end_rule(record, definition, places),
        paused.reason if paused else None,
        not has_file
        and any(one.touchpoint is None or one.touchpoint.state in _TO_COME for one in steps),
    )


def _made(one: TouchpointRecord, definition: CampaignDefinition, places: RulePlaces) -> StepTrail:
    step = next((each for each in definition.steps if each.id == _step_id(one)), None)
    return StepTrail(
        one.step,
        one.variant,
        one.channel,
        one.due_at,
        step.condition if step else None,
        one,
        places.of_reason(definition, _step_id(one), one.reason) if one.reason else None,
    )


def _coming(
    step: Step, definition: CampaignDefinition, due: datetime, places: RulePlaces, now: datetime
) -> StepTrail:
    held = due <= now and definition.pause_while is not None
    if held:
        rule = places.of(definition, "pause_while")
    else:
        rule = places.of_step(definition, step.id, "if") if step.condition else None
    channels = dict.fromkeys(act.action.channel for act in step.ways())
    return StepTrail(step.id, "", " or ".join(channels), due, step.condition, None, rule, held)


def _step_id(one: TouchpointRecord) -> str:
    return one.step.removesuffix(f".{TIMEOUT}")


def _end_rule(
    record: EnrollmentRecord, definition: CampaignDefinition, places: RulePlaces
) -> str | None:
    match record.status:
        case EnrollmentStatus.EXITED:
            key = "if_anchor_moves" if record.end_reason == "anchor_moved" else "exit_on"
            return places.of(definition, key)
        case EnrollmentStatus.HELD_OUT:
            return places.of(definition, "holdout")
    return None


def _due(
    step: Step, definition: CampaignDefinition, record: EnrollmentRecord, card: CustomerCard
) -> datetime:
    return step_due(
        step,
        definition,
        anchor_on=record.anchor_on if record.anchor_at is None else None,
        anchor_at=record.anchor_at,
        zone=ZoneInfo(card.timezone),
    )


def waiting(trail: Trail) -> Iterator[tuple[datetime, EnrollmentTrail, StepTrail]]:
    """What is still to come for the customer, and when; not in order.

    Nothing of a campaign whose file is broken or gone: that waits for its file.
    """
    for enrollment in trail.enrollments:
        if enrollment.file_gone or enrollment.record.campaign in trail.disabled:
            continue
        for step in enrollment.steps:
            if step.touchpoint is None:
                yield step.due_at, enrollment, step
            elif step.touchpoint.state in _TO_COME:
                yield step.touchpoint.not_before, enrollment, step


def _enrollment_json(one: EnrollmentTrail) -> dict[str, Any]:
    record = one.record
    return {
        "campaign": record.campaign,
        "version": record.version,
        "occurrence": record.occurrence,
        "entered_at": record.entered_at.isoformat(),
        "status": record.status,
        "ended_at": record.ended_at.isoformat() if record.ended_at else None,
        "end_reason": record.end_reason,
        "rule": one.rule,
        "paused": one.paused,
        "file_gone": one.file_gone,
        "steps": [_step_json(step) for step in one.steps],
    }


def _step_json(step: StepTrail) -> dict[str, Any]:
    touchpoint = step.touchpoint
    sent_at = touchpoint.sent_at if touchpoint else None
    return {
        "step": step.step,
        "variant": step.variant,
        "channel": step.channel,
        "due_at": step.due_at.isoformat(),
        "state": touchpoint.state if touchpoint else "held" if step.held else "waiting",
        "reason": touchpoint.reason if touchpoint else None,
        "rule": step.rule,
        "sent_at": sent_at.isoformat() if sent_at else None,
        "touchpoint": touchpoint.id if touchpoint else None,
    }

"""Why a customer got a message, or did not: the store's rows as a trail a person can follow."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from crm_store import field_values, history
from crm_store.catalogue.field import Catalogue, FieldType
from crm_store.history import CustomerCard, EnrollmentRecord, Refusal, TouchpointRecord
from crm_store.models.campaign import EnrollmentStatus
from crm_store.scope import MEMBERSHIP, Scope
from triggers.check import CheckedFile
from triggers.definition import CampaignDefinition
from triggers.expression import Condition, parse_condition
from triggers.kinds.all import Trigger
from triggers.kinds.membership_expiring import MembershipExpiring
from triggers.look import Look
from triggers.steps import Step
from triggers.timeline import step_due


@dataclass(frozen=True)
class StepTrail:
    """One step of an enrollment: its touchpoint, or when it will be due."""

    step: str
    channel: str
    due_at: datetime
    condition: str | None
    touchpoint: TouchpointRecord | None


@dataclass(frozen=True)
class EnrollmentTrail:
    """One time in a campaign."""

    record: EnrollmentRecord
    name: str
    steps: Sequence[StepTrail]


@dataclass(frozen=True)
class Outside:
    """A campaign she is not in."""

    campaign: str
    name: str
    has_occasion: bool
    """Its trigger has come for her."""
    admitted: bool
    """Its condition holds for her."""
    where: str | None
    facts: dict[str, Any]
    """The values of the fields that the condition looks at."""
    other_plan: str | None
    """The plan of her membership, where the trigger wants another."""


@dataclass(frozen=True)
class Trail:
    """All that is known about a customer and the club's campaigns."""

    card: CustomerCard
    refusals: Sequence[Refusal]
    enrollments: Sequence[EnrollmentTrail]
    outside: Sequence[Outside]
    disabled: Sequence[str]
    """Campaigns whose file is broken."""

    def to_json(self) -> dict[str, Any]:
        """The stable form of `why --json`; it names the customer by her reference only."""
        return {
            "customer": self.card.ref,
            "refusals": [asdict(one) | {"since": one.since.isoformat()} for one in self.refusals],
            "enrollments": [_enrollment_json(one) for one in self.enrollments],
            "not_in": [asdict(one) for one in self.outside],
            "disabled": list(self.disabled),
        }


def trail_of(
    connection: Connection,
    customer_id: int,
    *,
    club_id: int,
    files: Sequence[CheckedFile],
    catalogue: Catalogue,
    now: datetime,
    club_zone: ZoneInfo,
    only: str | None = None,
) -> Trail:
    """The trail of a customer; with `only`, of that campaign alone."""
    card = history.customer_card(connection, customer_id)
    enrollments = [
        _enrollment_trail(connection, card, record)
        for record in history.enrollments_of(connection, customer_id)
        if only in (None, record.campaign)
    ]
    entered = {one.record.campaign for one in enrollments}
    look = _Asking(connection, card, club_id, catalogue, now, club_zone)
    return Trail(
        card,
        history.refusals_of(connection, card),
        enrollments,
        [
            look.outside(one.definition)
            for one in files
            if one.definition is not None
            and one.definition.campaign not in entered
            and only in (None, one.definition.campaign)
        ],
        [one.name for one in files if one.definition is None and only in (None, one.name)],
    )


def _enrollment_trail(
    connection: Connection, card: CustomerCard, record: EnrollmentRecord
) -> EnrollmentTrail:
    definition = CampaignDefinition.model_validate(record.definition)
    made = {
        touchpoint.step: touchpoint for touchpoint in history.touchpoints_of(connection, record.id)
    }
    steps = [
        StepTrail(
            step.id,
            next(step.ways()).action.channel,
            _due(step, definition, record, card),
            step.condition,
            made.get(step.id),
        )
        for step in definition.steps
    ]
    if record.status != EnrollmentStatus.ACTIVE:
        # Who has left gets no more: what was not made will not be.
        steps = [step for step in steps if step.touchpoint is not None]
    return EnrollmentTrail(record, definition.name, sorted(steps, key=lambda one: one.due_at))


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


@dataclass(frozen=True)
class _Asking:
    """Asks campaigns about one customer, with the very SQL that admission uses."""

    connection: Connection
    card: CustomerCard
    club_id: int
    catalogue: Catalogue
    now: datetime
    club_zone: ZoneInfo

    def outside(self, definition: CampaignDefinition) -> Outside:
        where = parse_condition(definition.where, self.catalogue) if definition.where else None
        answers = list(self._answers(definition, where))
        has_occasion = any(answer is not None for answer in answers)
        admitted = any(answers) if has_occasion else self._holds(where)
        return Outside(
            definition.campaign,
            definition.name,
            has_occasion,
            admitted,
            where.text if where else None,
            self._facts(where.fields) if where else {},
            None if has_occasion else self._other_plan(definition.trigger),
        )

    def _other_plan(self, trigger: Trigger) -> str | None:
        if not isinstance(trigger, MembershipExpiring) or not trigger.plans:
            return None
        plan: str | None = self._facts(["membership.plan"])["membership.plan"]
        return None if plan in trigger.plans else plan

    def _answers(
        self, definition: CampaignDefinition, where: Condition | None
    ) -> Iterator[bool | None]:
        membership = MEMBERSHIP if definition.trigger.about_membership else None
        scope = self._scope(membership)
        earliest, latest = definition.span()
        look = Look(
            self.club_id,
            self.now,
            earliest,
            latest + definition.defaults.late.grace,
            self.club_zone,
        )
        for occasions in definition.trigger.occasions(look):
            yield history.occasion_of(
                self.connection, self.card.id, occasions, where.sql(scope) if where else None
            )

    def _holds(self, where: Condition | None) -> bool:
        if where is None:
            return True
        return history.condition_holds(self.connection, self.card.id, where.sql(self._scope(None)))

    def _facts(self, fields: Collection[str]) -> dict[str, Any]:
        row = field_values.of_customer(
            self.connection, self.catalogue, fields, self.card.id, self._scope(None)
        )
        return {name: _plain(value, self.catalogue[name].type) for name, value in row.items()}

    def _scope(self, membership: Any) -> Scope:
        return Scope.at(self.now, self.club_zone, membership=membership)


def _plain(value: Any, kind: FieldType) -> Any:
    """A field's value as JSON and people have it."""
    if kind is FieldType.TAGS:
        return value.split("\n") if value else []
    if kind is FieldType.BOOLEAN:
        return bool(value)
    if kind is FieldType.DATE:
        return None if value is None else str(value)
    return float(value) if kind is FieldType.NUMBER and value is not None else value


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
        "steps": [_step_json(step) for step in one.steps],
    }


def _step_json(step: StepTrail) -> dict[str, Any]:
    touchpoint = step.touchpoint
    due_at = touchpoint.due_at if touchpoint else step.due_at
    sent_at = touchpoint.sent_at if touchpoint else None
    return {
        "step": step.step,
        "channel": step.channel,
        "due_at": due_at.isoformat(),
        "state": touchpoint.state if touchpoint else "waiting",
        "reason": touchpoint.reason if touchpoint else None,
        "sent_at": sent_at.isoformat() if sent_at else None,
        "touchpoint": touchpoint.id if touchpoint else None,
    }

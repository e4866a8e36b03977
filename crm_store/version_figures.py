"""What each version of each campaign came to: who entered, what was sent, whose goal was met."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, Connection, func, select

from crm_store.campaigns import VersionRow, versions_by_id
from crm_store.enrollments import ENROLLMENT
from crm_store.literals import is_word
from crm_store.models.campaign import CampaignVersion, EnrollmentStatus
from crm_store.models.event import Event
from crm_store.models.touchpoint import SENT, State
from crm_store.scope import CUSTOMER
from crm_store.tables import table_of
from crm_store.touchpoints import TOUCHPOINT

_EVENT, _VERSION = table_of(Event), table_of(CampaignVersion)
_REACHED = (*SENT, State.DONE, State.DELIVERED, State.BOUNCED, State.COMPLAINED)
"""States of a step that was carried out, whatever was heard of it afterwards."""


@dataclass(frozen=True)
class Met:
    """How many of a group met the campaign's goal."""

    met: int
    of: int


@dataclass
class StepFigures:
    """One step, or one way of it."""

    step: str
    variant: str
    sent: int = 0
    not_sent: Counter[str] = field(default_factory=Counter)
    """By reason."""
    goal: Met | None = None
    """Of the customers who got it; none when the campaign has no goal."""


@dataclass
class VersionFigures:
    """One version of a campaign."""

    campaign: str
    version: int
    entered: int = 0
    by_status: Counter[str] = field(default_factory=Counter)
    goal: Met | None = None
    """Of those who were written to; none when the campaign has no goal."""
    held_out: Met | None = None
    """Of those whom chance kept out of it."""
    steps: list[StepFigures] = field(default_factory=list)


def version_figures(
    connection: Connection, club_id: int, campaign: str | None = None
) -> list[VersionFigures]:
    """Every version that somebody entered, the newest of each campaign first.

    A customer is counted under the version entered under, or moved to.
    """
    query = (
        select(ENROLLMENT.c.version_id, ENROLLMENT.c.status, func.count())
        .join(CUSTOMER, CUSTOMER.c.id == ENROLLMENT.c.customer_id)
        .where(CUSTOMER.c.club_id == club_id)
        .group_by(ENROLLMENT.c.version_id, ENROLLMENT.c.status)
    )
    if campaign is not None:
        query = query.where(ENROLLMENT.c.campaign == campaign)
    by_status: dict[int, Counter[str]] = {}
    for version_id, status, number in connection.execute(query):
        by_status.setdefault(version_id, Counter())[status] = number
    versions = versions_by_id(connection, by_status).values()
    ordered = sorted(versions, key=lambda one: (one.campaign, -one.version))
    return [_figures(connection, club_id, one, by_status[one.id]) for one in ordered]


def _figures(
    connection: Connection, club_id: int, version: VersionRow, by_status: Counter[str]
) -> VersionFigures:
    goal = (version.definition.get("goal") or {}).get("event")
    figures = VersionFigures(version.campaign, version.version, by_status.total(), by_status)
    if goal:
        held = is_word(ENROLLMENT.c.status, EnrollmentStatus.HELD_OUT)
        figures.goal = _met(connection, club_id, version.id, goal, ~held)
        if by_status[EnrollmentStatus.HELD_OUT]:
            figures.held_out = _met(connection, club_id, version.id, goal, held)
    figures.steps = _steps(connection, club_id, version.id, goal)
    return figures


def _met_it(goal: str) -> ColumnElement[bool]:
    """Whether the goal's event came while it counted."""
    return (
        select(_EVENT.c.id)
        .where(
            _EVENT.c.customer_id == ENROLLMENT.c.customer_id,
            _EVENT.c.name == goal,
            _EVENT.c.occurred_at >= ENROLLMENT.c.entered_at,
            _EVENT.c.occurred_at <= ENROLLMENT.c.goal_until,
        )
        .exists()
    )


def _met(
    connection: Connection, club_id: int, version_id: int, goal: str, who: ColumnElement[bool]
) -> Met:
    query = (
        select(func.count(), func.count().filter(_met_it(goal)))
        .select_from(ENROLLMENT.join(CUSTOMER, CUSTOMER.c.id == ENROLLMENT.c.customer_id))
        .where(CUSTOMER.c.club_id == club_id, ENROLLMENT.c.version_id == version_id, who)
    )
    number, met = connection.execute(query).one()
    return Met(met, number)


def _steps(
    connection: Connection, club_id: int, version_id: int, goal: str | None
) -> list[StepFigures]:
    met = _met_it(goal) if goal else ENROLLMENT.c.id.is_(None)
    rows = connection.execute(
        select(
            TOUCHPOINT.c.step,
            TOUCHPOINT.c.variant,
            TOUCHPOINT.c.state,
            TOUCHPOINT.c.reason,
            func.count(),
            func.count().filter(met),
            func.min(TOUCHPOINT.c.due_at),
        )
        .join(ENROLLMENT, ENROLLMENT.c.id == TOUCHPOINT.c.enrollment_id)
        .join(CUSTOMER, CUSTOMER.c.id == TOUCHPOINT.c.customer_id)
        .where(CUSTOMER.c.club_id == club_id, TOUCHPOINT.c.version_id == version_id)
        .group_by(TOUCHPOINT.c.step, TOUCHPOINT.c.variant, TOUCHPOINT.c.state, TOUCHPOINT.c.reason)
        .order_by(func.min(TOUCHPOINT.c.due_at), TOUCHPOINT.c.step, TOUCHPOINT.c.variant)
    ).all()
    steps: dict[tuple[str, str], StepFigures] = {}
    for step, variant, state, reason, number, met_it, _ in rows:
        figures = steps.setdefault((step, variant), StepFigures(step, variant))
        if state in _REACHED:
            figures.sent += number
            if goal:
                before = figures.goal or Met(0, 0)
                figures.goal = Met(before.met + met_it, before.of + number)
        else:
            figures.not_sent[reason or state] += number
    return _in_order(list(steps.values()))


def _in_order(steps: Sequence[StepFigures]) -> list[StepFigures]:
    """The ways of a step together, where its first stands."""
    first = {one.step: index for index, one in reversed(list(enumerate(steps)))}
    return sorted(steps, key=lambda one: (first[one.step], one.variant))

"""What happened to customers, for people to read: enrollments, touchpoints, consent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, select

from crm_store.enrollments import ENROLLMENT
from crm_store.models.campaign import CampaignVersion
from crm_store.models.club import Club
from crm_store.models.consent import Consent
from crm_store.models.customer import Customer
from crm_store.models.event import Event
from crm_store.models.membership import Membership
from crm_store.models.touchpoint import TAKEN
from crm_store.occasions import Occasions
from crm_store.scope import CUSTOMER
from crm_store.suppressions import suppressions
from crm_store.tables import table_of
from crm_store.touchpoints import TOUCHPOINT

_CLUB, _CUSTOMER, _EVENT = table_of(Club), table_of(Customer), table_of(Event)
_MEMBERSHIP, _VERSION = table_of(Membership), table_of(CampaignVersion)
_CONSENT = table_of(Consent)


@dataclass(frozen=True)
class CustomerCard:
    """Who she is, as far as a person at the desk needs it."""

    id: int
    ref: str
    first_name: str
    last_name: str
    email: str | None
    phone: str | None
    language: str
    """Her own, else the club's."""
    timezone: str
    birth_date: date | None
    pipeline: str | None
    stage: str | None

    @property
    def name(self) -> str:
        """First and last name, or the reference of someone without."""
        return f"{self.first_name} {self.last_name}".strip() or self.ref


def customer_card(connection: Connection, customer_id: int) -> CustomerCard:
    """The card of a customer who is there."""
    row = connection.execute(
        select(
            _CUSTOMER.c.id,
            _CUSTOMER.c.ref,
            _CUSTOMER.c.first_name,
            _CUSTOMER.c.last_name,
            _CUSTOMER.c.email,
            _CUSTOMER.c.phone,
            func.coalesce(func.nullif(_CUSTOMER.c.language, ""), _CLUB.c.language),
            func.coalesce(func.nullif(_CUSTOMER.c.timezone, ""), _CLUB.c.timezone),
            _CUSTOMER.c.birth_date,
            _CUSTOMER.c.pipeline,
            _CUSTOMER.c.stage,
        )
        .join(_CLUB, _CLUB.c.id == _CUSTOMER.c.club_id)
        .where(_CUSTOMER.c.id == customer_id)
    ).one()
    return CustomerCard(*row)


@dataclass(frozen=True)
class EnrollmentRecord:
    """A customer's time in a campaign, and what brought her there."""

    id: int
    campaign: str
    version: int
    definition: dict[str, Any]
    """The campaign as it stood when she entered."""
    occurrence: str
    anchor_on: date | None
    anchor_at: datetime | None
    entered_at: datetime
    status: str
    ended_at: datetime | None
    end_reason: str | None
    event_name: str | None
    event_data: dict[str, Any] | None
    plan: str | None
    """Of the membership it is about."""


_ENROLLMENT_COLUMNS: tuple[ColumnElement[Any], ...] = (
    ENROLLMENT.c.id,
    ENROLLMENT.c.campaign,
    _VERSION.c.version,
    _VERSION.c.definition,
    ENROLLMENT.c.occurrence,
    ENROLLMENT.c.anchor_on,
    ENROLLMENT.c.anchor_at,
    ENROLLMENT.c.entered_at,
    ENROLLMENT.c.status,
    ENROLLMENT.c.ended_at,
    ENROLLMENT.c.end_reason,
    _EVENT.c.name,
    _EVENT.c.data,
    _MEMBERSHIP.c.plan,
)


def enrollments_of(connection: Connection, customer_id: int) -> list[EnrollmentRecord]:
    """All enrollments of a customer, in the order in which she entered."""
    rows = connection.execute(
        select(*_ENROLLMENT_COLUMNS)
        .join(_VERSION, _VERSION.c.id == ENROLLMENT.c.version_id)
        .outerjoin(_EVENT, _EVENT.c.id == ENROLLMENT.c.event_id)
        .outerjoin(_MEMBERSHIP, _MEMBERSHIP.c.id == ENROLLMENT.c.membership_id)
        .where(ENROLLMENT.c.customer_id == customer_id)
        .order_by(ENROLLMENT.c.entered_at, ENROLLMENT.c.id)
    )
    return [EnrollmentRecord(*row) for row in rows]


@dataclass(frozen=True)
class TouchpointRecord:
    """One touchpoint, as lists show it. Times are UTC."""

    id: int
    enrollment_id: int
    campaign: str
    occurrence: str
    step: str
    variant: str
    channel: str
    state: str
    reason: str | None
    detail: str
    due_at: datetime
    not_before: datetime
    sent_at: datetime | None
    settled_at: datetime | None
    attempts: int
    message_id: str | None
    customer_id: int
    customer_ref: str


_TOUCHPOINT_COLUMNS: tuple[ColumnElement[Any], ...] = (
    *(
        TOUCHPOINT.c[name]
        for name in (
            "id", "enrollment_id", "campaign", "occurrence", "step", "variant", "channel", "state",
            "reason", "detail", "due_at", "not_before", "sent_at", "settled_at", "attempts",
            "message_id",
            "customer_id",
        )
    ),
    CUSTOMER.c.ref,
)  # fmt: skip


def list_touchpoints(
    connection: Connection,
    club_id: int,
    *,
    campaign: str | None = None,
    states: Sequence[str] = (),
    customer_id: int | None = None,
    since: datetime | None = None,
    limit: int | None = None,
) -> list[TouchpointRecord]:
    """The club's touchpoints, the latest due first; `since` looks at when they were due."""
    query = (
        select(*_TOUCHPOINT_COLUMNS)
        .join(CUSTOMER, CUSTOMER.c.id == TOUCHPOINT.c.customer_id)
        .where(CUSTOMER.c.club_id == club_id)
        .order_by(TOUCHPOINT.c.due_at.desc(), TOUCHPOINT.c.id.desc())
        .limit(limit)
    )
    if campaign is not None:
        query = query.where(TOUCHPOINT.c.campaign == campaign)
    if states:
        query = query.where(TOUCHPOINT.c.state.in_(states))
    if customer_id is not None:
        query = query.where(TOUCHPOINT.c.customer_id == customer_id)
    if since is not None:
        query = query.where(TOUCHPOINT.c.due_at >= since)
    return [TouchpointRecord(*row) for row in connection.execute(query)]


def touchpoints_of(connection: Connection, enrollment_id: int) -> list[TouchpointRecord]:
    """The touchpoints of one enrollment, in the order in which they were due."""
    query = (
        select(*_TOUCHPOINT_COLUMNS)
        .join(CUSTOMER, CUSTOMER.c.id == TOUCHPOINT.c.customer_id)
        .where(TOUCHPOINT.c.enrollment_id == enrollment_id)
        .order_by(TOUCHPOINT.c.due_at, TOUCHPOINT.c.id)
    )
    return [TouchpointRecord(*row) for row in connection.execute(query)]


def accepted_references(connection: Connection, club_id: int) -> list[tuple[str, str, str | None]]:
    """(channel, our Message-ID, the provider's reference) of all that a server has taken."""
    rows = connection.execute(
        select(TOUCHPOINT.c.channel, TOUCHPOINT.c.message_id, TOUCHPOINT.c.provider_ref)
        .join(CUSTOMER, CUSTOMER.c.id == TOUCHPOINT.c.customer_id)
        .where(CUSTOMER.c.club_id == club_id, TOUCHPOINT.c.state.in_(TAKEN))
    )
    return [(row.channel, row.message_id, row.provider_ref) for row in rows]


@dataclass(frozen=True)
class Refusal:
    """She does not want, or must not get, messages: on a topic, a channel, or an address."""

    channel: str
    topic: str | None
    """None when the address itself is suppressed."""
    cause: str
    source: str
    since: datetime


def refusals_of(connection: Connection, card: CustomerCard) -> list[Refusal]:
    """What stands in the way of writing to a customer."""
    opted_out = connection.execute(
        select(_CONSENT.c.channel, _CONSENT.c.topic, _CONSENT.c.source, _CONSENT.c.given_at)
        .where(_CONSENT.c.customer_id == card.id, _CONSENT.c.granted.is_(False))
        .order_by(_CONSENT.c.channel, _CONSENT.c.topic)
    )
    addresses = [("email", card.email), ("sms", card.phone)]
    suppressed = suppressions(
        connection, [(channel, address) for channel, address in addresses if address]
    )
    return [
        *(
            Refusal(row.channel, row.topic, "opt_out", row.source, row.given_at)
            for row in opted_out
        ),
        *(
            Refusal(channel, None, found.cause, found.source, found.since)
            for (channel, _), found in suppressed.items()
        ),
    ]


def condition_holds(
    connection: Connection, customer_id: int, condition: ColumnElement[bool]
) -> bool:
    """Whether a condition of the plain scope holds for a customer now."""
    query = select(condition).select_from(CUSTOMER).where(CUSTOMER.c.id == customer_id)
    return bool(connection.execute(query).scalar_one())


def occasion_of(
    connection: Connection,
    customer_id: int,
    occasions: Occasions,
    condition: ColumnElement[bool] | None,
) -> bool | None:
    """Whether she meets the condition on an occasion of hers; None when she has no occasion."""
    query = occasions.sql.where(CUSTOMER.c.id == customer_id)
    if condition is not None:
        query = query.add_columns(condition.label("admitted"))
    rows = connection.execute(query, occasions.values).all()
    if not rows:
        return None
    return condition is None or any(row.admitted for row in rows)

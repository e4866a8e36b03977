"""The ledger of a simulation against that of the club: row for row, and counted by day."""

from collections import Counter
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import select

from crm_store.database import Store
from crm_store.models.campaign import Enrollment
from crm_store.models.customer import Customer
from crm_store.models.staff_task import StaffTask
from crm_store.models.touchpoint import Touchpoint
from crm_store.tables import table_of

_CUSTOMER, _ENROLLMENT = table_of(Customer), table_of(Enrollment)
_TASK, _TOUCHPOINT = table_of(StaffTask), table_of(Touchpoint)


class Touch(NamedTuple):
    """A touchpoint, without the ids, which count up differently in each store."""

    campaign: str
    customer: str
    anchor_on: date
    """Or the day of the anchor's moment."""
    step: str
    channel: str
    variant: str
    state: str
    reason: str | None
    has_coupon: bool
    sent_on: date | None
    anchor_at: datetime | None
    due_at: datetime
    sent_at: datetime | None

    @property
    def by_day(self) -> tuple[object, ...]:
        """What is the same whenever on the day the sweeps were."""
        return self[:10]

    @property
    def cell(self) -> tuple[str, str, str, date | None]:
        """Where it is counted."""
        return self.campaign, self.step, self.channel, self.sent_on


class Stay(NamedTuple):
    """Somebody in a campaign."""

    campaign: str
    customer: str
    anchor_on: date
    status: str
    end_reason: str | None


class Call(NamedTuple):
    """A task for the staff."""

    customer: str
    queue: str
    title: str
    due_on: date


@dataclass
class Facts:
    """What a store says of a year."""

    touches: list[Touch]
    stays: list[Stay]
    calls: list[Call]
    message_ids: dict[str, Touch]
    """By Message-ID, for SMS by the provider's reference."""

    def sent(self) -> Counter[tuple[str, str, str, date | None]]:
        """Messages by campaign, step, channel and day."""
        return Counter(one.cell for one in self.touches if one.sent_on is not None)

    def outcomes(self) -> Counter[tuple[str, str, str | None]]:
        """By campaign, state and reason."""
        return Counter((one.campaign, one.state, one.reason) for one in self.touches)


def facts_of(store: Store, zone: ZoneInfo) -> Facts:
    """Read them. Days are the club's."""

    def day_of(moment: datetime) -> date:
        return moment.astimezone(zone).date()

    facts = Facts([], [], [], {})
    with store.read() as connection:
        touches = connection.execute(
            select(
                *(_TOUCHPOINT.c[name] for name in ("campaign", "step", "channel", "variant")),
                *(_TOUCHPOINT.c[name] for name in ("state", "reason", "coupon", "due_at")),
                *(_TOUCHPOINT.c[name] for name in ("sent_at", "message_id", "provider_ref")),
                *(_ENROLLMENT.c.anchor_on, _ENROLLMENT.c.anchor_at, _CUSTOMER.c.ref),
            )
            .join(_ENROLLMENT, _ENROLLMENT.c.id == _TOUCHPOINT.c.enrollment_id)
            .join(_CUSTOMER, _CUSTOMER.c.id == _TOUCHPOINT.c.customer_id)
        )
        for row in touches:
            touch = Touch(
                row.campaign,
                row.ref,
                row.anchor_on or day_of(row.anchor_at),
                row.step,
                row.channel,
                row.variant,
                row.state,
                row.reason,
                row.coupon is not None,
                None if row.sent_at is None else day_of(row.sent_at),
                row.anchor_at,
                row.due_at,
                row.sent_at,
            )
            facts.touches.append(touch)
            known_by = row.message_id if row.channel == "email" else row.provider_ref
            facts.message_ids[known_by] = touch
        stays = connection.execute(
            select(_ENROLLMENT, _CUSTOMER.c.ref).join(
                _CUSTOMER, _CUSTOMER.c.id == _ENROLLMENT.c.customer_id
            )
        )
        for row in stays:
            anchor = row.anchor_on or day_of(row.anchor_at)
            facts.stays.append(Stay(row.campaign, row.ref, anchor, row.status, row.end_reason))
        calls = connection.execute(
            select(_TASK, _CUSTOMER.c.ref).join(_CUSTOMER, _CUSTOMER.c.id == _TASK.c.customer_id)
        )
        facts.calls += [Call(row.ref, row.queue, row.title, day_of(row.due_at)) for row in calls]
    return facts

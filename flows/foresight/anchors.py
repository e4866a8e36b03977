"""When a test takes place: its first day, the anchor of its campaign, and how long it goes on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from triggers.definition import CampaignDefinition
from triggers.festivals import festival_days
from triggers.kinds.all import Trigger
from triggers.kinds.anchor import Anchor
from triggers.kinds.balance_low import BalanceLow
from triggers.kinds.birthday import Birthday
from triggers.kinds.date import Date
from triggers.kinds.event import Bounds, Event
from triggers.kinds.form import Form
from triggers.kinds.inactivity import Inactivity
from triggers.kinds.membership_expiring import MembershipExpiring
from triggers.kinds.new_lead import NewLead
from triggers.kinds.stage_change import StageChange
from triggers.test_cases import TestCase
from triggers.timeline import birthday_in, instant

FIRST_DAY = date(2026, 3, 2)
"""Of a test that names no day: a Monday."""
OPENING = time(11)
"""When the event that starts a campaign happens: nobody is asleep then."""
NOON = time(12)
PACKAGE = "sessions"
"""A package whose name does not matter."""
ADULT = 30
"""Years, of a customer whose date of birth a test does not say."""
WHILE = timedelta(days=35)
"""How long a campaign is waited for that says neither a day nor an event."""


@dataclass(frozen=True)
class Anchored:
    """When a test takes place."""

    today: date
    anchor: date
    """The day that the offsets of its events count from."""
    clock: time
    until: date
    """The last day on which the customer can enter."""
    term_ends_on: date
    customer: dict[str, Any] = field(default_factory=dict)
    """What has to be known of the customer for the anchor to come."""

    def moment(self, zone: ZoneInfo) -> datetime:
        """The anchor as an instant."""
        return instant(self.anchor, self.clock, zone)


def anchored(
    case: TestCase,
    definition: CampaignDefinition,
    customer: Mapping[str, Any],
    term: Mapping[str, Any] | None,
    days_left: int | None,
    latest_visit: date | None,
) -> Anchored:
    """When a test takes place, from what it gives; the rest is chosen so that every step fits."""
    trigger = definition.trigger
    by_day = trigger.anchor is Anchor.DAY
    earliest, _ = definition.span()
    lead = timedelta(days=max(0, -earliest.days) + 1) if by_day else timedelta(0)
    told = [one.at.date() for one in case.events if isinstance(one.at, datetime)] + [
        one.on for one in case.expect if one.on is not None
    ]
    anchor = _given_anchor(trigger, case, customer, term, days_left, latest_visit)
    today = case.today or (anchor - lead if anchor is not None else FIRST_DAY)
    anchor = anchor or today + lead
    until = case.until or max([today, anchor, *told]) + timedelta(days=2)
    if case.until is None and not by_day and trigger.listens_to is None:
        until = max(until, today + WHILE)
    return Anchored(
        today,
        anchor,
        NOON if by_day else OPENING,
        until,
        term_ends_on=anchor if isinstance(trigger, MembershipExpiring) else today + WHILE * 6,
        customer=_needed(trigger, anchor),
    )


def _given_anchor(
    trigger: Trigger,
    case: TestCase,
    customer: Mapping[str, Any],
    term: Mapping[str, Any] | None,
    days_left: int | None,
    latest_visit: date | None,
) -> date | None:
    """The anchor, where what is given says it."""
    today = case.today or FIRST_DAY
    match trigger:
        case MembershipExpiring():
            ends_on: date | None = (term or {}).get("ends_on")
            return ends_on or (today + timedelta(days=days_left) if days_left is not None else None)
        case Birthday():
            return _next_anniversary(customer.get("birth_date"), today)
        case Date(holiday=str(holiday), country=str(country)):
            days = festival_days(holiday, country, today, today + timedelta(days=366))
            return next(iter(days), None)
        case Date(field=str(name), every=every):
            value: date | None = case.fields.get(name)
            return _next_anniversary(value, today) if every else value
        case Inactivity(days=int(days)) if latest_visit is not None:
            return latest_visit + timedelta(days=days)
    return None


def _next_anniversary(day: date | None, today: date) -> date | None:
    if day is None:
        return None
    this_year = birthday_in(day, today.year)
    return this_year if this_year >= today else birthday_in(day, today.year + 1)


def _needed(trigger: Trigger, anchor: date) -> dict[str, Any]:
    match trigger:
        case Birthday():
            return {"birth_date": birthday_in(anchor, anchor.year - ADULT)}
        case StageChange(pipeline=pipeline):
            return {"pipeline": pipeline}
    return {}


def own_event(
    trigger: Trigger, customer: Mapping[str, Any], package: Mapping[str, Any]
) -> tuple[str, dict[str, Any]] | None:
    """The event that starts the campaign, with data that its trigger accepts."""
    if trigger.listens_to is None:
        return None
    data: dict[str, Any] = {}
    match trigger:
        case NewLead(sources=sources):
            source = customer.get("source") or next(iter(sources), None)
            data = {"source": source} if source else {}
        case StageChange(pipeline=pipeline, from_stage=came_from, to_stage=to):
            data = {"pipeline": pipeline, "to": to} | ({"from": came_from} if came_from else {})
        case BalanceLow(at_most=at_most, package=name):
            left = package.get("remaining")
            data = {"package": name or PACKAGE, "remaining": at_most if left is None else left}
        case Form(form=form):
            data = {"form": form}
        case Event(where=where):
            data = {key: _accepted(wanted) for key, wanted in where.items()}
    return trigger.listens_to, data


def _accepted(wanted: Any) -> Any:
    """A value that the filter of an `event` trigger lets through."""
    if isinstance(wanted, tuple):
        return wanted[0]
    if not isinstance(wanted, Bounds):
        return wanted
    for bound, step in ((wanted.at_least, 0), (wanted.more_than, 1), (wanted.at_most, 0)):
        if bound is not None:
            return bound + step
    return (wanted.less_than or 0) - 1

"""The rules of every kind of trigger, slow and obvious: what admission by SQL must equal.

People are plain data, a day is a `date`, and nothing is an index, a window function or a join.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from triggers.cron import moments
from triggers.definition import CampaignDefinition
from triggers.festivals import festival_days
from triggers.kinds.balance_low import BalanceLow
from triggers.kinds.birthday import Birthday
from triggers.kinds.date import Date
from triggers.kinds.event import Bounds, Event
from triggers.kinds.form import Form
from triggers.kinds.inactivity import Inactivity
from triggers.kinds.membership_expiring import MembershipExpiring
from triggers.kinds.new_lead import NewLead
from triggers.kinds.schedule import Schedule
from triggers.kinds.stage_change import StageChange


@dataclass
class Term:
    starts_on: date
    ends_on: date
    plan: str = "annual"
    active: bool = True
    id: int = 0


@dataclass
class Package:
    package: str
    remaining: int
    expires_on: date | None
    filled_at: datetime | None
    updated_at: datetime
    id: int = 0


@dataclass
class Happened:
    name: str
    at: datetime
    data: dict[str, Any] = field(default_factory=dict)
    id: int = 0


@dataclass
class Person:
    birth_date: date | None = None
    joined_on: date | None = None
    medical_on: date | None = None
    created_at: datetime = datetime(2020, 1, 1, tzinfo=UTC)
    terms: list[Term] = field(default_factory=list)
    visits: list[datetime] = field(default_factory=list)
    packages: list[Package] = field(default_factory=list)
    events: list[Happened] = field(default_factory=list)
    id: int = 0

    def dates(self, name: str) -> Any:
        """A date field of hers."""
        return getattr(self, name.split(".")[1])


@dataclass(frozen=True)
class Asked:
    """When, where, and within which anchors."""

    now: datetime
    zone: ZoneInfo
    first: date
    last: date
    since: datetime
    until: datetime

    @property
    def today(self) -> date:
        return self.now.astimezone(self.zone).date()

    def day_of(self, moment: datetime) -> date:
        """By the clocks of the club, as they stand now."""
        return (moment + self.now.astimezone(self.zone).utcoffset()).astimezone(UTC).date()  # type: ignore[operator]


Found = tuple[int, str, date | datetime]


def occasions(
    definition: CampaignDefinition, people: list[Person], now: datetime, zone: ZoneInfo
) -> set[Found]:
    """(customer, occurrence, anchor) of everyone whom the campaign admits at `now`."""
    earliest, latest = definition.span()
    since, until = now - latest - definition.defaults.late.grace, now - earliest
    today = now.astimezone(zone).date()
    begins, ends = (
        datetime.combine(day, time.min, zone).astimezone(UTC)
        for day in (today, today + timedelta(days=1))
    )
    first = (begins - latest - definition.defaults.late.grace).date()
    last = (ends - earliest).date()
    asked = Asked(now, zone, first, last, since, until)
    found = {
        (person.id, occurrence, anchor)
        for person in people
        for occurrence, anchor in _of(definition.trigger, person, asked)
        if _within(anchor, asked)
    }
    if definition.reentry == "once":
        return {min((one for one in found if one[0] == person), key=_order) for person, *_ in found}
    return found


def _order(found: Found) -> tuple[str, str]:
    """Of several at once the one whose anchor is first counts."""
    _, occurrence, anchor = found
    return anchor.isoformat(), occurrence


def _within(anchor: date | datetime, asked: Asked) -> bool:
    if isinstance(anchor, datetime):
        return asked.since <= anchor
    return asked.first <= anchor <= asked.last


def _of(trigger: Any, person: Person, asked: Asked) -> Iterator[tuple[str, date | datetime]]:
    match trigger:
        case MembershipExpiring():
            for term in person.terms:
                if term.plan in (trigger.plans or [term.plan]) and _is_latest(term, person):
                    yield f"term:{term.id}", term.ends_on
        case Birthday():
            yield from _yearly("birthday", person.birth_date, asked)
        case Date(holiday=str(holiday), country=str(country)):
            for day in festival_days(holiday, country, asked.first, asked.last):
                yield f"holiday:{day}", day
        case Date(field="membership.starts_on", every="year"):
            for term in person.terms:
                if _is_latest(term, person):
                    yield from _yearly("anniversary", term.starts_on, asked)
        case Date(field="membership.starts_on" | "membership.ends_on" as name):
            for term in person.terms:
                if term.active:
                    yield f"term:{term.id}", getattr(term, name.split(".")[1])
        case Date(field="package.expires_on"):
            for one in person.packages:
                if one.expires_on:
                    yield f"package:{one.id}:{one.expires_on}", one.expires_on
        case Date(every="year", field=str(name)):
            yield from _yearly("anniversary", person.dates(name), asked)
        case Date(field=str(name)):
            if day := person.dates(name):
                yield f"day:{day}", day
        case NewLead() | StageChange() | Event() | Form():
            yield from _events(trigger, person, asked)
        case BalanceLow():
            for one in person.packages:
                if (
                    one.remaining <= trigger.at_most
                    and trigger.package in (None, one.package)
                    and (one.expires_on is None or one.expires_on >= asked.today)
                    and one.updated_at <= asked.now
                ):
                    bought = f":{one.filled_at.date()}" if one.filled_at else ""
                    yield f"package:{one.id}{bought}", one.updated_at
        case Inactivity(below=float(below)):
            yield from _drops(below, person, asked)
        case Inactivity():
            yield from _absence(trigger, person, asked)
        case Schedule():
            zone = ZoneInfo(trigger.zone) if trigger.zone else asked.zone
            for moment in list(moments(trigger.cron, zone, asked.since, asked.now))[-1:]:
                if person.created_at <= moment:
                    yield f"cron:{moment:%Y-%m-%dT%H:%MZ}", moment


def _is_latest(term: Term, person: Person) -> bool:
    return term.active and not any(
        other.active and other.ends_on > term.ends_on for other in person.terms
    )


def _yearly(called: str, day: date | None, asked: Asked) -> Iterator[tuple[str, date]]:
    for year in range(asked.first.year, asked.last.year + 1):
        if day and day.year < year:
            try:
                yield f"{called}:{year}", day.replace(year=year)
            except ValueError:
                yield f"{called}:{year}", date(year, 2, 28)


def _events(trigger: Any, person: Person, asked: Asked) -> Iterator[tuple[str, datetime]]:
    for one in person.events:
        if one.at > asked.now:
            continue
        match trigger:
            case NewLead():
                sources = trigger.sources
                fits = one.name == "lead_created" and (
                    not sources or one.data.get("source") in sources
                )
            case StageChange():
                wanted = {"pipeline": trigger.pipeline, "to": trigger.to_stage}
                if trigger.from_stage:
                    wanted["from"] = trigger.from_stage
                fits = one.name == "stage_changed" and wanted.items() <= one.data.items()
            case Form():
                fits = one.name == "form_submitted" and one.data.get("form") == trigger.form
            case _:
                fits = one.name == trigger.name and all(
                    _fits(one.data.get(key), wanted) for key, wanted in trigger.where.items()
                )
        if fits:
            kind = {"visit_recorded": "visit", "purchase_recorded": "purchase"}
            yield f"{kind.get(one.name, 'event')}:{one.id}", one.at


def _fits(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Bounds):
        return _is_number(value) and (
            (wanted.at_least is None or value >= wanted.at_least)
            and (wanted.at_most is None or value <= wanted.at_most)
            and (wanted.more_than is None or value > wanted.more_than)
            and (wanted.less_than is None or value < wanted.less_than)
        )
    choices = wanted if isinstance(wanted, tuple) else (wanted,)
    return any(
        value == one and _is_number(value) == _is_number(one) and type(value) is not type(None)
        for one in choices
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _absence(trigger: Inactivity, person: Person, asked: Asked) -> Iterator[tuple[str, date]]:
    assert trigger.days is not None
    come = [visit for visit in person.visits if visit <= asked.now]
    if come:
        latest = asked.day_of(max(come))
        anchors = [(f"absent:{latest}", latest)]
    elif trigger.never:
        anchors = [
            (f"never:{term.id}", term.starts_on)
            for term in person.terms
            if _is_latest(term, person)
        ]
    else:
        anchors = []
    for occurrence, day in anchors:
        anchor = day + timedelta(days=trigger.days)
        if anchor <= asked.today:
            yield occurrence, anchor


def _drops(below: float, person: Person, asked: Asked) -> Iterator[tuple[str, date]]:
    for ago in range(3):
        day = asked.today - timedelta(days=ago)
        if _is_below(below, person, day, asked) and not _is_below(
            below, person, day - timedelta(days=1), asked
        ):
            yield f"drop:{day}", day


def _is_below(below: float, person: Person, day: date, asked: Asked) -> bool:
    ago = [(day - asked.day_of(visit)).days for visit in person.visits]
    recent = len([days for days in ago if 1 <= days <= 14])
    usual = len([days for days in ago if 15 <= days <= 70])
    return usual >= 4 and recent / 2 < below * usual / 8


def midnight(day: date) -> datetime:
    """The day's first moment in UTC."""
    return datetime.combine(day, time.min, UTC)

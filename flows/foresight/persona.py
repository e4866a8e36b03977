"""The customer of a test: what `given` says, made into rows, and what is to happen to them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, assert_never
from zoneinfo import ZoneInfo

from crm_store.catalogue.field import Catalogue
from crm_store.catalogue.values import (
    PACKAGES,
    PURCHASES,
    VISITS,
    CountOf,
    DaysSinceLatest,
    LatestDay,
    LeastOf,
    MembershipDaysLeft,
    MembershipFrozen,
    NameOfCustomer,
    OfCustom,
    OfCustomer,
    OfMembership,
    SumOf,
    Tags,
)
from crm_store.dossiers import Dossier, Term
from crm_store.event_names import STAGE_CHANGED
from flows.foresight.anchors import PACKAGE, Anchored, anchored, own_event
from triggers.definition import CampaignDefinition
from triggers.offsets import Offset, Unit
from triggers.test_cases import GivenEvent, TestCase
from triggers.timeline import instant

YEAR = timedelta(days=364)
"""From the first to the last day of a term, where a test does not say."""
AGES_AGO = timedelta(days=400)
_MIDDAY = time(13)
"""Of a visit: the same day in UTC in nearly every zone."""


@dataclass(frozen=True)
class Happening:
    """An event of the test at its moment."""

    at: datetime
    name: str
    data: dict[str, Any]


class CannotBeGiven(Exception):
    """What a test gives contradicts itself, or cannot be made."""


@dataclass
class Persona:
    """A test's customer: everything known at the beginning, and what happens later."""

    begins: datetime
    until: datetime
    """Up to when the customer can enter."""
    zone: ZoneInfo
    dossier: Dossier
    happenings: Sequence[Happening]


def persona_of(
    case: TestCase,
    definition: CampaignDefinition,
    catalogue: Catalogue,
    club_zone: ZoneInfo,
    language: str,
) -> Persona:
    """Make the customer of a test. Raises `CannotBeGiven`."""
    facts = _Facts.sorted_out(case.fields, catalogue)
    when = anchored(case, definition, facts.customer, facts.term, facts.days_left, facts.latest)
    begins = instant(when.today, time.min, club_zone)
    happenings = [_happening(one, when, club_zone) for one in case.events]
    own = own_event(definition.trigger, facts.customer, facts.package)
    if own is not None and own[0] not in {one.name for one in happenings}:
        happenings.append(Happening(when.moment(club_zone), *own))
    if "stage" in facts.customer and any(one.name == STAGE_CHANGED for one in happenings):
        # Where the customer stands is given: the move that starts the campaign was before that.
        facts.customer["stage_changed_at"] = datetime.max.replace(tzinfo=UTC)
    zone = ZoneInfo(facts.customer.get("timezone") or club_zone.key)
    return Persona(
        begins,
        instant(when.until, time.max, club_zone),
        zone,
        _dossier(facts, case, definition, when, begins, club_zone, language),
        happenings,
    )


def _happening(event: GivenEvent, when: Anchored, zone: ZoneInfo) -> Happening:
    match event.at:
        case Offset(count, Unit.DAYS):
            day = when.anchor + timedelta(days=count)
            at = instant(day, when.clock, zone)
        case Offset(count, _):
            at = when.moment(zone) + timedelta(seconds=count)
        case datetime() as local:
            at = (
                local.astimezone(UTC) if local.tzinfo else instant(local.date(), local.time(), zone)
            )
        case never:
            assert_never(never)
    return Happening(at, event.name, event.data)


@dataclass
class _Facts:
    """The given fields, by the table they are kept in."""

    customer: dict[str, Any] = field(default_factory=dict)
    custom: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    term: dict[str, Any] | None = None
    days_left: int | None = None
    frozen: bool = False
    visits: dict[int | None, int] = field(default_factory=dict)
    """How many, by the days in which; all of them under None."""
    latest: date | None = None
    """The day of the latest visit."""
    days_since: int | None = None
    purchases: dict[str, Any] = field(default_factory=dict)
    package: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def sorted_out(cls, fields: Mapping[str, Any], catalogue: Catalogue) -> "_Facts":
        facts = cls()
        for name, value in fields.items():
            facts._take(name, catalogue[name].value, value)
        return facts

    def _take(self, name: str, of: Any, value: Any) -> None:
        match of:
            case OfCustomer(column):
                self.customer[column] = value
            case NameOfCustomer(column):
                self.customer[column] = value or ""
            case OfCustom(key):
                self.custom[key] = value
            case Tags():
                self.tags = list(value or ())
            case OfMembership(column):
                self.term = (self.term or {}) | {column: value}
            case MembershipDaysLeft():
                self.term, self.days_left = self.term or {}, value
            case MembershipFrozen():
                self.term, self.frozen = self.term or {}, bool(value)
            case CountOf(rows, days) if rows == VISITS:
                self.visits[days] = value
            case LatestDay(rows) if rows == VISITS:
                self.latest = value
            case DaysSinceLatest(rows) if rows == VISITS:
                self.days_since = value
            case CountOf(rows, None) | LatestDay(rows) | SumOf(rows, _) if rows == PURCHASES:
                self.purchases[type(of).__name__] = value
            case SumOf(rows, column) | LeastOf(rows, column) if rows == PACKAGES:
                self.package[column] = value
            case _:
                raise CannotBeGiven(f"`{name}` follows from others and cannot be given")


def _dossier(
    facts: _Facts,
    case: TestCase,
    definition: CampaignDefinition,
    when: Anchored,
    begins: datetime,
    zone: ZoneInfo,
    language: str,
) -> Dossier:
    long_ago = begins - AGES_AGO
    customer = {
        "ref": "T-1",
        "first_name": "Asha",
        "last_name": "Verma",
        "email": "asha@example.org",
        "phone": "+919812345678",
        "language": language,
        "custom": facts.custom,
        "created_at": long_ago,
        "updated_at": long_ago,
        **when.customer,
        **facts.customer,
    }
    terms = []
    if facts.term is not None or definition.trigger.about_membership:
        terms.append(_term(facts, definition, when, long_ago))
    days = case.visited or list(_visit_days(facts, when.today))
    return Dossier(
        customer,
        facts.tags,
        terms,
        visits=[_visit(day, number, zone) for number, day in enumerate(sorted(days))],
        purchases=list(_purchases(facts, when.today, zone)),
        packages=[_package(facts, definition, when, zone)] if facts.package else [],
    )


def _term(
    facts: _Facts, definition: CampaignDefinition, when: Anchored, long_ago: datetime
) -> Term:
    given = facts.term or {}
    plans: Sequence[str] = getattr(definition.trigger, "plans", ())
    ends_on = given.get("ends_on")
    if ends_on is None and given.get("starts_on") is not None:
        ends_on = given["starts_on"] + YEAR
    if ends_on is None and facts.days_left is not None:
        ends_on = when.today + timedelta(days=facts.days_left)
    ends_on = ends_on or when.term_ends_on
    values = {
        "ref": "T-1",
        "plan": plans[0] if plans else "annual",
        "starts_on": ends_on - YEAR,
        "auto_renew": False,
        "status": "active",
        "created_at": long_ago,
        "updated_at": long_ago,
        **{key: value for key, value in given.items() if value is not None},
        "ends_on": ends_on,
    }
    freezes: list[tuple[date, date | None]] = []
    if facts.frozen:
        freezes.append((when.today - timedelta(days=1), None))
    return Term(values, freezes)


def _visit_days(facts: _Facts, today: date) -> Iterator[date]:
    """Days of visits that make the given figures true today, as late as these allow.

    So they stay true longest while the days go on and nobody comes.
    """
    latest = facts.latest or (
        today - timedelta(days=facts.days_since) if facts.days_since is not None else None
    )
    first_ago = (today - latest).days if latest is not None else 1
    windows = sorted(days for days in facts.visits if days is not None)
    begun, placed = 0, 0
    for window in [*windows, None]:
        wanted = facts.visits.get(window)
        if wanted is None:
            continue
        if wanted < placed:
            raise CannotBeGiven("the visits contradict each other: fewer in more days")
        newest, oldest = max(begun + 1, first_ago), window or begun + AGES_AGO.days
        room = oldest - newest + 1
        if wanted > placed and room < 1:
            raise CannotBeGiven("the visits contradict each other: none of them is late enough")
        for number in range(wanted - placed):
            yield today - timedelta(days=newest + number % room)
        begun, placed = window or begun, wanted
    if latest is not None and not placed:
        yield latest


def _visit(day: date, number: int, zone: ZoneInfo) -> datetime:
    # A minute apart: a visit is known by its moment.
    return instant(day, _MIDDAY, zone) + timedelta(minutes=number % 60)


def _purchases(facts: _Facts, today: date, zone: ZoneInfo) -> Iterator[dict[str, Any]]:
    if not facts.purchases:
        return
    total = facts.purchases.get(SumOf.__name__) or 0
    number = facts.purchases.get(CountOf.__name__)
    latest = facts.purchases.get(LatestDay.__name__)
    number = (1 if total or latest else 0) if number is None else number
    for index in range(number):
        yield {
            "ref": f"P-{index}",
            "item": "",
            "amount": total / number,
            "purchased_at": instant(latest or today - timedelta(days=30), _MIDDAY, zone),
        }


def _package(
    facts: _Facts, definition: CampaignDefinition, when: Anchored, zone: ZoneInfo
) -> dict[str, Any]:
    at = when.moment(zone)
    return {
        "package": getattr(definition.trigger, "package", None) or PACKAGE,
        "remaining": 0,
        "expires_on": None,
        "updated_at": at,
        **{key: value for key, value in facts.package.items() if value is not None},
    }

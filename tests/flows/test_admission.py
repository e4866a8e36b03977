"""Admission by SQL equals the obvious model of the rules, on random stores, for every kind."""

import random
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from engines import Clock
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from making import NOW, make_club, rows_of
from occasion_model import Happened, Package, Person, Term, midnight, occasions
from sqlalchemy import delete, insert

from crm_messaging.template_library import TemplateLibrary
from crm_store.catalogue.field import FieldType
from crm_store.catalogue.standard import catalogue_of, custom_field
from crm_store.database import Store
from crm_store.models.activity import PackageBalance, Purchase, Visit
from crm_store.models.all import MODELS
from crm_store.models.campaign import Enrollment
from crm_store.models.customer import Customer
from crm_store.models.event import Event
from crm_store.models.membership import Membership
from crm_store.tables import table_of
from flows.admit import admit
from flows.campaigns import load_campaigns
from flows.engine import Engine
from triggers.check import CheckedFile
from triggers.definition import CampaignDefinition

CATALOGUE = catalogue_of([custom_field("medical_on", FieldType.DATE, "Medical check")])
TRIGGERS: list[dict[str, Any]] = [
    {"type": "membership_expiring"},
    {"type": "membership_expiring", "plans": ["annual"]},
    {"type": "birthday"},
    {"type": "date", "field": "customer.birth_date", "every": "year"},
    {"type": "date", "field": "customer.joined_on", "every": "year"},
    {"type": "date", "field": "customer.joined_on"},
    {"type": "date", "field": "custom.medical_on", "every": "year"},
    {"type": "date", "field": "custom.medical_on"},
    {"type": "date", "field": "membership.starts_on", "every": "year"},
    {"type": "date", "field": "membership.starts_on"},
    {"type": "date", "field": "membership.ends_on"},
    {"type": "date", "field": "package.expires_on"},
    {"type": "date", "holiday": "Diwali", "country": "IN"},
    {"type": "date", "holiday": "नए साल का दिन", "country": "IN"},
    {"type": "new_lead"},
    {"type": "new_lead", "sources": ["web", "5"]},
    {"type": "stage_change", "pipeline": "sales", "to": "trial"},
    {"type": "stage_change", "pipeline": "sales", "from": "new", "to": "trial"},
    {"type": "form", "form": "trial-signup"},
    {"type": "event", "name": "paid"},
    {"type": "event", "name": "paid", "where": {"amount": {"at_least": 5, "less_than": 100}}},
    {"type": "event", "name": "paid", "where": {"amount": 5}},
    {"type": "event", "name": "paid", "where": {"amount": "5"}},
    {"type": "event", "name": "paid", "where": {"amount": True}},
    {"type": "event", "name": "paid", "where": {"amount": [5, "5", False], "plan": "annual"}},
    {"type": "event", "name": "visit_recorded"},
    {"type": "event", "name": "purchase_recorded", "where": {"amount": {"more_than": 5}}},
    {"type": "event", "name": "purchase_recorded", "where": {"item": ["shake"]}},
    {"type": "balance_low", "at_most": 2},
    {"type": "balance_low", "at_most": 0, "package": "pt10"},
    {"type": "inactivity", "days": 14},
    {"type": "inactivity", "days": 3, "never": True},
    {"type": "inactivity", "below": "50%"},
    {"type": "inactivity", "below": "90%"},
    {"type": "schedule", "cron": "0 10 1 * *"},
    {"type": "schedule", "cron": "15 */6 * * *"},
    {"type": "schedule", "cron": "30 2 * * sun", "zone": "America/New_York"},
]
OFFSETS = [["0d"], ["now"], ["-30d", "-7d", "+3d"], ["+7d", "+14d"], ["-2h"], ["+400d"]]
ZONES = ["Asia/Kolkata", "America/New_York", "Pacific/Auckland", "UTC"]
MOMENTS = [
    NOW,
    datetime.fromisoformat("2026-11-08T06:10:00+00:00"),  # Diwali, and clocks just went back
    datetime.fromisoformat("2027-02-28T23:30:00+00:00"),
    datetime.fromisoformat("2028-02-29T10:00:00+00:00"),
    datetime.fromisoformat("2026-12-31T20:00:00+00:00"),
    datetime.fromisoformat("2027-03-01T00:00:00+00:00"),
]


@st.composite
def worlds(draw: Any) -> tuple[list[CampaignDefinition], list[Person], datetime, str]:
    """A campaign of each trigger, people who live near the edges of its rule, and a moment."""
    now = draw(st.sampled_from(MOMENTS)) + timedelta(minutes=draw(st.integers(-90, 90)))
    dice = random.Random(draw(st.integers(0, 10**6)))  # noqa: S311 - test data
    campaigns = [
        campaign(number, trigger, dice.choice(OFFSETS), dice.choice(("always", "once")))
        for number, trigger in enumerate(TRIGGERS)
    ]
    return campaigns, people(dice, now), now, draw(st.sampled_from(ZONES))


def campaign(
    number: int, trigger: dict[str, Any], offsets: list[str], reentry: str
) -> CampaignDefinition:
    steps = [{"id": f"s{index}", "at": at, "email": "a/b"} for index, at in enumerate(offsets)]
    named = {"campaign": f"c{number}", "name": "C", "topic": "t"}
    return CampaignDefinition.model_validate(
        named | {"trigger": trigger, "reentry": reentry, "steps": steps}
    )


def people(dice: random.Random, now: datetime) -> list[Person]:
    """Fifteen people, most of whose days lie within some weeks of now, or years before."""
    today = now.date()

    def near(days: int = 40) -> date:
        return today + timedelta(days=dice.randint(-days, days))

    def long_ago() -> date | None:
        day = near()
        year = dice.choice((day.year, day.year - 1, day.year - 2, 2004, 1960))
        chosen = dice.choice((day, date(2004, 2, 29), date(2004, 2, 28), date(2004, 3, 1), None))
        return chosen and (chosen if chosen.day == 29 else chosen.replace(year=year))

    def moment(days: int = 30) -> datetime:
        return now + timedelta(seconds=dice.randint(-days * 86_400, 2 * 86_400))

    def person() -> Person:
        starts = [near(400) for _ in range(dice.choice((0, 1, 1, 2)))]
        rhythm = dice.choice((0, 3, 12, 40))
        return Person(
            birth_date=long_ago(),
            joined_on=long_ago(),
            medical_on=dice.choice((long_ago(), near())),
            created_at=moment(5),
            terms=[
                Term(
                    start,
                    dice.choice((near(), start + timedelta(days=364))),
                    dice.choice(("annual", "monthly")),
                    dice.random() < 0.8,
                )
                for start in dict.fromkeys((*starts, *([near()] if dice.random() < 0.5 else [])))
            ],
            visits=sorted(
                {moment(dice.choice((20, 75))).replace(microsecond=0) for _ in range(rhythm)}
            ),
            packages=[
                Package(
                    name,
                    dice.randint(0, 4),
                    dice.choice((None, near(5))),
                    dice.choice((None, midnight(near()))),
                    moment(),
                )
                for name in dice.sample(("pt10", "yoga"), dice.randint(0, 2))
            ],
            events=[happened(dice, moment()) for _ in range(dice.randint(0, 4))],
        )

    return [person() for _ in range(15)]


def happened(dice: random.Random, at: datetime) -> Happened:
    values = (5, "5", 5.5, True, False, None, 100, -1, "annual", [5], {"a": 5}, 10**30)
    data: dict[str, Any] = {
        "lead_created": {"source": dice.choice(("web", "walk-in", 5, None))},
        "stage_changed": {
            "pipeline": "sales",
            "from": dice.choice(("new", "lost")),
            "to": dice.choice(("trial", "won")),
        },
        "form_submitted": {"form": dice.choice(("trial-signup", "other"))},
        "paid": {"amount": dice.choice(values), "plan": dice.choice(("annual", "x"))},
        "visit_recorded": {},
        "purchase_recorded": {
            "item": dice.choice(("shake", "belt")),
            "amount": dice.choice((2, 5, 7)),
        },
    }
    name = dice.choice(list(data))
    return Happened(name, at, data[name])


def test_admission_equals_the_model(store: Store, tmp_path: Path) -> None:
    library = TemplateLibrary(tmp_path, CATALOGUE, ["en"])
    seen: set[str] = set()

    @settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
    @given(world=worlds())
    def agree(world: tuple[list[CampaignDefinition], list[Person], datetime, str]) -> None:
        campaigns, crowd, now, zone = world
        club = fill(store, crowd, zone)
        engine = Engine(store, club, ZoneInfo(zone), CATALOGUE, library, None, {}, Clock(now))
        files = [CheckedFile(tmp_path, definition) for definition in campaigns]
        running, _ = load_campaigns(store, files, CATALOGUE, now)
        for definition, one in zip(campaigns, running, strict=True):
            expected = occasions(definition, crowd, now, ZoneInfo(zone))
            assert admit(engine, one) == len(expected), definition.trigger
            assert enrolled(store, one.slug) == expected, definition.trigger
            assert admit(engine, one) == 0
            if expected:
                seen.add(str(definition.trigger))

    agree()
    # Whoever changes the people above sees here whether each trigger still has somebody.
    assert len(seen) > 0.5 * len(TRIGGERS), seen


def enrolled(store: Store, campaign: str) -> set[tuple[int, str, date | datetime]]:
    columns = ("campaign", "customer_id", "occurrence", "anchor_on", "anchor_at")
    return {
        (customer, occurrence, on or at)
        for slug, customer, occurrence, on, at in rows_of(store, Enrollment, *columns)
        if slug == campaign
    }


def fill(store: Store, crowd: list[Person], zone: str) -> int:
    """Empty the store and write these people; each gets her ids."""
    with store.write() as connection:
        for model in reversed(MODELS):
            connection.execute(delete(table_of(model)))
    club = make_club(store, timezone=zone)
    base = {"language": "en", "updated_at": NOW}
    with store.write() as connection:

        def write(model: Any, rows: list[dict[str, Any]]) -> None:
            if rows:
                connection.execute(insert(table_of(model)), rows)

        for number, person in enumerate(crowd, 1):
            person.id = number
        write(
            Customer,
            [
                {
                    **base,
                    "id": one.id,
                    "club_id": club,
                    "ref": f"M-{one.id}",
                    "first_name": "",
                    "last_name": "",
                    "birth_date": one.birth_date,
                    "joined_on": one.joined_on,
                    "custom": {"medical_on": one.medical_on.isoformat()} if one.medical_on else {},
                    "created_at": one.created_at,
                }
                for one in crowd
            ],
        )
        write(Membership, [_term(person, one) for person in crowd for one in person.terms])
        write(
            PackageBalance, [_package(person, one) for person in crowd for one in person.packages]
        )
        visits, purchases, events = [], [], []
        for person in crowd:
            for visit in person.visits:
                visits.append({"customer_id": person.id, "visited_at": visit})
            for one in person.events:
                one.id = _serial()
                row = {"id": one.id, "customer_id": person.id}
                if one.name == "visit_recorded":
                    one.at = one.at.replace(microsecond=one.id % 1_000_000)
                    person.visits.append(one.at)
                    visits.append(row | {"visited_at": one.at})
                elif one.name == "purchase_recorded":
                    purchases.append(row | one.data | {"ref": str(one.id), "purchased_at": one.at})
                else:
                    events.append(
                        row
                        | {"name": one.name, "data": one.data, "source": "t"}
                        | {"source_id": str(one.id), "occurred_at": one.at, "recorded_at": one.at}
                    )
        for row in visits:
            row.setdefault("id", _serial())
        write(Visit, visits)
        write(Purchase, purchases)
        write(Event, events)
        # Every visit is an event too.
        known = {one.id for person in crowd for one in person.events}
        for row in visits:
            if row["id"] not in known:
                crowd[row["customer_id"] - 1].events.append(
                    Happened("visit_recorded", row["visited_at"], id=row["id"])
                )
    return club


_last = [0]


def _serial() -> int:
    _last[0] += 1
    return _last[0]


def _term(person: Person, one: Term) -> dict[str, Any]:
    one.id = _serial()
    return {
        "id": one.id,
        "customer_id": person.id,
        "ref": str(one.id),
        "plan": one.plan,
        "starts_on": one.starts_on,
        "ends_on": one.ends_on,
        "auto_renew": False,
        "status": "active" if one.active else "cancelled",
        "created_at": NOW,
        "updated_at": NOW,
    }


def _package(person: Person, one: Package) -> dict[str, Any]:
    one.id = _serial()
    return {
        "id": one.id,
        "customer_id": person.id,
        "package": one.package,
        "remaining": one.remaining,
        "expires_on": one.expires_on,
        "filled_at": one.filled_at,
        "updated_at": one.updated_at,
    }

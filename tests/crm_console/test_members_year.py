"""A member's year: the starter campaigns together, day by day, through the real engine.

The trade's advice is ten to fifteen contacts a year, each for a reason.
"""

import asyncio
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, select

from crm_console.new_club import ClubFacts, make_club
from crm_store.dossiers import Dossier, Term, insert_dossiers
from crm_store.events import record
from crm_store.models.customer import Customer
from crm_store.models.membership import Membership, MembershipStatus
from crm_store.models.touchpoint import Touchpoint
from crm_store.tables import table_of
from flows.campaigns import load_campaigns
from flows.foresight.play import HandClock, Play
from flows.foresight.scratch_engine import engine_on_nothing
from flows.project import keep_facts, open_project

ZONE = ZoneInfo("Asia/Kolkata")
FIRST, LAST = date(2026, 3, 2), date(2027, 3, 1)
"""The year that is looked at: the first and last day of a term."""
MONDAY, THURSDAY = 0, 3
OF_OTHERS = {
    *("new-lead", "trial", "trial-attended", "trial-missed", "payment-failed", "package-low"),
    *("freeze", "freeze-over", "cancellation", "nps-referral", "nps-care"),
}
"""Campaigns that start with what happens to nobody here: looking for it each day takes time."""
Sent = tuple[datetime, str, str]
"""When, which campaign and which step."""


@dataclass(frozen=True)
class Member:
    """Somebody, and how her year goes."""

    name: str
    joined_on: date = FIRST
    visits_on: tuple[int, ...] = (MONDAY, THURSDAY)
    away: tuple[date, date] | None = None
    renews: int | None = None
    """Days before the end on which she renews."""


MEMBERS = [
    Member("new, regular, renews in time", renews=20),
    Member("new, regular, renews after the offer", renews=5),
    Member("new, regular, lets it end"),
    Member("new, once a week, renews", visits_on=(MONDAY,), renews=10),
    Member("new, away in autumn", away=(date(2026, 9, 1), date(2026, 10, 15)), renews=10),
    Member("third year, regular, renews", joined_on=date(2024, 3, 2), renews=10),
    Member("third year, regular, lets it end", joined_on=date(2024, 3, 2)),
    Member("third year, once a week", joined_on=date(2024, 3, 2), visits_on=(MONDAY,), renews=10),
]


def evening(day: date) -> datetime:
    return datetime.combine(day, time(18), ZONE).astimezone(UTC)


def dossier(number: int, member: Member) -> Dossier:
    made = evening(member.joined_on) - timedelta(hours=10)
    customer = {
        "ref": f"M-{number}",
        "first_name": member.name,
        "last_name": "",
        "email": f"m{number}@example.org",
        "phone": f"+9198765{number:05d}",
        "language": ("en", "hi", "ru")[number % 3],
        "timezone": None,
        "birth_date": date(1990, 7, 14),
        "joined_on": member.joined_on,
        "pipeline": None,
        "stage": None,
        "stage_changed_at": None,
        "score": 0,
        "source": None,
        "custom": {},
        "created_at": made,
        "updated_at": made,
    }
    days = [FIRST + timedelta(days=day) for day in range((LAST - FIRST).days)]
    if member.joined_on < FIRST:
        days = [day - timedelta(days=364) for day in days] + days
    away = member.away or (date.max, date.min)
    return Dossier(
        customer,
        terms=[Term(term(number, FIRST, LAST, made))],
        visits=[
            evening(day)
            for day in days
            if day.weekday() in member.visits_on and not away[0] <= day <= away[1]
        ],
    )


def term(number: int, first: date, last: date, made: datetime) -> dict[str, Any]:
    return {
        "ref": f"T-{number}",
        "plan": "annual",
        "starts_on": first,
        "ends_on": last,
        "auto_renew": False,
        "status": MembershipStatus.ACTIVE.value,
        "created_at": made,
        "updated_at": made,
    }


@dataclass(frozen=True)
class Renewal:
    """She renews: the new term, and the event that an import of it records."""

    customer_id: int
    number: int
    at: datetime

    def __call__(self, connection: Connection) -> None:
        first = LAST + timedelta(days=1)
        values = term(self.number, first, first + timedelta(days=364), self.at)
        table = table_of(Membership)
        connection.execute(table.insert().values(customer_id=self.customer_id, **values))
        record(
            connection,
            customer_id=self.customer_id,
            name="membership_renewed",
            data={},
            source="test",
            occurred_at=self.at,
            now=self.at,
        )


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Sent]]:
    """By member's name, the messages of the year in their order, by her clock."""
    folder = tmp_path_factory.mktemp("year") / "lotus"
    make_club(folder, ClubFacts.of("Lotus Fitness", ZONE.key, "IN", ("en", "hi", "ru")))
    project = open_project(folder)
    clock = HandClock(datetime.combine(FIRST, time(), ZONE).astimezone(UTC))
    with engine_on_nothing(project, clock) as engine:
        with engine.store.write() as connection:
            club_id = keep_facts(project, connection, clock.now)
            insert_dossiers(connection, club_id, [dossier(n, one) for n, one in enumerate(MEMBERS)])
            customer = table_of(Customer)
            found = connection.execute(select(customer.c.first_name, customer.c.id))
            ids = {row.first_name: row.id for row in found}
        files = project.check()
        assert {one.name for one in files} > OF_OTHERS
        files = [one for one in files if one.name not in OF_OTHERS]
        running, broken = load_campaigns(engine.store, files, engine.catalogue, clock.now)
        assert broken == []
        play = Play(engine, clock, running)
        for number, member in enumerate(MEMBERS):
            if member.renews is not None:
                at = evening(LAST - timedelta(days=member.renews))
                play.will_happen(at, Renewal(ids[member.name], number, at))
        asyncio.run(play.run(datetime.combine(LAST, time(23), ZONE).astimezone(UTC)))
        table = table_of(Touchpoint)
        query = select(table).where(table.c.state == "accepted").order_by(table.c.sent_at)
        with engine.store.read() as connection:
            rows = connection.execute(query).all()
    return {
        name: [
            (row.sent_at.astimezone(ZONE), row.campaign, row.step)
            for row in rows
            if row.customer_id == key
        ]
        for name, key in ids.items()
    }


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: member.name)
def test_a_year_holds_ten_to_fifteen_contacts(member: Member, year: dict[str, list[Sent]]) -> None:
    sent = year[member.name]
    assert 10 <= len(sent) <= 15, sent
    for at, _, _ in sent:
        assert time(9) <= at.time() < time(21), at
        assert sum(at <= later < at + timedelta(days=7) for later, _, _ in sent) <= 2, sent
    assert len({(campaign, step) for _, campaign, step in sent}) == len(sent)


def test_each_hears_what_her_own_year_asks_for(year: dict[str, list[Sent]]) -> None:
    said = {name: {campaign for _, campaign, _ in sent} for name, sent in year.items()}
    newcomers = {one.name for one in MEMBERS if one.joined_on == FIRST}
    renewed = {one.name for one in MEMBERS if one.renews is not None}
    away = {one.name for one in MEMBERS if one.away is not None}
    assert {name for name in said if "adaptation" in said[name]} == newcomers
    assert {name for name in said if "anniversary" in said[name]} == said.keys() - newcomers
    assert {name for name in said if "mid-term" in said[name]} == said.keys() - newcomers
    assert {name for name in said if "renewal-thanks" in said[name]} == renewed
    assert {name for name in said if "attendance-drop" in said[name]} == away
    in_time = year["new, regular, renews in time"]
    assert [step for _, campaign, step in in_time if campaign == "membership-renewal"] == [
        "heads_up"
    ]

"""Days on which programs go wrong, played through real sweeps: each row is one customer's message.

A minute before its time nothing has left, at its time it has, and two hours later there is no
second one.
"""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest_asyncio
from engines import Workshop, workshop
from making import make_customer, make_event, make_membership, rows_of
from sqlalchemy import update

from crm_store.database import Store
from crm_store.models.customer import Customer
from crm_store.models.membership import Membership
from crm_store.models.touchpoint import Touchpoint
from crm_store.tables import table_of

NEW_YORK, KOLKATA = "America/New_York", "Asia/Kolkata"
BIRTHDAY = "{type: birthday}"
JOINED = "{type: date, field: customer.joined_on, every: year}"
TERM = "{type: date, field: membership.starts_on, every: year}"
MEDICAL = "{type: date, field: customer.joined_on}"
EXPIRY = "{type: membership_expiring}"
DIWALI = "{type: date, holiday: Diwali, country: IN}"
VICTORY = "{type: date, holiday: День Победы, country: RU}"


@dataclass(frozen=True)
class Row:
    what: str
    trigger: str
    clock: str
    zone: str
    expected: str
    """As the clocks where she lives show it."""
    at: str = "0d"
    born: str | None = None
    joined: str | None = None
    term: tuple[str, str] | None = None
    event: str | None = None
    more: dict[str, Any] = field(default_factory=dict)


TABLE = [
    # The clocks skip the time: the first moment after the gap.
    Row("gap, New York", BIRTHDAY, "02:30", NEW_YORK, "2026-03-08 03:00 -0400", born="1990-03-08"),
    Row("gap, Lord Howe", BIRTHDAY, "02:15", "Australia/Lord_Howe", "2026-10-04 02:30 +1100",
        born="1990-10-04"),
    Row("gap, Santiago", BIRTHDAY, "00:30", "America/Santiago", "2026-09-06 01:00 -0300",
        born="1990-09-06"),
    Row("gap, Beirut", BIRTHDAY, "00:00", "Asia/Beirut", "2026-03-29 01:00 +0300",
        born="1990-03-29"),
    Row("gap, Cairo", BIRTHDAY, "00:30", "Africa/Cairo", "2026-04-24 01:00 +0300",
        born="1990-04-24"),
    # The time comes twice: the first of the two, and once.
    Row("fold, New York", BIRTHDAY, "01:30", NEW_YORK, "2026-11-01 01:30 -0400",
        born="1990-11-01"),
    Row("fold, by the clock", "{type: schedule, cron: '30 1 * * *', zone: America/New_York}", "",
        NEW_YORK, "2026-11-01 01:30 -0400"),
    Row("gap, by the clock", "{type: schedule, cron: '30 2 * * *', zone: America/New_York}", "",
        NEW_YORK, "2026-03-08 03:00 -0400"),
    # 29 February.
    *(
        Row(f"leap birthday {day}", BIRTHDAY, "09:00", KOLKATA, f"{day} 09:00 +0530",
            born="1992-02-29")
        for day in ("2023-02-28", "2024-02-29", "2025-02-28", "2026-02-28", "2027-02-28",
                    "2028-02-29")
    ),
    Row("leap anniversary", JOINED, "09:00", KOLKATA, "2027-02-28 09:00 +0530",
        joined="2024-02-29"),
    Row("leap term", TERM, "09:00", KOLKATA, "2025-02-28 09:00 +0530",
        term=("2024-02-29", "2025-08-31")),
    Row("28 February in a leap year", BIRTHDAY, "09:00", KOLKATA, "2028-02-28 09:00 +0530",
        born="1992-02-28"),
    Row("new year", JOINED, "00:00", KOLKATA, "2027-01-01 00:00 +0530", joined="2020-01-01"),
    # The other side of the date line, of a club in Pune.
    Row("Kiritimati", BIRTHDAY, "09:00", "Pacific/Kiritimati", "2026-06-14 09:00 +1400",
        born="1990-06-14"),
    Row("Niue", BIRTHDAY, "23:00", "Pacific/Niue", "2026-06-14 23:00 -1100", born="1990-06-14"),
    Row("Niue, once", MEDICAL, "23:00", "Pacific/Niue", "2026-06-14 23:00 -1100",
        joined="2026-06-14"),
    # Festivals move.
    Row("Diwali 2026", DIWALI, "10:00", KOLKATA, "2026-11-08 10:00 +0530"),
    Row("Diwali 2027", DIWALI, "10:00", KOLKATA, "2027-10-29 10:00 +0530"),
    Row("before Diwali", DIWALI, "10:00", KOLKATA, "2026-11-01 10:00 +0530", at="-7d"),
    Row("a Russian name", VICTORY, "10:00", "Asia/Vladivostok", "2026-05-09 10:00 +1000"),
    # A month's end is no month later.
    Row("thirty days before 1 March", EXPIRY, "10:30", KOLKATA, "2027-01-30 10:30 +0530",
        at="-30d", term=("2026-03-02", "2027-03-01")),
]  # fmt: skip


@pytest_asyncio.fixture
async def shared(sqlite_store: Store, tmp_path: Path) -> AsyncIterator[Workshop]:
    """One club for all the rows: each has its own customer and campaign."""
    async with workshop(sqlite_store, tmp_path / "club") as made:
        yield made


async def test_the_table(shared: Workshop) -> None:
    wrong = {}
    for number, row in enumerate(TABLE):
        told = await _play(shared, number, row)
        if told != (0, 1, 1):
            wrong[row.what] = told
    assert wrong == {}


async def _play(club: Workshop, number: int, row: Row) -> tuple[int, int, int]:
    """How many had left a minute before, at the time, and two hours later."""
    due = datetime.strptime(row.expected, "%Y-%m-%d %H:%M %z")
    assert due.astimezone(ZoneInfo(row.zone)).strftime("%Y-%m-%d %H:%M %z") == row.expected
    customer = make_customer(
        club.store,
        timezone=row.zone,
        birth_date=row.born and date.fromisoformat(row.born),
        joined_on=row.joined and date.fromisoformat(row.joined),
        created_at=due - timedelta(days=300),
        source=f"row{number}",
    )
    if row.term:
        start, end = map(date.fromisoformat, row.term)
        make_membership(club.store, customer, starts_on=start, ends_on=end)
    clock = f'time: "{row.clock}", ' if row.clock else ""
    club.campaign(
        f"""
        campaign: row{number}
        name: {row.what}
        topic: news
        trigger: {row.trigger}
        where: customer.source == "row{number}"
        defaults: {{{clock}late: {{grace: 3h}}}}
        steps: [{{id: a, at: "{row.at if row.clock else "now"}", email: note/one}}]
        """
    )
    counts = []
    for moment in (due - timedelta(minutes=1), due, due + timedelta(hours=2)):
        club.clock.now = moment.astimezone(UTC)
        await club.sweep()
        rows = rows_of(club.store, Touchpoint, "campaign", "customer_id", "state")
        counts.append(rows.count((f"row{number}", customer, "accepted")))
    return counts[0], counts[1], counts[2]


MOVED = """
campaign: renewal
name: Renewal
topic: renewals
trigger: {type: membership_expiring}
defaults: {time: "10:00"}
steps:
  - {id: month, at: -30d, email: note/one}
  - {id: week, at: -7d, email: note/two}
"""


async def test_a_moved_expiry_moves_what_has_not_left(club: Workshop) -> None:
    club.campaign(MOVED)
    customer = make_customer(club.store)
    term = make_membership(club.store, customer, ends_on=date(2026, 12, 31))
    table = table_of(Membership)
    sent: dict[str, list[str]] = {}
    for day in range(1, 75):
        club.clock.now = datetime(2026, 11, 20, 5, tzinfo=UTC) + timedelta(days=day)
        if day == 20:
            with club.store.write() as connection:
                moved = update(table).where(table.c.id == term)
                connection.execute(moved.values(ends_on=date(2027, 1, 20)))
        if day in (10, 11, 12, 33, 34, 35, 53, 54, 55):
            await club.sweep()
    for step, state, due in club.ledger("step", "state", "due_at"):
        sent.setdefault(str(state), []).append(f"{step} {due:%m-%d}")
    assert sent == {"accepted": ["month 12-01", "week 01-13"]}


OUTAGE = {
    "birthday": """
        campaign: birthday
        name: Birthday
        topic: news
        trigger: {type: birthday}
        defaults: {time: "09:00", late: {grace: 10h}}
        steps: [{id: wishes, at: 0d, email: note/one}]
        """,
    "news": """
        campaign: news
        name: News
        topic: news
        trigger: {type: schedule, cron: "0 10 * * *"}
        steps: [{id: news, at: now, email: note/two}]
        """,
    "renewal": """
        campaign: renewal
        name: Renewal
        topic: renewals
        trigger: {type: membership_expiring}
        defaults: {time: "10:00"}
        steps: [{id: week, at: -7d, email: note/three}, {id: six, at: -6d, email: note/one}]
        """,
    "leads": """
        campaign: leads
        name: Leads
        topic: news
        trigger: {type: new_lead}
        steps: [{id: hello, at: now, sms: note/short, late: {grace: 4h}}]
        """,
}


async def test_after_36_hours_only_what_is_still_useful(club: Workshop) -> None:
    """Down from Friday 20:00 to Sunday 08:00 in Pune."""
    for name, text in OUTAGE.items():
        club.campaign(text, name)
    saturday, sunday = date(2026, 11, 21), date(2026, 11, 22)
    born_saturday = make_customer(club.store, birth_date=saturday.replace(year=1990))
    born_sunday = make_customer(club.store, birth_date=sunday.replace(year=1990))
    expiring = make_customer(club.store)
    make_membership(club.store, expiring, ends_on=saturday + timedelta(days=7))
    down = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
    club.clock.now = down
    await club.sweep()
    before = len(club.ledger())
    asked = make_customer(club.store, created_at=down + timedelta(days=2))
    make_event(club.store, asked, occurred_at=down + timedelta(hours=30))
    club.clock.now = down + timedelta(hours=36)
    await club.sweep()
    assert club.clock.now == datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
    made = club.ledger("customer_id", "step", "state", "reason")[before:]
    people = {born_saturday, born_sunday, expiring}
    assert sorted(map(str, made)) == sorted(
        map(
            str,
            [
                *((one, "news", "accepted", None) for one in people),
                (born_saturday, "wishes", "expired", "too_late"),
                (expiring, "week", "accepted", None),
                (asked, "hello", "expired", "joined_late"),
            ],
        )
    )
    club.clock.on(hours=3)
    await club.sweep()
    later = club.ledger("customer_id", "step", "state")[before + len(made) :]
    assert (born_sunday, "wishes", "accepted") in later
    assert (expiring, "six", "accepted") in later
    assert [step for _, step, _ in later].count("news") == len(rows_of(club.store, Customer)) - 1
    await club.sweep()
    assert len(club.ledger()) == before + len(made) + len(later)

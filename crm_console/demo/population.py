"""The population of the demonstration: a club with work for every trigger on its day.

Everything follows from the seed and the day. On that day at half past ten, club time, there are
terms that end in 30, 14, 7 and 1 days and that ended 3 days ago, birthdays, leads of today and
yesterday, leads who booked, missed or had a trial, and members whose payment failed, who answered,
froze or cancelled this morning.
"""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from itertools import islice
from random import Random
from typing import Any

from crm_console.demo.happened import happened
from crm_console.demo.leads import lead
from crm_console.demo.membership_history import (
    ANNUAL,
    HALF_YEAR,
    MONTHLY,
    Plan,
    add_freeze,
    add_purchases,
    add_terms,
    add_visits,
)
from crm_console.demo.people import People, at, some_day
from crm_store.database import Store
from crm_store.dossiers import Dossier, insert_dossiers
from crm_store.event_names import MEMBERSHIP_CANCELLED
from crm_store.models.membership import MembershipStatus

ENDING_IN = (30, 14, 7, 1, -3)
"""Days from today on which a renewal campaign has something to say."""
THIS_MORNING: tuple[tuple[str, dict[str, Any]], ...] = (
    ("payment_failed", {"amount": 3_000}),
    ("nps_answered", {"score": 10}),
    ("nps_answered", {"score": 4}),
    ("membership_frozen", {}),
    (MEMBERSHIP_CANCELLED, {}),
)
"""What happened to a few members each, and campaigns start with."""
BATCH = 500


def populate(
    store: Store,
    club_id: int,
    *,
    seed: int,
    today: date,
    members: int,
    on_progress: Callable[[int], None] = lambda _people: None,
) -> int:
    """Write the population into an empty club in one transaction; return its number of people."""
    people = make_population(seed, today, members)
    written = 0
    with store.write() as connection:
        while batch := list(islice(people, BATCH)):
            insert_dossiers(connection, club_id, batch)
            written += len(batch)
            on_progress(written)
    return written


def make_population(seed: int, today: date, members: int) -> Iterator[Dossier]:
    """About `members` people, leads among them; below some 500 the daily work makes them more."""
    chance = Random(seed)  # noqa: S311 - a demonstration, not a secret
    people = People(chance)
    daily = max(18, members // 200)
    made = 0
    for dossier in _with_work(people, chance, today, daily):
        made += 1
        yield dossier
    for _ in range(members * 6 // 100):
        made += 1
        yield _older_lead(people, chance, today)
    for _ in range(members - made):
        yield _member(people, chance, today)


def _with_work(people: People, chance: Random, today: date, daily: int) -> Iterator[Dossier]:
    """The people about whom a campaign has something to do today."""
    for days in ENDING_IN:
        for _ in range(daily):
            plan = chance.choice((ANNUAL, HALF_YEAR))
            yield _with_terms(people, chance, today, plan, today + timedelta(days=days))
    for _ in range(daily):
        ends_on = today + timedelta(days=chance.randint(40, 300))
        yield _with_terms(people, chance, today, ANNUAL, ends_on, birthday=today)
    for number in range(2 * daily):
        yield lead(people, chance, today, days_ago=number % 2, stage="new", moved_ago=number % 2)
    for _ in range(daily):
        days_ago = chance.randint(2, 10)
        yield lead(people, chance, today, days_ago=days_ago, stage="trial_booked", moved_ago=0)
    few = max(3, daily // 6)
    for stage in ("trial_missed", "trial_attended"):
        for _ in range(few):
            days_ago = chance.randint(4, 12)
            yield lead(people, chance, today, days_ago=days_ago, stage=stage, moved_ago=1)
    for name, data in THIS_MORNING:
        for _ in range(few):
            ends_on = today + timedelta(days=chance.randint(60, 300))
            dossier = _with_terms(people, chance, today, ANNUAL, ends_on)
            happened(dossier, today, name, data, at(today, chance.randint(9, 10)))
            if name == MEMBERSHIP_CANCELLED:
                dossier.terms[-1].values["status"] = MembershipStatus.CANCELLED.value
            elif name == "membership_frozen":
                dossier.terms[-1].freezes = [(today, today + timedelta(days=20))]
            yield dossier


def _older_lead(people: People, chance: Random, today: date) -> Dossier:
    days_ago = chance.randint(2, 90)
    stages = ("new", "contacted", "trial_booked", "trial_attended", "won", "lost")
    stage = chance.choices(stages, (10, 25, 10, 15, 15, 25))[0]
    moved_ago = days_ago if stage == "new" else chance.randint(1, days_ago - 1)
    dossier = lead(people, chance, today, days_ago=days_ago, stage=stage, moved_ago=moved_ago)
    if stage == "won":
        starts_on = today - timedelta(days=moved_ago)
        plan = chance.choice((ANNUAL, HALF_YEAR))
        ends_on = starts_on + timedelta(days=plan.days - 1)
        add_terms(dossier, chance, plan, ends_on, terms=1, auto_renew=False)
        add_visits(dossier, chance, today)
    return dossier


def _member(people: People, chance: Random, today: date) -> Dossier:
    plan = chance.choices((ANNUAL, HALF_YEAR, MONTHLY), (60, 25, 15))[0]
    # One in six has left; the others' terms end any day of the plan's length.
    first = today - timedelta(days=200) if chance.random() < 0.16 else today
    last = today - timedelta(days=1) if first < today else today + timedelta(days=plan.days - 1)
    ends_on = some_day(chance, first, last)
    auto_renew = chance.random() < (0.6 if plan is MONTHLY else 0.12)
    return _with_terms(people, chance, today, plan, ends_on, auto_renew=auto_renew)


def _with_terms(
    people: People,
    chance: Random,
    today: date,
    plan: Plan,
    ends_on: date,
    *,
    auto_renew: bool = False,
    birthday: date | None = None,
) -> Dossier:
    terms = chance.randint(1, 3)
    joined_on = ends_on - timedelta(days=terms * plan.days - 1)
    dossier = people.person(min(joined_on, today) - timedelta(days=5), birthday=birthday)
    add_terms(dossier, chance, plan, ends_on, terms=terms, auto_renew=auto_renew)
    add_visits(dossier, chance, today)
    add_purchases(dossier, chance, today)
    if chance.random() < 0.05:
        dossier.tags.append("vip")
    # Colleagues and frozen terms stand beside the day's work, not in its place.
    elif (ends_on - today).days not in ENDING_IN:
        if chance.random() < 0.01:
            dossier.tags.append("staff")
        elif chance.random() < 0.04:
            add_freeze(dossier, chance, today)
    return dossier

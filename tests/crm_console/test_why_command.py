"""`sampark why`: what was decided, and by which line; it agrees with the ledger."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from making import (
    make_consent,
    make_customer,
    make_event,
    make_freeze,
    make_membership,
    rows_of,
)
from sqlalchemy import update

from crm_console.rule_places import RulePlaces
from crm_console.trail import trail_of, waiting
from crm_store.database import Store
from crm_store.event_names import STAGE_CHANGED
from crm_store.events import record
from crm_store.models.campaign import Enrollment
from crm_store.models.consent import Consent
from crm_store.models.customer import Customer
from crm_store.models.membership import Membership, MembershipFreeze
from crm_store.models.touchpoint import Touchpoint
from crm_store.pauses import pause
from crm_store.scratch import forget_everybody
from crm_store.tables import table_of
from flows.campaigns import load_campaigns
from flows.foresight.play import HandClock, Play
from flows.foresight.scratch_engine import engine_on, engine_on_nothing
from flows.project import Project, open_club, open_project

NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
TODAY = date(2026, 11, 22)
RENEWAL = """\
campaign: renewal
name: Renewal
topic: renewals
trigger: {type: membership_expiring}
where: |
  not membership.auto_renew and
  "staff" not in customer.tags
exit_on: [membership_renewed]
pause_while: membership.frozen
defaults:
  time: "10:30"
  quiet_hours: "21:00-10:00"
  cap: {max: 1, per: 3d, else: skip}
steps:
  - id: month
    at: -30d
    email: renewal/heads_up
  - id: again
    at: -29d
    email: renewal/heads_up
  - id: hindi
    at: -20d
    if: customer.language == "hi"
    email: renewal/recap
  - id: week
    at: -7d
    sms: renewal/last_day
"""
HELD_OUT = """
campaign: held
name: Held
topic: renewals
trigger: {type: membership_expiring}
holdout: 50%
steps:
  - {id: one, at: -30d, email: renewal/heads_up}
"""


@pytest.fixture
def renewing(club: Path) -> Project:
    """The club with one campaign."""
    for file in (club / "campaigns").iterdir():
        file.unlink()
    (club / "campaigns" / "renewal.yaml").write_text(RENEWAL)
    return open_project(club)


def play(project: Project, store: Store, days: float, begin: datetime = NOW) -> None:
    """Sweep through some days."""
    clock = HandClock(begin)
    engine = engine_on(project, store, clock)
    running, _ = load_campaigns(store, project.check(), engine.catalogue, begin)
    asyncio.run(Play(engine, clock, running).run(begin + timedelta(days=days)))


def test_the_rule_that_decided_is_named(
    renewing: Project, sampark: Callable[..., Any], answer: Callable[..., Any]
) -> None:
    with open_club(renewing, lambda: NOW) as (store, _):
        asha = make_customer(store, ref="M-1", language="en")
        make_membership(store, asha, ends_on=TODAY + timedelta(days=30))
        play(renewing, store, 11)
        make_event(store, asha, "membership_renewed", occurred_at=NOW + timedelta(days=11))
        play(renewing, store, 1, NOW + timedelta(days=12))
        with store.write() as connection:
            pause(connection, "renewal", "the offer is wrong", NOW)
    (told,) = answer("why", "M-1")["enrollments"]
    assert [(one["step"], one["state"], one["reason"], one["rule"]) for one in told["steps"]] == [
        ("month", "accepted", None, None),
        ("again", "suppressed", "cap", "campaigns/renewal.yaml:13"),
        ("hindi", "suppressed", "condition", "campaigns/renewal.yaml:23"),
    ]
    assert (told["status"], told["rule"]) == ("exited", "campaigns/renewal.yaml:8")
    assert told["paused"] == "the offer is wrong"
    shown = sampark("why", "M-1").stdout
    assert "the step's condition did not hold (campaigns/renewal.yaml:23)" in shown
    assert "an exit event ended it (campaigns/renewal.yaml:8)" in shown
    assert "The campaign is paused, and nothing of it leaves: the offer is wrong." in shown


def test_a_changed_file_is_not_blamed(renewing: Project, answer: Callable[..., Any]) -> None:
    with open_club(renewing, lambda: NOW) as (store, _):
        asha = make_customer(store, ref="M-1", language="en")
        make_membership(store, asha, ends_on=TODAY + timedelta(days=30))
        play(renewing, store, 11)
    file = renewing.campaigns_folder / "renewal.yaml"
    file.write_text(RENEWAL.replace("-20d", "-19d"))
    (told,) = answer("why", "M-1")["enrollments"]
    assert {one["rule"] for one in told["steps"]} == {None}


def test_who_never_entered_is_told_which_part_was_false(
    renewing: Project, sampark: Callable[..., Any], answer: Callable[..., Any]
) -> None:
    with open_club(renewing, lambda: NOW) as (store, _):
        vip = make_customer(store, ref="M-1", tags=("staff",))
        make_membership(store, vip, ends_on=TODAY + timedelta(days=20))
        make_customer(store, ref="M-2")
    (told,) = answer("why", "M-1")["not_in"]
    assert (told["has_occasion"], told["admitted"]) == (True, False)
    assert told["false_parts"] == ['"staff" not in customer.tags']
    assert told["facts"] == {"customer.tags": ["staff"]}
    assert told["rule"] == "campaigns/renewal.yaml:5"
    shown = sampark("why", "M-1").stdout
    assert 'does not hold: "staff" not in customer.tags (campaigns/renewal.yaml:5)' in shown
    (told,) = answer("why", "M-2")["not_in"]
    assert (told["has_occasion"], told["admitted"], told["false_parts"]) == (False, True, [])


def test_an_opt_out_of_a_channel_is_not_one_of_what_was_bought(
    sampark: Callable[..., Any], club: Path
) -> None:
    members = club / "members.csv"
    members.write_text("Member No,Email,Email Opt Out\nM-2,ravi@example.org,yes\n")
    sampark("import", "customers", str(members))
    assert "Opted out of email, all topics but transactional ones" in sampark("why", "M-2").stdout


def test_campaigns_that_wait_for_their_occasion_share_a_line(
    club: Path, sampark: Callable[..., Any]
) -> None:
    with open_club(open_project(club), lambda: NOW) as (store, _):
        make_customer(store, ref="M-1")
    _, _, outside = sampark("why", "M-1").stdout.partition("Not in:")
    assert outside.strip().startswith("Their occasion has not come: adaptation, anniversary,")
    alone = sampark("why", "M-1", "first-visit").stdout
    assert "its condition does not hold: visits.total == 1" in " ".join(alone.split())


def test_what_comes_next_and_when(renewing: Project, sampark: Callable[..., Any]) -> None:
    with open_club(renewing, lambda: NOW) as (store, _):
        asha = make_customer(store, ref="M-1")
        make_membership(store, asha, ends_on=TODAY + timedelta(days=28))
        play(renewing, store, 0)
    shown = sampark("why", "M-1").stdout
    assert "Next: hindi of renewal, Mon 30 Nov 2026, 10:30." in shown


def test_what_a_freeze_holds_is_told(renewing: Project) -> None:
    with open_club(renewing, lambda: NOW) as (store, _):
        asha = make_customer(store, ref="M-1")
        term = make_membership(store, asha, ends_on=TODAY + timedelta(days=31))
        play(renewing, store, 0.9)
        make_freeze(store, term, TODAY)
        clock = HandClock(NOW + timedelta(days=1, hours=1))
        engine, files = engine_on(renewing, store, clock), renewing.check()
        places = RulePlaces(files, renewing.folder)
        with store.read() as connection:
            trail = trail_of(connection, engine, asha, files=files, places=places, now=clock.now)
    month = trail.enrollments[0].steps[0]
    assert (month.step, month.held, month.rule) == ("month", True, "campaigns/renewal.yaml:9")


def test_who_is_held_out_is_told_so(renewing: Project, answer: Callable[..., Any]) -> None:
    (renewing.campaigns_folder / "renewal.yaml").write_text(HELD_OUT)
    with open_club(renewing, lambda: NOW) as (store, _):
        for _ in range(12):
            make_membership(store, make_customer(store), ends_on=TODAY + timedelta(days=30))
        play(renewing, store, 1)
        held = [one for one, status in rows_of(store, Enrollment, "customer_id", "status")
                if status == "held_out"]  # fmt: skip
        ref = dict(rows_of(store, Customer, "id", "ref"))[held[0]]
    (told,) = answer("why", ref)["enrollments"]
    assert (told["status"], told["steps"]) == ("held_out", [])
    assert told["rule"] == "campaigns/renewal.yaml:6"


class Person(NamedTuple):
    """Somebody before the history begins."""

    ends_in: int | None
    """Days to the end of a yearly term; a lead has none."""
    joined_ago: int
    lead_ago: int | None
    """Hours since the question of a lead."""
    auto_renew: bool
    staff: bool
    has_email: bool
    opted_out: bool
    language: str


class Round(NamedTuple):
    """What some of them do, and for how many days the club goes on after it."""

    acts: list[tuple[int, str]]
    """By the number of a person."""
    days: int


ACTS = (
    *("membership_renewed", "trial_booked", "payment_failed", "membership_cancelled"),
    *("opt out", "freeze", "move the end", "book a trial"),
)
PEOPLE = st.builds(
    Person,
    ends_in=st.none() | st.sampled_from([1, 2, 7, 8, 14, 31]) | st.integers(-20, 40),
    joined_ago=st.sampled_from([0, 1, 12, 29, 88, 400]),
    lead_ago=st.none() | st.integers(0, 80),
    auto_renew=st.booleans(),
    staff=st.sampled_from([False, False, True]),
    has_email=st.sampled_from([True, True, False]),
    opted_out=st.sampled_from([False, True]),
    language=st.sampled_from(["en", "hi"]),
)
ROUNDS = st.builds(
    Round,
    acts=st.lists(st.tuples(st.integers(0, 7), st.sampled_from(ACTS)), max_size=6),
    days=st.integers(1, 6),
)


def test_why_and_the_ledger_agree(club: Path) -> None:
    """After any history of some of the starter's campaigns, for every customer."""
    project = open_project(club)
    for file in project.campaigns_folder.iterdir():
        if file.stem not in ("membership-renewal", "new-lead", "trial", "adaptation"):
            file.unlink()
    seen: set[tuple[object, ...]] = set()
    with engine_on_nothing(project, HandClock(NOW)) as engine:
        store = engine.store

        @settings(max_examples=10, deadline=None, derandomize=True)
        @given(
            people=st.lists(PEOPLE, min_size=4, max_size=8),
            rounds=st.lists(ROUNDS, min_size=2, max_size=3),
        )
        def agree(people: list[Person], rounds: list[Round]) -> None:
            forget_everybody(store)
            ids = [make_person(store, one) for one in people]
            at = NOW
            for acts, days in rounds:
                for number, act in acts:
                    do(store, ids[number % len(ids)], act, at)
                play(project, store, days, at)
                at += timedelta(days=days, hours=1)
            seen.update(what_is_told(project, store, at - timedelta(hours=1)))

        agree()
    # Whoever changes the people above sees here whether there is still something to tell.
    assert {state for state, _ in seen} >= {"accepted", "expired", "suppressed", "done"}
    assert {reason for _, reason in seen} >= {"condition", "joined_late", "no_address", "opted_out"}


def make_person(store: Store, one: Person) -> int:
    """Her id."""
    customer = make_customer(
        store,
        tags=("staff",) if one.staff else (),
        language=one.language,
        joined_on=TODAY - timedelta(days=one.joined_ago),
        **({} if one.has_email else {"email": None}),
    )
    if one.ends_in is not None:
        ends_on = TODAY + timedelta(days=one.ends_in)
        make_membership(store, customer, ends_on=ends_on, auto_renew=one.auto_renew)
    if one.opted_out:
        make_consent(store, customer, topic="renewals")
    if one.lead_ago is not None:
        asked_at = NOW - timedelta(hours=one.lead_ago)
        make_event(store, customer, occurred_at=asked_at, recorded_at=asked_at)
    return customer


def do(store: Store, customer: int, act: str, at: datetime) -> None:
    """She does something, or it befalls her; what she has done already changes nothing."""
    terms = [
        (term, ends_on)
        for term, whose, ends_on in rows_of(store, Membership, "id", "customer_id", "ends_on")
        if whose == customer
    ]
    match act:
        case "opt out":
            if (customer,) not in rows_of(store, Consent, "customer_id"):
                make_consent(store, customer, topic="renewals", given_at=at)
        case "freeze":
            frozen = rows_of(store, MembershipFreeze, "membership_id", "starts_on")
            for term, _ in terms:
                if (term, at.date()) not in frozen:
                    make_freeze(store, term, at.date(), at.date() + timedelta(days=5))
        case "move the end":
            table = table_of(Membership)
            for term, ends_on in terms:
                moved = update(table).where(table.c.id == term)
                with store.write() as connection:
                    connection.execute(moved.values(ends_on=ends_on + timedelta(days=5)))
        case "book a trial":
            with store.write() as connection:
                record(
                    connection,
                    customer_id=customer,
                    name=STAGE_CHANGED,
                    data={"pipeline": "sales", "to": "trial_booked"},
                    source="test",
                    occurred_at=at,
                    now=at,
                )
        case name:
            make_event(store, customer, name, occurred_at=at, recorded_at=at)


def what_is_told(project: Project, store: Store, now: datetime) -> Iterator[tuple[str, str | None]]:
    """The state and reason of each step that `why` tells of; they are those of the ledger."""
    ledger = rows_of(store, Touchpoint, "id", "customer_id", "step", "state", "reason")
    entered = rows_of(store, Enrollment, "customer_id", "campaign", "status")
    engine, files = engine_on(project, store, HandClock(now)), project.check()
    places = RulePlaces(files, project.folder)
    told: list[tuple[Any, ...]] = []
    with store.read() as connection:
        for (customer,) in rows_of(store, Customer, "id"):
            trail = trail_of(connection, engine, customer, files=files, places=places, now=now)
            answers = [one.answer for one in trail.outside]
            # Whoever should be in has been let in by the last pass; and nobody else.
            assert not [one for one in answers if one.has_occasion and one.admitted]
            inside = sorted((one.record.campaign, one.record.status) for one in trail.enrollments)
            assert inside == sorted(row[1:] for row in entered if row[0] == customer)
            late = [step for due, _, step in waiting(trail) if due < now]
            assert all(step.held for step in late)
            told += [
                (one.touchpoint.id, customer, one.step, one.touchpoint.state, one.touchpoint.reason)
                for enrollment in trail.enrollments
                for one in enrollment.steps
                if one.touchpoint is not None
            ]
    assert sorted(told, key=str) == sorted(ledger, key=str)
    for *_, state, reason in told:
        yield state, reason

"""`sampark why`: what was decided, and by which line; it agrees with the ledger."""

import asyncio
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from making import (
    make_consent,
    make_customer,
    make_event,
    make_freeze,
    make_membership,
    rows_of,
)

from crm_console.demo.population import populate
from crm_console.rule_places import RulePlaces
from crm_console.trail import trail_of, waiting
from crm_store.database import Store
from crm_store.models.campaign import Enrollment
from crm_store.models.customer import Customer
from crm_store.models.touchpoint import Touchpoint
from crm_store.pauses import pause
from flows.campaigns import load_campaigns
from flows.foresight.play import HandClock, Play
from flows.foresight.scratch_engine import engine_on
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


@pytest.mark.parametrize("seed", range(2))
def test_why_and_the_ledger_agree(club: Path, seed: int) -> None:
    """After a random history of the starter's campaigns, for every customer."""
    project, chance = open_project(club), Random(seed)  # noqa: S311 - a test
    for file in project.campaigns_folder.iterdir():
        if file.stem not in ("membership-renewal", "new-lead", "trial", "adaptation"):
            file.unlink()
    with open_club(project, lambda: NOW) as (store, club_id):
        populate(store, club_id, seed=seed, today=TODAY, members=60)
        refs = [one for (one,) in rows_of(store, Customer, "id")]
        at = NOW
        for _ in range(3):
            for one in chance.sample(refs, 20):
                name = chance.choice(["membership_renewed", "trial_booked", "payment_failed"])
                make_event(store, one, name, occurred_at=at)
            for one in chance.sample(refs, 5):
                make_consent(store, one, topic="renewals")
                refs.remove(one)
            days = chance.randint(1, 6)
            play(project, store, days, at)
            at += timedelta(days=days, hours=1)
        ledger = rows_of(store, Touchpoint, "id", "customer_id", "step", "state", "reason")
        entered = rows_of(store, Enrollment, "customer_id", "campaign", "status")
        clock = HandClock(at - timedelta(hours=1))
        engine, files = engine_on(project, store, clock), project.check()
        places = RulePlaces(files, project.folder)
        told: list[tuple[object, ...]] = []
        with store.read() as connection:
            for (customer,) in rows_of(store, Customer, "id"):
                trail = trail_of(
                    connection, engine, customer, files=files, places=places, now=clock.now
                )
                answers = [one.answer for one in trail.outside]
                # Whoever should be in has been let in by the last pass; and nobody else.
                assert not [one for one in answers if one.has_occasion and one.admitted]
                inside = sorted(
                    (one.record.campaign, one.record.status) for one in trail.enrollments
                )
                assert inside == sorted(row[1:] for row in entered if row[0] == customer)
                late = [step for due, _, step in waiting(trail) if due < clock.now]
                assert all(step.held for step in late)
                told += [
                    (
                        one.touchpoint.id,
                        customer,
                        one.step,
                        one.touchpoint.state,
                        one.touchpoint.reason,
                    )
                    for enrollment in trail.enrollments
                    for one in enrollment.steps
                    if one.touchpoint is not None
                ]
        assert sorted(told, key=str) == sorted(ledger, key=str)
        assert len(ledger) > 50

"""What holds a campaign back, and who is counted or left out."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from engines import Workshop
from making import (
    NOW,
    TODAY,
    make_club,
    make_customer,
    make_event,
    make_freeze,
    make_membership,
    rows_of,
)
from sqlalchemy import update

from crm_store.models.campaign import Enrollment
from crm_store.models.membership import Membership
from crm_store.tables import table_of
from triggers.chance import is_held_out

LEADS = """
campaign: leads
name: Leads
topic: news
trigger: {type: new_lead}
%s
steps:
  - {id: welcome, at: now, email: note/one}
  - {id: nudge, at: +2d, email: note/two}
"""
RENEWAL = """
campaign: renewal
name: Renewal
topic: renewals
trigger: {type: membership_expiring}
%s
steps:
  - {id: heads_up, at: -30d, email: note/one}
  - {id: last_day, at: -1d, sms: note/short}
"""


async def test_who_is_held_out_is_recorded_and_never_written_to(club: Workshop) -> None:
    club.campaign(LEADS % "holdout: 25%")
    for _ in range(60):
        make_event(club.store, make_customer(club.store))
    await club.sweep()
    club.clock.on(days=3)
    await club.sweep()
    definition = club.files[0].definition
    assert definition is not None
    entered = rows_of(club.store, Enrollment, "customer_id", "status", "end_reason")
    held_out = {one for one, _, _ in entered if is_held_out(definition, one)}
    assert 5 <= len(held_out) <= 25
    assert {(status, why) for one, status, why in entered if one in held_out} == {
        ("held_out", "holdout")
    }
    assert not held_out & {one for (one,) in club.ledger("customer_id")}
    assert len({one for (one,) in club.ledger("customer_id")}) == 60 - len(held_out)


@pytest.mark.parametrize(
    ("reentry", "days", "entered"),
    [
        ("always", 10, 2),
        ("once", 400, 1),
        ("{after: 30d}", 29, 1),
        ("{after: 30d}", 31, 2),
    ],
)
async def test_how_often_she_may_enter(
    reentry: str, days: int, entered: int, club: Workshop
) -> None:
    club.campaign(LEADS % f"reentry: {reentry}")
    customer = make_customer(club.store)
    make_event(club.store, customer)
    await club.sweep()
    club.clock.on(days=days)
    make_event(club.store, customer, occurred_at=club.clock.now)
    await club.sweep()
    assert len(rows_of(club.store, Enrollment)) == entered


async def test_of_two_occasions_at_once_one_counts(club: Workshop) -> None:
    club.campaign(LEADS % "reentry: once")
    customer = make_customer(club.store)
    first = make_event(club.store, customer, occurred_at=NOW - timedelta(hours=1))
    make_event(club.store, customer)
    await club.sweep()
    assert rows_of(club.store, Enrollment, "event_id") == [(first,)]


async def test_a_pause_holds_what_is_due_until_it_ends(club: Workshop) -> None:
    club.campaign(RENEWAL % "pause_while: membership.frozen")
    thawed = make_membership(club.store, make_customer(club.store))
    make_freeze(club.store, thawed, TODAY - timedelta(days=3), TODAY)
    frozen = make_membership(club.store, make_customer(club.store))
    make_freeze(club.store, frozen, TODAY - timedelta(days=3), TODAY + timedelta(days=20))
    await club.sweep()
    assert club.ledger() == []
    club.clock.on(days=1)
    await club.sweep()
    assert club.ledger("customer_id", "step", "state") == [(1, "heads_up", "accepted")]
    club.clock.on(days=1)
    await club.sweep()
    assert club.ledger()[1:] == [("heads_up", "expired", "paused")]


@pytest.mark.parametrize(
    ("policy", "came_of_it"),
    [
        ("follow", [("heads_up", "accepted", date(2026, 12, 2))]),
        ("stay", [("heads_up", "accepted", date(2026, 11, 25))]),
        ("exit", []),
    ],
)
async def test_the_day_moves_before_anything_was_sent(
    policy: str, came_of_it: list[tuple[str, str, date]], club: Workshop
) -> None:
    club.campaign(RENEWAL % f"if_anchor_moves: {policy}")
    term = make_membership(
        club.store, make_customer(club.store), ends_on=TODAY + timedelta(days=33)
    )
    club.campaign(
        (RENEWAL % f"if_anchor_moves: {policy}")
        .replace("-30d", "-40d")
        .replace(
            "email: note/one}",
            'email: note/one, if: customer.source == "nobody"}\n'
            "  - {id: heads_up, at: -30d, email: note/one}",
        )
        .replace("id: heads_up, at: -40d", "id: early, at: -33d")
    )
    await club.sweep()
    table = table_of(Membership)
    with club.store.write() as connection:
        connection.execute(
            update(table).where(table.c.id == term).values(ends_on=TODAY + timedelta(days=40))
        )
    for _ in range(12):
        club.clock.on(days=1)
        await club.sweep()
    sent = [
        (step, state, due.date())
        for step, state, due in club.ledger("step", "state", "due_at")
        if step == "heads_up"
    ]
    assert sent == came_of_it


async def test_a_new_version_takes_those_inside_along_or_not(club: Workshop) -> None:
    club.campaign(LEADS % "in_flight: finish")
    make_event(club.store, make_customer(club.store))
    await club.sweep()
    club.campaign((LEADS % "in_flight: finish").replace("id: nudge", "id: nudge_2"))
    club.clock.on(days=2)
    await club.sweep()
    assert [step for step, _, _ in club.ledger()] == ["welcome", "nudge"]
    club.campaign((LEADS % "in_flight: move").replace("id: nudge", "id: nudge_3"))
    make_event(club.store, make_customer(club.store), occurred_at=club.clock.now)
    await club.sweep()
    club.campaign((LEADS % "in_flight: move").replace("id: nudge", "id: nudge_4"))
    club.clock.on(days=2)
    await club.sweep()
    assert [step for step, _, _ in club.ledger()][2:] == ["welcome", "nudge_4"]


async def test_what_a_new_version_no_longer_has_is_cancelled(club: Workshop) -> None:
    quiet = 'defaults: {quiet_hours: "10:00-21:00"}'
    club.campaign(LEADS % f"in_flight: move\n{quiet}")
    make_event(club.store, make_customer(club.store))
    await club.sweep()
    assert club.ledger() == [("welcome", "planned", "quiet_hours")]
    club.campaign((LEADS % f"in_flight: move\n{quiet}").replace("id: welcome", "id: hello"))
    await club.sweep()
    assert club.ledger() == [
        ("welcome", "cancelled", "step_gone"),
        ("hello", "planned", "quiet_hours"),
    ]


WEEK = [
    # (the window, when it is due in Pune, when it left)
    ("{days: [mon, tue]}", "2026-11-22 10:30", "2026-11-23 00:00"),
    ('{hours: "12:00-20:00"}', "2026-11-22 10:30", "2026-11-22 12:00"),
    ('{days: [mon], hours: "18:00-20:00"}', "2026-11-22 10:30", "2026-11-23 18:00"),
    ('{days: [sun], hours: "09:00-11:00"}', "2026-11-22 10:30", "2026-11-22 10:30"),
    ('{days: [sat], hours: "22:00-11:00"}', "2026-11-22 10:30", "2026-11-22 10:30"),
]


@pytest.mark.parametrize(("window", "due", "left"), WEEK)
async def test_the_send_window(window: str, due: str, left: str, club: Workshop) -> None:
    club.campaign(LEADS % f"defaults: {{send_window: {window}, late: {{grace: 8d}}}}")
    pune = timedelta(hours=5, minutes=30)
    make_event(club.store, make_customer(club.store))
    sent: list[datetime] = []
    assert (NOW + pune).strftime("%Y-%m-%d %H:%M") == due
    while not sent:
        await club.sweep()
        rows = club.ledger("state", "reason", "not_before")
        if rows[0][0] == "accepted":
            sent.append(club.clock.now)
        else:
            assert rows[0][:2] == ("planned", "send_window")
            assert isinstance(rows[0][2], datetime)
            club.clock.now = rows[0][2].astimezone(UTC)
    assert (sent[0] + pune).strftime("%Y-%m-%d %H:%M") == left


async def test_a_goal_counts_up_to_its_end(club: Workshop) -> None:
    club.campaign(RENEWAL % "goal: {event: membership_renewed, within: 14d}")
    make_membership(club.store, make_customer(club.store))
    await club.sweep()
    ends = TODAY + timedelta(days=30)
    midnight = datetime(ends.year, ends.month, ends.day, tzinfo=UTC) - timedelta(
        hours=5, minutes=30
    )
    assert rows_of(club.store, Enrollment, "goal_until") == [(midnight + timedelta(days=15),)]


async def test_a_cap_counts_marketing_of_every_campaign_and_nothing_else(club: Workshop) -> None:
    club.engine = replace(club.engine, transactional=frozenset({"renewals"}))
    capped = LEADS % "defaults: {cap: {max: 1, per: 7d, else: skip}}"
    receipts = capped.replace("topic: news", "topic: renewals")
    club.campaign(receipts.replace("campaign: leads", "campaign: a_receipt"), "a")
    club.campaign(capped.replace("campaign: leads", "campaign: b_news"), "b")
    club.campaign(capped.replace("campaign: leads", "campaign: c_news"), "c")
    club.campaign(receipts.replace("campaign: leads", "campaign: d_receipt"), "d")
    make_event(club.store, make_customer(club.store))
    await club.sweep()
    assert club.ledger("campaign", "state", "reason") == [
        ("a_receipt", "accepted", None),
        ("b_news", "accepted", None),
        ("c_news", "suppressed", "cap"),
        ("d_receipt", "accepted", None),
    ]


@pytest.mark.parametrize("highest", ["a_news", "b_news", "c_news"])
async def test_a_cap_lets_the_campaign_with_the_highest_priority_through(
    lite_club: Workshop, highest: str
) -> None:
    for slug in ("a_news", "b_news", "c_news"):
        capped = LEADS % "defaults: {cap: {max: 1, per: 7d, else: skip}}"
        priority = f"priority: {10 if slug == highest else -5}\n"
        lite_club.campaign(priority + capped.replace("campaign: leads", f"campaign: {slug}"), slug)
    make_event(lite_club.store, make_customer(lite_club.store))
    await lite_club.sweep()
    rows = dict(lite_club.ledger("campaign", "state"))
    assert rows == {
        slug: "accepted" if slug == highest else "suppressed"
        for slug in ("a_news", "b_news", "c_news")
    }


WEEKLY = """
campaign: weekly
name: Weekly
topic: news
trigger: {type: schedule, cron: "30 10 * * sun"}
defaults: {cap: {max: 1, per: 7d, else: skip}}
steps: [{id: news, at: now, email: note/one}]
"""


@pytest.mark.parametrize(
    ("first", "second", "state"),
    [(0, 0, "accepted"), (4, 0, "accepted"), (0, 4, "accepted"), (61, 0, "suppressed")],
)
async def test_a_weekly_message_is_not_held_back_by_the_minutes_of_a_sweep(
    club: Workshop, first: int, second: int, state: str
) -> None:
    club.campaign(WEEKLY)
    make_customer(club.store)
    for week, late in enumerate((first, second)):
        club.clock.now = NOW + timedelta(weeks=week, minutes=late)
        await club.sweep()
    assert club.ledger("state") == [("accepted",), (state,)]


async def test_another_club_with_a_campaign_of_the_same_name_is_left_alone(club: Workshop) -> None:
    moving = LEADS % "in_flight: move"
    club.campaign(moving)
    other = make_club(club.store, code="other", name="Other")
    make_event(club.store, make_customer(club.store, club_id=other))
    ours = club.engine
    club.engine = replace(ours, club_id=other)
    await club.sweep()
    club.engine = ours
    club.campaign(moving.replace("id: nudge", "id: nudge_2"))
    await club.sweep()
    assert rows_of(club.store, Enrollment, "version_id") == [(1,)]

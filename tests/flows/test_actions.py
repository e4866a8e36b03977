"""What a step does: forks, stand-ins, waiting, tasks and changes, from the file to the ledger."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest
from engines import Workshop
from making import (
    NOW,
    TODAY,
    make_consent,
    make_customer,
    make_event,
    make_membership,
    make_visit,
    rows_of,
)

from crm_messaging.channels.calls import RehearsedCalls
from crm_messaging.channels.limits import Rate
from crm_messaging.rehearsal.reading import CaughtEmail
from crm_store.models.customer import Customer, CustomerTag
from crm_store.models.event import Event
from crm_store.models.staff_task import StaffTask
from crm_store.tracked_links import Target, record_click
from flows.clock import clock_from
from flows.sweep import handle_events, plan_sweep
from flows.traffic import Traffic

HEAD = """
campaign: leads
name: Leads
topic: news
trigger: {type: new_lead}
steps:
"""
CHOOSE = (
    HEAD
    + """
  - id: hello
    at: now
    choose:
      - if: customer.language == "hi"
        email: note/one
      - if: customer.source == "walk-in"
        sms: note/short
      - else:
        email: note/two
"""
)
SPLIT = (
    HEAD
    + """
  - id: offer
    at: now
    split:
      discount: {weight: 3, email: note/one, coupon: RENEW10}
      plain: {weight: 1, sms: note/short}
"""
)
FALLBACK = (
    HEAD
    + """
  - {id: hello, at: now, sms: note/short, fallback: [email]}
"""
)
WAIT = (
    HEAD
    + """
  - id: hello
    at: now
    email: note/one
    wait_for: {event: link_clicked, timeout: 24h}
    on_timeout:
      task: {queue: front_desk, title: "Call {{ customer.first_name }}", due: 4h}
"""
)
UPDATE = (
    HEAD
    + """
  - id: mark
    at: now
    update:
      stage: {pipeline: sales, to: trial_booked}
      add_tags: [warm]
      remove_tags: [cold]
      score: 10
"""
)
NOTE = """
campaign: booked
name: Booked
topic: news
trigger: {type: stage_change, pipeline: sales, to: trial_booked}
steps:
  - {id: see_you, at: now, sms: note/short}
"""

STEPS = ("step", "variant", "channel", "state", "reason")


async def test_of_several_ways_each_goes_the_first_that_is_hers(club: Workshop) -> None:
    club.campaign(CHOOSE)
    for values in ({"language": "hi", "source": "walk-in"}, {"source": "walk-in"}, {}):
        make_event(club.store, make_customer(club.store, **values))
    await club.sweep()
    assert club.ledger(*STEPS) == [
        ("hello", "1", "email", "accepted", None),
        ("hello", "2", "sms", "accepted", None),
        ("hello", "else", "email", "accepted", None),
    ]


async def test_no_way_is_hers(club: Workshop) -> None:
    club.campaign(CHOOSE[: CHOOSE.index("      - else")])
    make_event(club.store, make_customer(club.store))
    await club.sweep()
    assert club.ledger() == [("hello", "suppressed", "condition")]


async def test_a_split_is_drawn_by_weight_and_each_code_is_one_customers(club: Workshop) -> None:
    club.campaign(SPLIT)
    for _ in range(80):
        make_event(club.store, make_customer(club.store))
    await club.sweep()
    rows = club.ledger("variant", "channel", "coupon")
    drawn = Counter(variant for variant, _, _ in rows)
    assert set(drawn) == {"discount", "plain"}
    # Chance is fixed by the customers' ids: 60 are expected, 4 standard deviations are 15.
    assert 45 <= drawn["discount"] <= 75
    codes = [str(coupon) for variant, _, coupon in rows if variant == "discount"]
    assert len(set(codes)) == len(codes)
    assert all(code.startswith("RENEW10-") for code in codes)
    assert {coupon for variant, _, coupon in rows if variant == "plain"} == {None}


def write_short_letter(club: Workshop) -> None:
    for language in ("en", "hi"):
        (club.folder / f"templates/{language}/email/note/short.md").write_text(
            '---\nsubject: "Short"\n---\nSee you.\n'
        )


@pytest.mark.parametrize("per_second", [200.0, None])
async def test_what_was_due_is_what_became_of_it(
    lite_club: Workshop, per_second: float | None
) -> None:
    """What a limit holds back is due once, though the stand-ins' turn looks at it again."""
    club = lite_club
    traffic = Traffic({"sms": Rate(per_second=per_second)})
    club.engine = replace(club.engine, traffic=traffic, clock=clock_from(NOW))
    write_short_letter(club)
    club.campaign(FALLBACK)
    for number in range(20):
        phone = f"+9198765432{number:02d}" if number > 2 else None
        make_event(club.store, make_customer(club.store, phone=phone))
    report = (await club.sweep()).campaigns[0]
    assert report.by_state() == {"accepted": 20, "suppressed": 3}
    assert report.due == len(club.ledger()) == 23


async def test_another_channel_stands_in_within_the_same_sweep(club: Workshop) -> None:
    write_short_letter(club)
    club.campaign(FALLBACK)
    make_event(club.store, make_customer(club.store, phone=None))
    stopped = make_customer(club.store)
    make_consent(club.store, stopped, channel="sms")
    make_event(club.store, stopped)
    make_event(club.store, make_customer(club.store))
    report = await club.sweep()
    assert sorted(club.ledger("customer_id", *STEPS)) == [
        (1, "hello", "", "email", "accepted", None),
        (1, "hello", "", "sms", "suppressed", "no_address"),
        (2, "hello", "", "email", "accepted", None),
        (2, "hello", "", "sms", "suppressed", "opted_out"),
        (3, "hello", "", "sms", "accepted", None),
    ]
    assert report.campaigns[0].by_state() == {"accepted": 3, "suppressed": 2}
    club.clock.on(days=1)
    await club.sweep()
    assert len(club.ledger()) == 5


async def test_nothing_came_in_time_so_somebody_calls(club: Workshop) -> None:
    club.campaign(WAIT)
    quiet, quick = make_customer(club.store), make_customer(club.store)
    for customer in (quiet, quick):
        make_event(club.store, customer)
    await club.sweep()
    with club.store.write() as connection:
        for touchpoint, after in ((1, timedelta(seconds=3)), (2, timedelta(hours=2))):
            # Hers was followed by a scanner on the way, that of the other by herself.
            record_click(connection, Target(1, "https://a.example"), touchpoint, NOW + after)
    club.clock.on(hours=23)
    await club.sweep()
    assert len(club.ledger()) == 2
    club.clock.on(hours=2)
    await club.sweep()
    assert club.ledger("customer_id", "step", "channel", "state", "reason")[2:] == [
        (quiet, "hello.timeout", "task", "done", None),
        (quick, "hello.timeout", "task", "cancelled", "came"),
    ]
    assert rows_of(club.store, StaffTask, "customer_id", "queue", "title", "due_at") == [
        (quiet, "front_desk", "Call Asha", club.clock.now + timedelta(hours=4))
    ]
    club.clock.on(days=2)
    await club.sweep()
    assert len(rows_of(club.store, StaffTask)) == 1


async def test_a_message_that_never_left_is_not_waited_after(club: Workshop) -> None:
    club.campaign(WAIT)
    make_event(club.store, make_customer(club.store, email=None))
    await club.sweep()
    club.clock.on(days=2)
    await club.sweep()
    assert club.ledger() == [("hello", "suppressed", "no_address")]


async def test_a_change_is_made_once_and_starts_what_waits_for_it(club: Workshop) -> None:
    club.campaign(UPDATE)
    club.campaign(NOTE, "booked")
    customer = make_customer(club.store, tags=("cold", "vip"), pipeline="sales", stage="new")
    make_event(club.store, customer)
    await club.sweep()
    await handle_events(club.engine, plan_sweep(club.engine, club.files))
    assert rows_of(club.store, Customer, "stage", "score") == [("trial_booked", 10)]
    assert sorted(tag for _, tag in rows_of(club.store, CustomerTag)) == ["vip", "warm"]
    assert club.ledger("campaign", *STEPS) == [
        ("leads", "mark", "", "update", "done", None),
        ("booked", "see_you", "", "sms", "accepted", None),
    ]
    await club.sweep()
    assert rows_of(club.store, Customer, "score") == [(10,)]
    assert [name for (name,) in rows_of(club.store, Event, "name")].count("stage_changed") == 1


async def test_tasks_and_changes_are_no_messages_to_a_cap(club: Workshop) -> None:
    club.campaign(
        UPDATE.replace("steps:", "defaults: {cap: {max: 1, per: 7d}}\nsteps:")
        + "  - {id: hello, at: now, email: note/one}\n"
    )
    make_event(club.store, make_customer(club.store))
    await club.sweep()
    assert club.ledger() == [("mark", "done", None), ("hello", "accepted", None)]


async def test_a_step_of_a_day_can_fork_too(club: Workshop) -> None:
    club.campaign(
        CHOOSE.replace("type: new_lead", "type: membership_expiring").replace("at: now", "at: -30d")
    )
    make_membership(club.store, make_customer(club.store), ends_on=TODAY + timedelta(days=30))
    await club.sweep()
    assert club.ledger("step", "variant", "state") == [("hello", "else", "accepted")]


async def test_her_own_code_stands_in_the_message(club: Workshop) -> None:
    for language in ("en", "hi"):
        (club.folder / f"templates/{language}/email/note/code.md").write_text(
            '---\nsubject: "Your code"\n---\nIt is {{ coupon.code }}.\n'
        )
    club.campaign(HEAD + "  - {id: offer, at: now, email: note/code, coupon: RENEW10}\n")
    make_event(club.store, make_customer(club.store))
    await club.sweep()
    [(code,)] = club.ledger("coupon")
    [entry] = club.caught.newest(channel="email", limit=5)
    mail = club.caught.get(entry.key)
    assert isinstance(mail, CaughtEmail)
    assert f"It is {code}." in mail.text


async def test_another_system_is_called_at_any_hour(club: Workshop) -> None:
    club.engine = replace(
        club.engine, channels={**club.engine.channels, RehearsedCalls.name: RehearsedCalls()}
    )
    hook = (
        "  - {id: hook, at: now, webhook: {url: 'https://crm.example/x',"
        " data: {plan: '{{ customer.first_name }}'}}}\n"
    )
    quiet = 'defaults: {quiet_hours: "10:00-21:00", cap: {max: 1, per: 7d}}\nsteps:'
    club.campaign((HEAD + hook).replace("steps:", quiet))
    stopped = make_customer(club.store, email=None, phone=None)
    make_consent(club.store, stopped)
    make_event(club.store, stopped)
    await club.sweep()
    assert club.ledger("channel", "state", "is_marketing", "detail") == [
        ("webhook", "accepted", False, "rehearsal: nobody was called")
    ]


async def test_a_visit_that_was_imported_is_an_answer_too(club: Workshop) -> None:
    club.campaign(WAIT.replace("link_clicked", "visit_recorded"))
    came, stayed = make_customer(club.store), make_customer(club.store)
    for customer in (came, stayed):
        make_event(club.store, customer)
    await club.sweep()
    make_visit(club.store, came, NOW + timedelta(hours=3))
    club.clock.on(hours=25)
    await club.sweep()
    assert club.ledger("customer_id", "state", "reason")[2:] == [
        (came, "cancelled", "came"),
        (stayed, "done", None),
    ]

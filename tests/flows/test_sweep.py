"""The main path: admit, advance, deliver, and that a second pass sends nothing twice."""

from datetime import UTC, date, datetime, timedelta

from engines import Workshop
from making import (
    NOW,
    TODAY,
    make_consent,
    make_customer,
    make_event,
    make_membership,
    rows_of,
)
from sqlalchemy import update

from crm_store.models.campaign import Enrollment
from crm_store.models.membership import Membership
from crm_store.models.touchpoint import State
from crm_store.tables import table_of

RENEWAL = """
campaign: renewal
name: Renewal
topic: renewals
trigger: {type: membership_expiring, plans: [annual]}
where: not membership.auto_renew and "staff" not in customer.tags
exit_on: [membership_renewed]
defaults: {time: "10:30", quiet_hours: "21:00-10:00"}
steps:
  - {id: heads_up, at: -30d, email: note/one}
  - {id: recap, at: -14d, email: note/two, if: visits.last_90d >= 1}
  - {id: last_day, at: -1d, sms: note/short}
"""
LEADS = """
campaign: leads
name: Leads
topic: news
trigger: {type: new_lead}
exit_on: [trial_booked]
steps:
  - {id: welcome, at: now, email: note/one}
  - {id: nudge, at: +2d, email: note/two}
"""
BIRTHDAY = """
campaign: birthday
name: Birthday
topic: news
trigger: {type: birthday}
steps:
  - {id: wishes, at: 0d, time: "09:00", email: note/three}
"""


async def test_a_second_sweep_admits_and_sends_nothing(club: Workshop) -> None:
    club.campaign(RENEWAL)
    for _ in range(7):
        make_membership(club.store, make_customer(club.store))
    first = await club.sweep()
    assert (first.admitted, first.campaigns[0].due, first.campaigns[0].by_state()) == (
        7,
        7,
        {"accepted": 7},
    )
    second = await club.sweep()
    assert (second.admitted, second.campaigns[0].due, second.campaigns[0].by_state()) == (0, 0, {})
    assert len(club.caught_ids()) == 7
    assert club.caught_ids() == club.accepted_ids()


async def test_who_may_not_enter_does_not(club: Workshop) -> None:
    club.campaign(RENEWAL)
    staff = make_customer(club.store, tags=("staff",))
    make_membership(club.store, staff)
    make_membership(club.store, make_customer(club.store), auto_renew=True)
    make_membership(club.store, make_customer(club.store), plan="monthly")
    make_membership(club.store, make_customer(club.store), status="cancelled")
    renewed = make_customer(club.store)
    make_membership(club.store, renewed, ref="A")
    make_membership(club.store, renewed, ref="A", ends_on=TODAY + timedelta(days=395))
    assert (await club.sweep()).admitted == 0


async def test_a_years_messages_come_each_on_its_day(club: Workshop) -> None:
    club.campaign(RENEWAL)
    make_membership(club.store, make_customer(club.store))
    sent = []
    for _ in range(35):
        report = await club.sweep()
        sent += [
            (club.clock.now.date(), state)
            for state, number in report.campaigns[0].by_state().items()
            for _ in range(number)
        ]
        club.clock.on(days=1)
    assert sent == [
        (TODAY, "accepted"),
        (TODAY + timedelta(days=29), "accepted"),
    ]
    assert club.ledger() == [
        ("heads_up", "accepted", None),
        ("recap", "suppressed", "condition"),
        ("last_day", "accepted", None),
    ]


async def test_who_joins_late_gets_no_burst(club: Workshop) -> None:
    club.campaign(RENEWAL)
    make_membership(club.store, make_customer(club.store), ends_on=TODAY + timedelta(days=1))
    await club.sweep()
    assert club.ledger() == [
        ("heads_up", "expired", "joined_late"),
        ("recap", "expired", "joined_late"),
        ("last_day", "accepted", None),
    ]


async def test_a_weekends_outage_sends_only_what_is_still_useful(club: Workshop) -> None:
    club.campaign(RENEWAL)
    make_membership(club.store, make_customer(club.store), ends_on=TODAY + timedelta(days=31))
    assert (await club.sweep()).campaigns[0].due == 0
    club.clock.on(days=4)
    await club.sweep()
    assert club.ledger() == [("heads_up", "expired", "too_late")]


async def test_quiet_hours_are_hers(club: Workshop) -> None:
    """10:30 in Pune is 00:00 in New York: due by the club's clock, it waits for her morning."""
    club.campaign(LEADS.replace("steps:", 'defaults: {quiet_hours: "21:00-08:00"}\nsteps:'))
    customer = make_customer(club.store, timezone="America/New_York")
    make_event(club.store, customer)
    await club.sweep()
    assert club.ledger() == [("welcome", "planned", "quiet_hours")]
    club.clock.now = datetime(2026, 11, 22, 12, 59, tzinfo=UTC)
    assert (await club.sweep()).campaigns[0].due == 0
    club.clock.now = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
    await club.sweep()
    assert club.ledger() == [("welcome", "accepted", None)]


async def test_a_cap_counts_over_all_campaigns(club: Workshop) -> None:
    capped = LEADS.replace("steps:", "defaults: {cap: {max: 1, per: 7d}}\nsteps:")
    club.campaign(capped, "leads")
    club.campaign(BIRTHDAY, "birthday")
    customer = make_customer(club.store, birth_date=date(1990, 11, 22))
    make_event(club.store, customer)
    await club.sweep()
    assert sorted(club.ledger()) == [("welcome", "expired", "cap"), ("wishes", "accepted", None)]


async def test_she_renewed_and_hears_no_more(club: Workshop) -> None:
    club.campaign(RENEWAL)
    customer = make_customer(club.store)
    make_membership(club.store, customer)
    await club.sweep()
    make_event(club.store, customer, "membership_renewed", occurred_at=NOW + timedelta(days=2))
    club.clock.on(days=30)
    await club.sweep()
    assert club.ledger() == [("heads_up", "accepted", None)]
    assert rows_of(club.store, Enrollment, "status", "end_reason") == [("exited", "exit_on")]


async def test_a_renewal_well_before_the_first_step_counts(club: Workshop) -> None:
    """Recorded two months early, by an event alone: this term is renewed all the same."""
    club.campaign(RENEWAL)
    customer = make_customer(club.store)
    make_membership(club.store, customer)
    make_event(club.store, customer, "membership_renewed", occurred_at=NOW - timedelta(days=60))
    await club.sweep()
    assert club.ledger() == []


async def test_last_years_renewal_does_not_count(club: Workshop) -> None:
    club.campaign(RENEWAL)
    customer = make_customer(club.store)
    make_membership(club.store, customer)
    make_event(club.store, customer, "membership_renewed", occurred_at=NOW - timedelta(days=330))
    await club.sweep()
    assert club.ledger() == [("heads_up", "accepted", None)]


async def test_a_moved_end_replans_what_is_unsent(club: Workshop) -> None:
    club.campaign(RENEWAL)
    membership = make_membership(club.store, make_customer(club.store))
    await club.sweep()
    _move_end(club, membership, TODAY + timedelta(days=60))
    await club.sweep()
    [(next_at,)] = rows_of(club.store, Enrollment, "next_at")
    assert next_at == datetime(2027, 1, 7, 5, 0, tzinfo=UTC)  # 14 days before 21 January
    club.clock.now = next_at
    await club.sweep()
    assert club.ledger("step", "state") == [("heads_up", "accepted"), ("recap", "suppressed")]


async def test_a_step_given_up_as_late_comes_back_when_its_day_moves_ahead(club: Workshop) -> None:
    club.campaign(RENEWAL)
    membership = make_membership(
        club.store, make_customer(club.store), ends_on=TODAY + timedelta(days=20)
    )
    await club.sweep()
    assert club.ledger() == [("heads_up", "expired", "joined_late")]
    _move_end(club, membership, TODAY + timedelta(days=40))
    await club.sweep()
    assert club.ledger() == [("heads_up", "planned", "anchor_moved")]
    club.clock.on(days=10)
    await club.sweep()
    assert club.ledger() == [("heads_up", "accepted", None)]


async def test_a_birthday_comes_once_a_year(club: Workshop) -> None:
    club.campaign(BIRTHDAY)
    make_customer(club.store, birth_date=date(1990, 11, 22))
    make_customer(club.store, birth_date=date(1990, 11, 24))
    for _ in range(370):
        await club.sweep()
        club.clock.on(days=1)
    occurrences = club.ledger("occurrence", "state")
    assert occurrences == [
        ("birthday:2026", "accepted"),
        ("birthday:2026", "accepted"),
        ("birthday:2027", "accepted"),
        ("birthday:2027", "accepted"),
    ]


async def test_29_february_is_kept_on_the_28th_in_common_years(club: Workshop) -> None:
    club.campaign(BIRTHDAY)
    make_customer(club.store, birth_date=date(1992, 2, 29))
    days = []
    for year, day in ((2027, 27), (2027, 28), (2028, 28), (2028, 29)):
        club.clock.now = datetime(year, 2, day, 5, 0, tzinfo=UTC)
        if (await club.sweep()).count(State.ACCEPTED):
            days.append(club.clock.now.date())
    assert days == [date(2027, 2, 28), date(2028, 2, 29)]


async def test_a_message_that_cannot_be_made_stops_alone(club: Workshop) -> None:
    template = club.folder / "templates" / "en" / "email" / "note" / "one.md"
    template.write_text('---\nsubject: "Dear {{ customer.first_name }}"\n---\nHello.\n')
    club.campaign(LEADS)
    for name in ("Asha", "", "Vera"):
        make_event(club.store, make_customer(club.store, first_name=name))
    await club.sweep()
    assert club.ledger("state", "reason") == [
        ("accepted", None),
        ("failed", "template"),
        ("accepted", None),
    ]
    [_, (detail,), _] = club.ledger("detail")
    assert "customer.first_name" in str(detail)


async def test_who_opted_out_and_who_has_no_address(club: Workshop) -> None:
    club.campaign(LEADS)
    out = make_customer(club.store)
    make_consent(club.store, out, topic="news")
    make_event(club.store, out)
    make_event(club.store, make_customer(club.store, email=None))
    report = await club.sweep()
    assert report.campaigns[0].by_reason() == {"suppressed": {"no_address": 1, "opted_out": 1}}
    assert club.caught_ids() == []


async def test_her_language_and_the_clubs(club: Workshop) -> None:
    club.campaign(LEADS)
    for language in ("hi", "hi-IN", "ta", None):
        make_event(club.store, make_customer(club.store, language=language))
    await club.sweep()
    assert club.ledger("language") == [("hi",), ("hi",), ("en",), ("en",)]


async def test_a_broken_campaign_is_disabled_and_the_others_run(club: Workshop) -> None:
    club.campaign(LEADS, "leads")
    club.campaign(BIRTHDAY.replace("email:", "emial:"), "birthday")
    make_event(club.store, make_customer(club.store, birth_date=date(1990, 11, 22)))
    report = await club.sweep()
    assert [(one.campaign, one.disabled is None) for one in report.campaigns] == [
        ("leads", True),
        ("birthday", False),
    ]
    assert "birthday.yaml" in str(report.campaigns[1].disabled)
    assert len(club.caught_ids()) == 1


async def test_a_campaign_that_fails_does_so_alone_and_loses_nothing(club: Workshop) -> None:
    """Its template is broken after the files were checked: its claims go back to the queue."""
    club.campaign(LEADS, "leads")
    club.campaign(BIRTHDAY, "birthday")
    make_event(club.store, make_customer(club.store, birth_date=date(1990, 11, 22)))
    template = club.folder / "templates" / "en" / "email" / "note" / "one.md"
    sound = template.read_text()
    template.write_text("---\nsubject: {{ nonsense }}\n---\n")
    club.read_templates_anew()
    report = await club.sweep()
    reports = {one.campaign: one for one in report.campaigns}
    assert "TemplateUnusable" in str(reports["leads"].failed)
    assert reports["birthday"].by_state() == {"accepted": 1}
    assert sorted(club.ledger("step", "state")) == [("welcome", "queued"), ("wishes", "accepted")]
    template.write_text(sound)
    club.read_templates_anew()
    await club.sweep()
    assert sorted(club.ledger("step", "state")) == [("welcome", "accepted"), ("wishes", "accepted")]


async def test_a_channel_that_is_not_there_holds_up_only_its_own_messages(club: Workshop) -> None:
    club.campaign(RENEWAL.replace("at: -1d", "at: -30d"))
    make_membership(club.store, make_customer(club.store))
    sms = club.engine.channels.pop("sms")
    report = await club.sweep()
    assert report.campaigns[0].by_reason() == {"queued": {"no_channel": 1}}
    assert report.campaigns[0].by_state() == {"accepted": 1, "queued": 1}
    club.engine.channels["sms"] = sms
    club.clock.on(minutes=5)
    assert (await club.sweep()).campaigns[0].by_state() == {"accepted": 1}


async def test_who_entered_under_a_version_finishes_under_it(club: Workshop) -> None:
    club.campaign(LEADS)
    make_event(club.store, make_customer(club.store))
    await club.sweep()
    club.campaign(LEADS.replace("+2d, email: note/two", "+1d, email: note/three"))
    make_event(club.store, make_customer(club.store), occurred_at=NOW)
    await club.sweep()
    club.clock.on(days=2)
    await club.sweep()
    assert club.ledger("version_id", "step", "state") == [
        (1, "welcome", "accepted"),
        (2, "welcome", "accepted"),
        (2, "nudge", "accepted"),
        (1, "nudge", "accepted"),
    ]
    subjects = [one.subject.split()[0] for one in club.caught.newest(limit=2)]
    assert sorted(subjects) == ["three", "two"]


def _move_end(club: Workshop, membership: int, ends_on: date) -> None:
    table = table_of(Membership)
    with club.store.write() as connection:
        connection.execute(update(table).where(table.c.id == membership).values(ends_on=ends_on))

"""Text messages to India leave as they are registered and in their hours, or not at all."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from engines import Workshop
from making import make_customer, make_event

from crm_messaging.dlt import DltSettings
from flows.admit import admit
from flows.advance import advance
from flows.deliver import send_batch
from flows.prepare import prepare
from flows.sweep import plan_sweep

CAMPAIGN = """
campaign: leads
name: Leads
topic: news
trigger: {type: new_lead}
defaults: {late: {grace: 24h}}
steps:
  - {id: welcome, at: now, sms: note/registered}
"""
HEAD = """---
dlt_template: 1107161234567890123
dlt_text: "{#var#}, 20% off at Lotus."
dlt_kind: KIND
---
"""
NINE_IN_THE_EVENING = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)
TEN_IN_THE_MORNING = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)
IN_INDIA, IN_RUSSIA = "+919876543210", "+79161234567"


def registered(club: Workshop, kind: str = "promotional", text: str = "20% off at Lotus.") -> None:
    for language in ("en", "hi"):
        path = club.folder / "templates" / language / "sms/note/registered.txt"
        body = "{{ customer.first_name }}, " + text
        path.write_text(HEAD.replace("KIND", kind) + body, encoding="utf-8")
    club.read_templates_anew()
    dlt = DltSettings(entity="1101456789012345678", header="LTSFIT")
    club.engine = replace(club.engine, dlt=dlt)
    club.campaign(CAMPAIGN)


def caught_for(club: Workshop) -> list[str]:
    return sorted(entry.recipient for entry in club.caught.newest(channel="sms", limit=100))


def enter(club: Workshop, *phones: str) -> None:
    for phone in phones:
        make_event(club.store, make_customer(club.store, phone=phone), occurred_at=club.clock.now)


async def test_promotion_waits_for_the_morning_in_india_and_nowhere_else(club: Workshop) -> None:
    registered(club)
    club.clock.now = NINE_IN_THE_EVENING
    enter(club, IN_INDIA, IN_RUSSIA)
    await club.sweep()
    columns = ("state", "reason", "attempts", "not_before")
    assert club.ledger(*columns)[0] == ("queued", "dlt_hours", 0, TEN_IN_THE_MORNING)
    assert caught_for(club) == [IN_RUSSIA]
    club.clock.now = TEN_IN_THE_MORNING - timedelta(seconds=1)
    await club.sweep()
    assert caught_for(club) == [IN_RUSSIA]
    club.clock.now = TEN_IN_THE_MORNING
    await club.sweep()
    assert caught_for(club) == [IN_RUSSIA, IN_INDIA]


async def test_promotion_that_was_made_in_time_does_not_leave_too_late(lite_club: Workshop) -> None:
    club = lite_club
    registered(club)
    club.clock.now = NINE_IN_THE_EVENING - timedelta(seconds=1)
    enter(club, IN_INDIA)
    [campaign] = plan_sweep(club.engine, club.files).running
    admit(club.engine, campaign)
    advance(club.engine, campaign)
    batch = prepare(club.engine, campaign)
    assert batch is not None
    assert len(batch.outgoing) == 1
    club.clock.on(seconds=1)
    await send_batch(club.engine, batch)
    assert club.ledger() == [("welcome", "queued", "dlt_hours")]
    assert caught_for(club) == []


async def test_promotion_that_would_be_too_late_in_the_morning(lite_club: Workshop) -> None:
    club = lite_club
    registered(club)
    club.campaign(CAMPAIGN.replace("24h", "12h"))
    club.clock.now = NINE_IN_THE_EVENING
    enter(club, IN_INDIA)
    await club.sweep()
    assert club.ledger() == [("welcome", "expired", "dlt_hours")]


async def test_service_messages_know_no_hours(lite_club: Workshop) -> None:
    club = lite_club
    registered(club, "service")
    club.clock.now = NINE_IN_THE_EVENING
    enter(club, IN_INDIA)
    await club.sweep()
    assert club.ledger() == [("welcome", "accepted", None)]


async def test_what_is_not_as_registered_is_refused_with_the_reason(lite_club: Workshop) -> None:
    club = lite_club
    registered(club, "service", "30% off at Lotus.")
    enter(club, IN_INDIA, IN_RUSSIA)
    await club.sweep()
    (first, _, _), second = club.ledger("state", "reason", "detail")[0], club.ledger()[1]
    assert (first, second) == ("failed", ("welcome", "accepted", None))
    ((_, reason, detail), *_) = club.ledger("state", "reason", "detail")
    assert reason == "not_registered"
    assert "1107161234567890123: it differs at or before `{#var#}, 20% off at Lotus.`" in str(
        detail
    )
    assert "Asha" not in str(detail)
    assert caught_for(club) == [IN_RUSSIA]

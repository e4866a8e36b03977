"""Text messages to India leave as they are registered and in their hours, or not at all."""

from datetime import timedelta

from dlt_club import (
    IN_INDIA,
    IN_RUSSIA,
    NINE_IN_THE_EVENING,
    TEN_IN_THE_MORNING,
    enter,
    registered,
)
from engines import Workshop

from flows.admit import admit
from flows.advance import advance
from flows.delivery import Delivery
from flows.prepare import prepare
from flows.sweep import plan_sweep


def caught_for(club: Workshop) -> list[str]:
    return sorted(entry.recipient for entry in club.caught.newest(channel="sms", limit=100))


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
    batch.compose()
    assert len(batch.outgoing) == 1
    club.clock.on(seconds=1)
    async with Delivery(club.engine) as delivery:
        await delivery.send(batch)
    assert club.ledger() == [("welcome", "queued", "dlt_hours")]
    assert caught_for(club) == []


async def test_promotion_that_would_be_too_late_in_the_morning(lite_club: Workshop) -> None:
    club = lite_club
    registered(club, grace="12h")
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

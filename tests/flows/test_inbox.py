"""The inbox at work: each message alone, none lost, a bad one marked with the reason."""

import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from engines import Workshop
from making import make_customer, make_event, rows_of
from sqlalchemy.exc import OperationalError

from crm_store import inbox
from crm_store.events import record
from crm_store.inbox import Arrival, Taken
from crm_store.models.event import Event
from crm_store.models.inbox import InboundMessage
from flows.engine import Engine
from flows.inbox import handle_inbox
from flows.reading import MOST_ATTEMPTS, NotYet, Reader, Reading, Unreadable
from flows.sweep import plan_sweep, sweep


def write_event(reading: Reading, message: Taken) -> NotYet | None:
    """What a reader does: the event that the body speaks of, then whatever the body asks for."""
    said = json.loads(message.body)
    record(
        reading.connection,
        customer_id=said["customer"],
        name="heard",
        source="test",
        source_id=message.source_id,
        occurred_at=reading.now,
        now=reading.now,
    )
    match said.get("then"):
        case "unreadable":
            raise Unreadable("It has no address.", "Ask the sender.")
        case "later":
            raise NotYet("Its message is still on its way.")
        case "bug":
            raise KeyError("asha@example.org")
        case "the rest later":
            return NotYet("It may be about more than one message.")
    return None


async def ask(engine: Engine, message: Taken) -> Taken:
    if b"nobody answers" in message.body:
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.get("http://127.0.0.1:9/")
    return replace(message, body=message.body.replace(b"0", b"1"))


READERS: Mapping[str, Reader] = {"plain": Reader(write_event), "asking": Reader(write_event, ask)}


def arrived(club: Workshop, *bodies: object, source: str = "plain") -> None:
    """Messages have come, ``body-0`` and so on."""
    arrivals = [
        Arrival(source, f"{source}-{number}", json.dumps(body).encode(), {})
        for number, body in enumerate(bodies)
    ]
    with club.store.write() as connection:
        inbox.receive_all(connection, club.engine.club_id, arrivals, club.clock.now)
    club.engine = replace(club.engine, readers=READERS)


def failures(club: Workshop) -> list[tuple[str, str]]:
    rows = rows_of(club.store, InboundMessage, "source_id", "failure")
    return [(source_id, failure) for source_id, failure in rows if failure]


async def test_each_message_is_alone(club: Workshop, caplog: pytest.LogCaptureFixture) -> None:
    who = make_customer(club.store)
    arrived(
        club,
        {"customer": who},
        {"customer": who, "then": "unreadable"},
        {"customer": who, "then": "bug"},
        {"customer": 999_999},
        {"customer": who, "then": "later"},
        "no object",
        {"customer": who},
        {"customer": who, "then": "the rest later"},
    )
    arrived(club, {"customer": who}, source="unheard-of")
    with caplog.at_level(logging.WARNING):
        report = await handle_inbox(club.engine)
    assert report is not None
    assert report.read == {"plain": 2}
    heard = [one for (one,) in rows_of(club.store, Event, "source_id")]
    assert heard == ["plain-0", "plain-6", "plain-7"], "nothing of half a message is kept"
    assert [source_id for source_id, _ in failures(club)] == [
        "plain-1",
        "plain-2",
        "plain-3",
        "plain-5",
        "unheard-of-0",
    ]
    reasons = dict(failures(club))
    assert reasons["plain-1"] == "It has no address. Ask the sender."
    assert reasons["plain-2"].startswith("It could not be read: KeyError at test_inbox.py:")
    assert "asha@example.org" not in str(reasons) + caplog.text
    assert await handle_inbox(club.engine) is None


async def test_what_comes_too_early_is_tried_again_and_then_given_up(lite_club: Workshop) -> None:
    arrived(lite_club, {"customer": make_customer(lite_club.store), "then": "later"})
    tried = 0
    for _ in range(24 * 60 // 5):
        tried += await handle_inbox(lite_club.engine) is not None
        lite_club.clock.on(minutes=5)
    assert tried == MOST_ATTEMPTS
    assert failures(lite_club) == [
        ("plain-0", f"Its message is still on its way. It was tried {MOST_ATTEMPTS} times.")
    ]


async def test_the_world_is_asked_before_the_transaction(lite_club: Workshop) -> None:
    who = make_customer(lite_club.store)
    assert who < 10
    arrived(lite_club, {"customer": 0}, {"nobody answers": 0}, source="asking")
    report = await handle_inbox(lite_club.engine)
    assert report is not None
    assert report.later == {2: timedelta(minutes=1)}
    assert rows_of(lite_club.store, Event, "customer_id") == [(1,)]


async def test_a_reader_that_died_is_followed_by_another(lite_club: Workshop) -> None:
    arrived(lite_club, {"customer": make_customer(lite_club.store)})
    with lite_club.store.write() as connection:
        inbox.take(connection, lite_club.engine.club_id, limit=10, now=lite_club.clock.now)
    assert await handle_inbox(lite_club.engine) is None
    lite_club.clock.on(minutes=6)
    report = await handle_inbox(lite_club.engine)
    assert report is not None
    assert report.read == {"plain": 1}


async def test_a_store_that_fails_is_no_fault_of_the_message(lite_club: Workshop) -> None:
    def fail(reading: Reading, _message: Taken) -> None:
        reading.connection.exec_driver_sql("SELECT * FROM a_table_that_is_not_there")

    arrived(lite_club, {})
    lite_club.engine = replace(lite_club.engine, readers={"plain": Reader(fail)})
    for _ in range(2 * MOST_ATTEMPTS):
        with pytest.raises(OperationalError):
            await handle_inbox(lite_club.engine)
        lite_club.clock.on(seconds=5)
    assert rows_of(lite_club.store, InboundMessage, "attempts", "failure") == [(0, None)]


async def test_a_sweep_reads_the_inbox_first(lite_club: Workshop) -> None:
    who = make_customer(lite_club.store)
    make_event(lite_club.store, who)
    arrived(lite_club, *({"customer": who} for _ in range(250)))
    await sweep(lite_club.engine, plan_sweep(lite_club.engine, []))
    assert len(rows_of(lite_club.store, Event, "id")) == 251

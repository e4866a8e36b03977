"""Facts about messages that have left: the same end whatever comes first, and however often."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from engines import Workshop
from making import (
    NOW,
    make_club,
    make_customer,
    make_enrollment,
    make_touchpoint,
    make_version,
    rows_of,
)

from crm_messaging.feedback import Feedback, Verdict
from crm_messaging.links import Links
from crm_store.database import Store, keys_of
from crm_store.inbox import Taken
from crm_store.models.consent import Consent
from crm_store.models.event import Event
from crm_store.models.touchpoint import Touchpoint
from crm_store.suppressions import suppressions
from flows.feedback import MEANINGS, apply_feedback
from flows.reading import MOST_ATTEMPTS, NotYet, Reading

SENT = NOW - timedelta(hours=1)


def a_message(club: Workshop, **values: object) -> tuple[int, int]:
    """A touchpoint that was accepted an hour ago, and its customer."""
    customer = make_customer(club.store, email="asha@example.org", phone="+919876543210")
    return _another(club, customer, **values), customer


def _another(club: Workshop, customer: int, **values: object) -> int:
    version = make_version(club.store, version=len(rows_of(club.store, Touchpoint, "id")) + 1)
    enrollment = make_enrollment(club.store, customer, version)
    row = {"state": "accepted", "sent_at": SENT, "settled_at": SENT, "version_id": version}
    row |= {"message_id": "<ours@lotus.example>", "provider_ref": None}
    return make_touchpoint(club.store, customer, enrollment, **row | values)


def said(verdict: Verdict, minutes: float = 0, **values: object) -> Feedback:
    """A fact about the one message, `minutes` after it was sent."""
    fact = Feedback(
        verdict,
        "email",
        occurred_at=SENT + timedelta(minutes=minutes),
        message_id="<ours@lotus.example>",
        recipient="Asha@Example.org",
        detail=f"{verdict} {minutes}",
    )
    return replace(fact, **values)  # type: ignore[arg-type]


def tell(club: Workshop, facts: Sequence[Feedback], *, attempts: int = 1) -> NotYet | None:
    """One stored message of a provider is read."""
    with club.store.write() as connection:
        reading = Reading(connection, club.engine, club.clock.now)
        message = Taken(1, "postmark", repr(facts), {}, b"", club.clock.now, attempts)
        return apply_feedback(reading, message, facts)


def is_suppressed(store: Store, address: str = "asha@example.org", channel: str = "email") -> str:
    with store.read() as connection:
        found = suppressions(connection, [(channel, address)])
    return found[channel, address].cause if found else ""


V = Verdict
OUTCOMES = [
    ([V.DELIVERED], "delivered", None, ""),
    ([V.DELAYED], "accepted", None, ""),
    ([V.SOFT_BOUNCE], "bounced", "soft_bounce", ""),
    ([V.MAILBOX_FULL], "bounced", "mailbox_full", ""),
    ([V.BLOCKED], "bounced", "blocked", ""),
    ([V.HARD_BOUNCE], "bounced", "hard_bounce", "hard_bounce"),
    ([V.COMPLAINT], "complained", None, "complaint"),
    ([V.UNSUBSCRIBED], "accepted", None, "opt_out"),
    ([V.OPENED], "delivered", None, ""),
    ([V.CLICKED], "delivered", None, ""),
    ([V.AUTO_REPLY], "delivered", None, ""),
    ([V.SOFT_BOUNCE, V.DELIVERED], "delivered", None, ""),
    ([V.DELIVERED, V.HARD_BOUNCE], "bounced", "hard_bounce", "hard_bounce"),
    ([V.DELIVERED, V.OPENED, V.COMPLAINT], "complained", None, "complaint"),
    ([V.DELAYED, V.MAILBOX_FULL, V.SOFT_BOUNCE], "bounced", "mailbox_full", ""),
]


@pytest.mark.parametrize(("verdicts", "state", "reason", "suppressed"), OUTCOMES)
async def test_what_each_fact_does(
    lite_club: Workshop, verdicts: list[Verdict], state: str, reason: str, suppressed: str
) -> None:
    a_message(lite_club)
    tell(lite_club, [said(verdict, minute) for minute, verdict in enumerate(verdicts, start=1)])
    assert rows_of(lite_club.store, Touchpoint, "state", "reason") == [(state, reason)]
    assert is_suppressed(lite_club.store) == suppressed
    events = [name for (name,) in rows_of(lite_club.store, Event, "name")]
    assert events == [MEANINGS[verdict].email for verdict in verdicts]


async def test_every_order_of_the_same_facts_ends_alike(club: Workshop) -> None:
    """Ten times each, shuffled, told one by one; two members hear the same in two orders."""
    facts = [
        said(V.DELAYED, 1),
        said(V.SOFT_BOUNCE, 2),
        said(V.DELIVERED, 3),
        said(V.OPENED, 4),
        said(V.HARD_BOUNCE, 5),
        said(V.HARD_BOUNCE, 5, detail="another server says so", source_id="twin"),
        said(V.UNSUBSCRIBED, 6),
        said(V.COMPLAINT, 7),
    ]
    dice = random.Random(1)  # noqa: S311
    for size, state in ((8, "complained"), (6, "bounced"), (4, "delivered"), (2, "bounced")):
        ends = []
        for _ in range(2):
            who = make_customer(club.store)
            named = {"message_id": f"<{who}@lotus.example>", "recipient": None}
            _another(club, who, message_id=named["message_id"])
            told = [replace(one, **named) for one in facts[:size]] * 10
            dice.shuffle(told)
            for one in told:
                tell(club, [one])
            ends.append((_hers(club.store, who), sorted(_events(club.store, who))))
        assert ends[0] == ends[1]
        assert ends[0][0][0] == state


def _hers(store: Store, customer: int) -> tuple[object, ...]:
    rows = rows_of(store, Touchpoint, "customer_id", "state", "reason", "detail", "settled_at")
    return next(row[1:] for row in rows if row[0] == customer)


def _events(store: Store, customer: int) -> list[str]:
    rows = rows_of(store, Event, "customer_id", "name")
    return [name for owner, name in rows if owner == customer]


async def test_small_orders_all_of_them(lite_club: Workshop) -> None:
    kinds = [V.SOFT_BOUNCE, V.DELIVERED, V.HARD_BOUNCE, V.COMPLAINT]
    ends = set()
    for number, order in enumerate(permutations(kinds)):
        who = make_customer(lite_club.store, email=f"p{number}@example.org")
        ref = f"<p{number}@lotus.example>"
        _another(lite_club, who, message_id=ref)
        facts = [said(one, kinds.index(one), message_id=ref, recipient=None) for one in order]
        tell(lite_club, facts)
    for row in rows_of(lite_club.store, Touchpoint, "state", "reason", "detail", "settled_at"):
        ends.add(row)
    assert ends == {("complained", None, "complaint 3", SENT + timedelta(minutes=3))}


BEFORE = [
    # state before,  was tried,  moved by a delivery report
    ("sending", True, True),
    ("in_doubt", True, True),
    ("queued", True, True),  # put off with 4xx, or to be sent again out of doubt
    ("queued", False, False),
    ("planned", False, False),
    ("failed", True, True),
    ("cancelled", True, True),
    ("rejected", True, False),
    ("suppressed", False, False),
]


@pytest.mark.parametrize(("state", "tried", "moves"), BEFORE)
async def test_proof_of_arrival_ends_every_doubt_but_no_decision(
    club: Workshop, state: str, tried: bool, moves: bool
) -> None:
    a_message(club, state=state, sent_at=SENT if tried else None, claim_token="t")
    tell(club, [said(V.DELIVERED)])
    ((now, token),) = rows_of(club.store, Touchpoint, "state", "claim_token")
    assert now == ("delivered" if moves else state)
    assert token == (None if moves else "t")


async def test_a_return_path_names_the_touchpoint(club: Workshop) -> None:
    touchpoint, _ = a_message(club)
    _another(club, make_customer(club.store))
    with club.store.read() as connection:
        token = Links(keys_of(connection)).return_token(touchpoint)
    nothing = {"message_id": None, "recipient": None}
    forged = f"bounces+{token[:-1]}{'0' if token[-1] != '0' else '1'}@lotus.example"
    tell(club, [said(V.HARD_BOUNCE, return_path=forged, **nothing)])
    assert is_suppressed(club.store) == ""
    returned = f"bounces+{token.upper()}@lotus.example"
    tell(club, [said(V.HARD_BOUNCE, return_path=returned, **nothing)])
    assert rows_of(club.store, Touchpoint, "state") == [("bounced",), ("accepted",)]
    assert is_suppressed(club.store) == "hard_bounce"


async def test_a_providers_reference_with_and_without_brackets(club: Workshop) -> None:
    a_message(club, provider_ref="abc@relay.example", message_id="<x@lotus.example>")
    told = said(V.DELIVERED, message_id=None, provider_ref="<abc@relay.example>", recipient=None)
    tell(club, [told])
    assert rows_of(club.store, Touchpoint, "state") == [("delivered",)]


async def test_only_her_address_tells_which_and_only_one_can_be_meant(club: Workshop) -> None:
    _, customer = a_message(club)
    _another(club, customer, sent_at=SENT - timedelta(days=10))
    nameless = said(V.OPENED, message_id=None, provider_ref="guid-1")
    assert tell(club, [nameless]) is None
    assert rows_of(club.store, Touchpoint, "state") == [("delivered",), ("accepted",)]


async def test_of_two_that_may_be_meant_none_is_taken(club: Workshop) -> None:
    _, customer = a_message(club)
    _another(club, customer, sent_at=SENT - timedelta(hours=1), message_id="<x@lotus.example>")
    facts = [said(V.HARD_BOUNCE, message_id=None), said(V.DELIVERED, 1)]
    assert isinstance(tell(club, facts), NotYet)
    assert rows_of(club.store, Event, "name") == [("email_delivered",)], "the other is applied"
    assert is_suppressed(club.store) == ""
    assert tell(club, facts, attempts=MOST_ATTEMPTS) is None
    assert rows_of(club.store, Touchpoint, "state") == [("delivered",), ("accepted",)]
    assert is_suppressed(club.store) == "hard_bounce", "her address is bad, whichever it was"


async def test_a_message_of_another_program_moves_none_of_ours(club: Workshop) -> None:
    a_message(club)
    tell(club, [said(V.HARD_BOUNCE, message_id="<invoice-7@lotus.example>")])
    assert rows_of(club.store, Touchpoint, "state") == [("accepted",)]
    assert is_suppressed(club.store) == "hard_bounce"
    ((data,),) = rows_of(club.store, Event, "data")
    assert "touchpoint" not in data


async def test_another_clubs_touchpoint_is_out_of_reach(club: Workshop) -> None:
    other = make_club(club.store, code="mumbai")
    _another(club, make_customer(club.store, club_id=other, email="asha@example.org"))
    tell(club, [said(V.COMPLAINT)])
    assert rows_of(club.store, Touchpoint, "state") == [("accepted",)]
    assert rows_of(club.store, Event, "id") == []


async def test_who_shares_an_address_is_told_of_alike(club: Workshop) -> None:
    for _ in range(2):
        make_customer(club.store, email="family@example.org")
    fact = said(V.UNSUBSCRIBED, message_id=None, recipient="Family@example.org")
    for _ in range(3):
        tell(club, [fact])
    assert len(rows_of(club.store, Event, "id")) == 2
    assert rows_of(club.store, Consent, "granted") == [(False,), (False,)]


@pytest.mark.parametrize(
    "recipient", ["", "no address", "a@b@c", "asha@" + "x" * 300, "Аша@пример.рф"]
)
async def test_odd_recipients_are_no_trouble(lite_club: Workshop, recipient: str) -> None:
    a_message(lite_club)
    tell(lite_club, [said(V.HARD_BOUNCE, message_id=None, recipient=recipient)])
    assert rows_of(lite_club.store, Touchpoint, "state") == [("accepted",)]


async def test_who_opened_is_never_known(lite_club: Workshop) -> None:
    touchpoint, _ = a_message(lite_club)
    tell(lite_club, [said(V.OPENED, detail="")])
    ((data, occurred_at),) = rows_of(lite_club.store, Event, "data", "occurred_at")
    assert data == {
        "who": "machine or person unknown",
        "touchpoint": touchpoint,
        "campaign": "renewal",
        "step": data["step"],
    }
    assert occurred_at == SENT


@pytest.mark.parametrize(
    ("seconds", "name", "who"),
    [
        (-3600, "email_clicked", "machine or person unknown"),  # a provider's clock that is wrong
        (-1, "link_scanned", "machine"),
        (9, "link_scanned", "machine"),
        (10, "email_clicked", "machine or person unknown"),
    ],
)
async def test_a_click_that_comes_too_soon_is_a_machines(
    lite_club: Workshop, seconds: int, name: str, who: str
) -> None:
    a_message(lite_club)
    tell(lite_club, [said(V.CLICKED, seconds / 60)])
    ((found, data),) = rows_of(lite_club.store, Event, "name", "data")
    assert (found, data["who"]) == (name, who)
    assert rows_of(lite_club.store, Touchpoint, "state") == [("delivered",)]


@pytest.mark.parametrize("year", [1, 9999])
async def test_an_impossible_time_is_not_believed(lite_club: Workshop, year: int) -> None:
    a_message(lite_club)
    moment = datetime(year, 12, 31, tzinfo=UTC)
    tell(lite_club, [said(V.DELIVERED, occurred_at=moment, message_id=None)])
    assert rows_of(lite_club.store, Event, "occurred_at") == [(NOW,)]
    assert rows_of(lite_club.store, Touchpoint, "state", "settled_at") == [("delivered", NOW)]


async def test_a_text_message_that_cannot_arrive(club: Workshop) -> None:
    a_message(club, channel="sms", provider_ref="SM1", message_id=None)
    facts = [
        Feedback(V.FAILED, "sms", provider_ref="SM1", source_id="SM1:failed"),
        Feedback(V.DELIVERED, "sms", provider_ref="SM1", source_id="SM1:delivered"),
    ]
    tell(club, facts[:1])
    assert rows_of(club.store, Touchpoint, "state", "reason") == [("bounced", "undelivered")]
    tell(club, facts)
    assert rows_of(club.store, Touchpoint, "state", "reason") == [("delivered", None)]
    assert [name for (name,) in rows_of(club.store, Event, "name")] == [
        "sms_failed",
        "sms_delivered",
    ]
    hard = Feedback(V.HARD_BOUNCE, "sms", recipient="09876543210", provider_ref="SM9")
    tell(club, [hard])
    assert is_suppressed(club.store, "+919876543210", "sms") == "hard_bounce"

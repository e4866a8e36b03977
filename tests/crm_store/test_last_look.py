"""The last look before a message leaves: what keeps it back, and whom it keeps back alone."""

import threading
from datetime import timedelta

import pytest
from ledger_moves import RENEWALS, begin, claim
from making import (
    NOW,
    make_consent,
    make_customer,
    make_enrollment,
    make_event,
    make_suppression,
    make_touchpoint,
    make_version,
)

from crm_store.database import Store
from crm_store.imports.permission import Answer, write_answers
from crm_store.sending import TopicRule, facts, sent_since


@pytest.mark.parametrize(
    ("what", "may_go"),
    [
        ("nothing", True),
        ("opted out of everything", False),
        ("opted out of this topic", False),
        ("opted out of another topic", True),
        ("opted out of sms", True),
        ("the address is suppressed", False),
        ("the address is suppressed for marketing", False),
        ("somebody else's address is suppressed", True),
        ("the number is suppressed for sms", True),
        ("renewed since", False),
        ("renewed before it counted", True),
        ("too late", False),
    ],
)
def test_the_last_look_before_sending(store: Store, what: str, may_go: bool) -> None:
    customer = make_customer(store, email="asha@example.org", phone="+919876500001")
    enrollment = make_enrollment(store, customer, make_version(store))
    made = make_touchpoint(store, customer, enrollment)
    claim(store)
    now = NOW
    match what:
        case "opted out of everything":
            make_consent(store, customer)
        case "opted out of this topic":
            make_consent(store, customer, topic="renewals")
        case "opted out of another topic":
            make_consent(store, customer, topic="news")
        case "opted out of sms":
            make_consent(store, customer, channel="sms")
        case "the address is suppressed":
            make_suppression(store, "email", "asha@example.org")
        case "the address is suppressed for marketing":
            make_suppression(store, "email", "asha@example.org", reach="marketing")
        case "somebody else's address is suppressed":
            make_suppression(store, "email", "vera@example.org")
        case "the number is suppressed for sms":
            make_suppression(store, "sms", "+919876500001")
        case "renewed since":
            make_event(store, customer, "membership_renewed")
        case "renewed before it counted":
            make_event(store, customer, "membership_renewed", occurred_at=NOW - timedelta(days=9))
        case "too late":
            now = NOW + timedelta(hours=37)
    assert begin(store, [made], now=now) == ({made} if may_go else set())


@pytest.mark.parametrize(
    ("what", "may_go"),
    [
        ("opted out of everything", True),
        ("opted out of this topic", False),
        ("suppressed for marketing", True),
        ("suppressed", False),
    ],
)
def test_what_keeps_a_transactional_message_back(store: Store, what: str, may_go: bool) -> None:
    customer = make_customer(store, email="asha@example.org")
    made = make_touchpoint(store, customer, make_enrollment(store, customer, make_version(store)))
    claim(store)
    match what:
        case "opted out of everything":
            make_consent(store, customer)
        case "opted out of this topic":
            make_consent(store, customer, topic="bookings")
        case _:
            reach = "marketing" if what.endswith("marketing") else "everything"
            make_suppression(store, "email", "asha@example.org", reach=reach)
    rule = TopicRule("bookings", transactional=True, opt_in=frozenset({"email"}))
    with store.read() as connection:
        known = facts(connection, [made], rule=rule, exit_on=[])[made]
    assert known.agreed
    assert (not known.opted_out and not known.suppressed) == may_go
    assert begin(store, [made], rule=rule) == ({made} if may_go else set())


@pytest.mark.parametrize(
    ("opt_in", "answers", "agreed"),
    [
        (["sms"], {}, True),
        (["email"], {}, False),
        (["email"], {"*": True}, True),
        (["email"], {"renewals": True}, True),
        (["email"], {"news": True}, False),
        (["email"], {"*": False, "renewals": True}, True),
    ],
)
def test_where_she_must_have_agreed(
    store: Store, opt_in: list[str], answers: dict[str, bool], agreed: bool
) -> None:
    customer = make_customer(store)
    made = make_touchpoint(store, customer, make_enrollment(store, customer, make_version(store)))
    claim(store)
    for topic, granted in answers.items():
        make_consent(store, customer, topic=topic, granted=granted)
    rule = TopicRule("renewals", opt_in=frozenset(opt_in))
    with store.read() as connection:
        known = facts(connection, [made], rule=rule, exit_on=[])[made]
    assert (known.agreed, known.opted_out) == (agreed, answers.get("*") is False)
    may_go = agreed and not known.opted_out
    assert begin(store, [made], rule=rule) == ({made} if may_go else set())


def test_a_suppressed_address_holds_up_nobody_else(store: Store) -> None:
    made = []
    for email in ("asha@example.org", "ravi@example.org", "vera@example.org"):
        customer = make_customer(store, email=email)
        enrollment = make_enrollment(store, customer, make_version(store, version=len(made) + 1))
        made.append(make_touchpoint(store, customer, enrollment))
    claim(store)
    make_suppression(store, "email", "ravi@example.org")
    with store.read() as connection:
        known = facts(connection, made, rule=RENEWALS, exit_on=[])
    assert [known[one].suppressed for one in made] == [False, True, False]
    assert begin(store, made) == {made[0], made[2]}


def test_the_gates_facts(store: Store) -> None:
    customer = make_customer(store, email=None, timezone="Europe/Moscow", language="ru")
    enrollment = make_enrollment(store, customer, make_version(store))
    made = make_touchpoint(store, customer, enrollment)
    with store.read() as connection:
        known = facts(connection, [made], rule=RENEWALS, exit_on=[])[made]
    assert (known.address, known.timezone, known.language) == (None, "Europe/Moscow", "ru")
    assert (known.opted_out, known.suppressed, known.exited) == (False, False, False)


def test_what_counts_towards_a_cap(store: Store, enrolled: tuple[int, int]) -> None:
    customer, _ = enrolled
    ago = [NOW - timedelta(days=days) for days in (8, 3, 2, 1, 7)]
    states = ["accepted", "accepted", "rejected", "in_doubt", "accepted"]
    for state, sent_at in zip(states, ago, strict=True):
        make_touchpoint(store, *enrolled, state=state, sent_at=sent_at)
    make_touchpoint(store, *enrolled, state="claimed", claim_token="mine")
    make_touchpoint(store, *enrolled, state="claimed", claim_token="another's")
    with store.read() as connection:
        times = sent_since(connection, [customer], NOW - timedelta(days=7), "mine", NOW)
    assert times == {customer: [ago[1], ago[3], NOW]}  # and none of exactly seven days ago


def test_an_opt_out_on_its_way_wins(store: Store) -> None:
    """G5: the opt-out has begun and not yet committed; sending waits for it and sees it."""
    customer = make_customer(store)
    made = make_touchpoint(store, customer, make_enrollment(store, customer, make_version(store)))
    claim(store)
    may_go: list[set[int]] = []
    sending = threading.Thread(target=lambda: may_go.append(begin(store, [made])))
    with store.write() as connection:
        refusal = Answer("email", granted=False, proof="test")
        write_answers(connection, [(customer, refusal)], NOW)
        sending.start()
        sending.join(timeout=0.5)
        assert may_go == []  # it waits
    sending.join(timeout=10)
    assert may_go == [set()]

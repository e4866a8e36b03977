"""What customers answer about being written to: what stands, and the proof of it."""

from datetime import timedelta

import pytest
from making import NOW, make_club, make_consent, make_customer, rows_of

from crm_store.consents import Proof, choose, confirm, keep_answers, opt_out, request, standing
from crm_store.database import Store
from crm_store.models.consent import Cause, Consent, ConsentRecord
from crm_store.suppressions import address_hash, suppress, suppressions

ASHA = "asha@example.org"
ONE_CLICK, PAGE = Proof("one_click", touchpoint_id=7), Proof("preferences", "I want this.", "2")
ASKED = Proof("form", "Yes, send me news.", "2026-11")
HOUR = timedelta(hours=1)


def answers(store: Store, customer: int) -> dict[tuple[str, str], bool]:
    with store.read() as connection:
        return standing(connection, customer)


def is_closed(store: Store, address: str = ASHA, channel: str = "email") -> bool:
    with store.read() as connection:
        return bool(suppressions(connection, [(channel, address)]))


def test_an_opt_out_is_everywhere_at_once(store: Store) -> None:
    """Every record with the address, in any club, and any that comes later."""
    asha = make_customer(store, email=ASHA)
    double = make_customer(store, email=ASHA)
    elsewhere = make_customer(store, email=ASHA, club_id=make_club(store, code="other"))
    stranger = make_customer(store)
    with store.write() as connection:
        assert opt_out(connection, "email", ONE_CLICK, NOW, customer_id=asha) == 3
        assert opt_out(connection, "email", ONE_CLICK, NOW, customer_id=asha) == 0
    for customer in (asha, double, elsewhere):
        assert answers(store, customer) == {("email", "*"): False}
    assert answers(store, stranger) == {}
    assert is_closed(store)
    assert not is_closed(store, channel="sms")
    assert len(rows_of(store, ConsentRecord)) == 3


def test_the_address_of_a_link_is_out_even_if_she_has_another_now(store: Store) -> None:
    asha = make_customer(store, email="new@example.org")
    with store.write() as connection:
        hashed = address_hash(connection, ("email", ASHA))
        opt_out(connection, "email", ONE_CLICK, NOW, customer_id=asha, address_hash=hashed)
    assert is_closed(store)
    assert is_closed(store, "new@example.org")
    with store.write() as connection:  # of an erased customer there is only the link
        hashed = address_hash(connection, ("email", "gone@example.org"))
        assert opt_out(connection, "email", ONE_CLICK, NOW, address_hash=hashed) == 0
    assert is_closed(store, "gone@example.org")


def test_each_answer_keeps_its_proof(store: Store) -> None:
    asha = make_customer(store, email=ASHA)
    with store.write() as connection:
        request(connection, asha, "email", ["news"], ASKED, NOW)
        confirm(connection, asha, "email", PAGE, NOW + HOUR, NOW + HOUR)
        opt_out(connection, "email", ONE_CLICK, NOW + 2 * HOUR, customer_id=asha)
        hashed = address_hash(connection, ("email", ASHA))
    columns = ("topic", "step", "source", "proof", "text_version", "touchpoint_id", "given_at")
    assert rows_of(store, ConsentRecord, *columns) == [
        ("news", "requested", "form", "Yes, send me news.", "2026-11", None, NOW),
        ("news", "granted", "preferences", "I want this.", "2", None, NOW + HOUR),
        ("*", "refused", "one_click", "", "", 7, NOW + 2 * HOUR),
    ]
    assert set(rows_of(store, ConsentRecord, "address_hash")) == {(hashed,)}


def test_a_request_grants_nothing_until_it_is_confirmed(store: Store) -> None:
    asha = make_customer(store, email=ASHA)
    with store.write() as connection:
        request(connection, asha, "email", ["news", "offers"], ASKED, NOW)
    assert answers(store, asha) == {}
    with store.write() as connection:
        assert confirm(connection, asha, "email", PAGE, NOW + HOUR, NOW + HOUR)
    assert answers(store, asha) == {("email", "news"): True, ("email", "offers"): True}


def test_a_confirmation_that_is_replayed_gives_nothing_back(store: Store) -> None:
    asha = make_customer(store, email=ASHA)
    sent = NOW + HOUR
    with store.write() as connection:
        request(connection, asha, "email", ["news"], ASKED, NOW)
        assert confirm(connection, asha, "email", PAGE, sent, NOW + 2 * HOUR)
        opt_out(connection, "email", ONE_CLICK, NOW + 3 * HOUR, customer_id=asha)
        assert not confirm(connection, asha, "email", PAGE, sent, NOW + 4 * HOUR)
    assert answers(store, asha)["email", "*"] is False
    assert is_closed(store)


def test_a_confirmation_ends_an_opt_out_of_long_before(store: Store) -> None:
    asha = make_customer(store, email=ASHA)
    with store.write() as connection:
        opt_out(connection, "email", ONE_CLICK, NOW - 90 * 24 * HOUR, customer_id=asha)
        request(connection, asha, "email", ["news"], ASKED, NOW)
        assert confirm(connection, asha, "email", PAGE, NOW + HOUR, NOW + HOUR)
    assert answers(store, asha) == {("email", "news"): True}
    assert not is_closed(store)


@pytest.mark.parametrize(
    ("wanted", "stands", "closed"),
    [
        ({"news": True, "offers": False}, {"news": True, "offers": False}, False),
        ({"news": False, "offers": False}, {"*": False}, True),
        ({}, {"*": False}, True),
    ],
)
def test_her_own_choice_stands(
    store: Store, wanted: dict[str, bool], stands: dict[str, bool], closed: bool
) -> None:
    asha = make_customer(store, email=ASHA)
    with store.write() as connection:
        opt_out(connection, "email", ONE_CLICK, NOW, customer_id=asha)
        choose(connection, asha, "email", wanted, PAGE, NOW + HOUR)
    assert answers(store, asha) == {("email", topic): yes for topic, yes in stands.items()}
    assert is_closed(store) == closed


@pytest.mark.parametrize("cause", [Cause.HARD_BOUNCE, Cause.COMPLAINT, Cause.MANUAL])
def test_no_choice_of_hers_makes_a_dead_address_live(store: Store, cause: Cause) -> None:
    asha = make_customer(store, email=ASHA)
    with store.write() as connection:
        suppress(connection, [("email", ASHA)], cause=cause, source="test", now=NOW)
        choose(connection, asha, "email", {"news": True}, PAGE, NOW)
    assert is_closed(store)


def test_nothing_said_is_nothing_written(store: Store) -> None:
    make_consent(store, make_customer(store))
    with store.write() as connection:
        keep_answers(connection, [], NOW)
    assert rows_of(store, ConsentRecord) == []
    assert len(rows_of(store, Consent)) == 1

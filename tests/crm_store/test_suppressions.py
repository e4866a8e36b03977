"""Addresses not to write to: found by whoever has the key, read by nobody."""

import sqlite3

import pytest
from making import NOW, SECRET, rows_of

from crm_store.database import Store
from crm_store.keys import KeyRing
from crm_store.models.consent import Cause, Reach, Suppression
from crm_store.suppressions import Address, lift, suppress, suppressions

ASHA, RAVI = ("email", "asha@example.org"), ("email", "ravi@example.org")
ASHAS_PHONE = ("sms", "+919876543210")


def close(
    store: Store,
    *addresses: Address,
    cause: Cause = Cause.OPT_OUT,
    reach: Reach = Reach.EVERYTHING,
    source: str = "test",
) -> None:
    with store.write() as connection:
        suppress(connection, addresses, cause=cause, source=source, now=NOW, reach=reach)


def found(store: Store, *addresses: Address) -> dict[Address, tuple[str, str]]:
    with store.read() as connection:
        rows = suppressions(connection, addresses)
    return {address: (one.reach, one.cause) for address, one in rows.items()}


def test_each_channel_has_suppressions_of_its_own(store: Store) -> None:
    close(store, ASHA, ASHAS_PHONE)
    assert set(found(store, ASHA, RAVI, ASHAS_PHONE, ("whatsapp", ASHAS_PHONE[1]))) == {
        ASHA,
        ASHAS_PHONE,
    }
    assert found(store) == {}


@pytest.mark.parametrize(
    ("first", "then", "stands"),
    [
        ((Reach.MARKETING, Cause.OPT_OUT), (Reach.EVERYTHING, Cause.HARD_BOUNCE), "then"),
        ((Reach.EVERYTHING, Cause.COMPLAINT), (Reach.MARKETING, Cause.OPT_OUT), "first"),
        ((Reach.EVERYTHING, Cause.COMPLAINT), (Reach.EVERYTHING, Cause.HARD_BOUNCE), "first"),
    ],
)
def test_what_reaches_further_stands(
    store: Store, first: tuple[Reach, Cause], then: tuple[Reach, Cause], stands: str
) -> None:
    for reach, cause in (first, then):
        close(store, ASHA, cause=cause, reach=reach)
    assert found(store, ASHA) == {ASHA: first if stands == "first" else then}


@pytest.mark.parametrize("cause", Cause)
def test_she_can_end_what_she_herself_began(store: Store, cause: Cause) -> None:
    close(store, ASHA, cause=cause)
    close(store, RAVI)
    with store.write() as connection:
        lift(connection, [ASHA])
    assert (ASHA not in found(store, ASHA)) == (cause in (Cause.OPT_OUT, Cause.ERASURE))
    assert RAVI in found(store, RAVI)


def test_a_suppression_is_found_after_a_change_of_the_key(store: Store) -> None:
    close(store, ASHA)
    new_key = "a new key, of which nothing is known yet"
    rotated = Store(store.engine, KeyRing(new_key, [SECRET]))
    close(rotated, RAVI)
    assert set(found(rotated, ASHA, RAVI)) == {ASHA, RAVI}
    assert set(found(Store(store.engine, KeyRing(new_key)), ASHA, RAVI)) == {RAVI}
    with rotated.write() as connection:
        lift(connection, [ASHA])
    assert found(rotated, ASHA) == {}


def test_no_address_is_in_the_file(sqlite_store: Store) -> None:
    close(sqlite_store, ASHA, ASHAS_PHONE)
    with sqlite3.connect(str(sqlite_store.engine.url.database)) as connection:
        words = "\n".join(connection.iterdump())
    for _, address in (ASHA, ASHAS_PHONE):
        assert address not in words
    hashes = rows_of(sqlite_store, Suppression, "address_hash")
    assert all(len(one) == 20 for (one,) in hashes)

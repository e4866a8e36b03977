"""What operators can do to the ledger: pause it, and decide what is in doubt."""

from datetime import timedelta

import pytest
from making import (
    NOW,
    addresses_of,
    make_customer,
    make_enrollment,
    make_touchpoint,
    make_version,
    rows_of,
)

from crm_store import doubts, ledger_home, touchpoints
from crm_store.database import Store
from crm_store.ledger_home import (
    COPIED,
    LIVE,
    REHEARSED,
    REPLACED,
    count_batch,
    settle_in,
    suspicion,
)
from crm_store.models.operation import LedgerHome
from crm_store.models.touchpoint import Touchpoint
from crm_store.pauses import pause, pauses, resume
from crm_store.sending import TopicRule, begin_sending
from crm_store.tables import table_of


@pytest.fixture
def queued(store: Store) -> int:
    customer = make_customer(store)
    return make_touchpoint(store, customer, make_enrollment(store, customer, make_version(store)))


def claim(store: Store) -> list[int]:
    with store.write() as connection:
        batch = touchpoints.claim(
            connection,
            club_id=1,
            campaign="renewal",
            token="t",
            now=NOW,
            lease_until=NOW + timedelta(minutes=20),
            limit=10,
        )
    return [one.id for one in batch]


def begin(store: Store, touchpoint: int) -> set[int]:
    with store.write() as connection:
        return begin_sending(
            connection,
            addresses_of(store, touchpoint),
            token="t",
            rule=TopicRule("renewals"),
            exit_on=(),
            now=NOW,
        )


@pytest.mark.parametrize(
    ("paused", "claims"), [("*", False), ("renewal", False), ("birthday", True)]
)
def test_what_is_paused_is_not_claimed(
    store: Store, queued: int, paused: str, claims: bool
) -> None:
    with store.write() as connection:
        assert pause(connection, paused, "a wrong price", NOW)
    assert claim(store) == ([queued] if claims else [])


def test_a_pause_stops_what_is_claimed_already(store: Store, queued: int) -> None:
    claim(store)
    with store.write() as connection:
        pause(connection, "*", "stop", NOW)
    assert begin(store, queued) == set()
    with store.write() as connection:
        assert resume(connection, "*")
    assert begin(store, queued) == {queued}


def test_pausing_twice_is_one_pause(store: Store) -> None:
    with store.write() as connection:
        assert pause(connection, "*", "first", NOW)
        assert not pause(connection, "*", "second", NOW)
        assert [one.reason for one in pauses(connection)] == ["first"]
        assert resume(connection, "*")
        assert not resume(connection, "*")


def in_doubt(store: Store, touchpoint: int) -> None:
    claim(store)
    begin(store, touchpoint)
    with store.write() as connection:
        touchpoints.recover(connection, NOW + timedelta(hours=1))


@pytest.mark.parametrize(("arrived", "state"), [(True, "accepted"), (False, "failed")])
def test_a_doubt_is_resolved(store: Store, queued: int, arrived: bool, state: str) -> None:
    in_doubt(store, queued)
    with store.write() as connection:
        assert doubts.resolve(connection, [queued], arrived=arrived, now=NOW) == 1
        assert doubts.resolve(connection, [queued], arrived=arrived, now=NOW) == 0
    assert rows_of(store, Touchpoint, "state", "reason") == [(state, "resolved")]


def test_a_doubt_is_sent_again_only_when_asked_and_is_flagged(store: Store, queued: int) -> None:
    in_doubt(store, queued)
    assert claim(store) == []
    with store.write() as connection:
        assert doubts.resend(connection, [queued], NOW) == 1
    assert claim(store) == [queued]
    assert rows_of(store, Touchpoint, "resends") == [(1,)]


def test_only_steps_that_say_so_are_sent_again_by_themselves(store: Store, queued: int) -> None:
    in_doubt(store, queued)
    [(step, version)] = rows_of(store, Touchpoint, "step", "version_id")
    with store.write() as connection:
        assert doubts.resend_steps(connection, "renewal", version, ["other"], NOW) == 0
        late = NOW + timedelta(days=2)
        assert doubts.resend_steps(connection, "renewal", version, [step], late) == 0
        assert doubts.resend_steps(connection, "renewal", version, [step], NOW) == 1


def test_an_installation_knows_its_store(store: Store) -> None:
    with store.write() as connection:
        assert suspicion(store, connection, "home-1", 0, "live") is None
        assert settle_in(store, connection, "home-1", "live", NOW) == 0
        assert [count_batch(connection, "home-1") for _ in range(3)] == [1, 2, 3]
        assert suspicion(store, connection, "home-1", 3, "live") is None
        assert (
            suspicion(store, connection, "home-1", 2, "live") is None
        )  # died before it noted the third


def test_a_store_put_back_from_a_backup_is_noticed(store: Store) -> None:
    with store.write() as connection:
        settle_in(store, connection, "home-1", "live", NOW)
        count_batch(connection, "home-1")
        assert "7 batches are missing" in str(suspicion(store, connection, "home-1", 8, "live"))


def test_another_store_in_its_place_is_noticed(store: Store) -> None:
    with store.write() as connection:
        assert suspicion(store, connection, "home-1", 8, "live") == REPLACED


def test_a_copy_is_noticed(store: Store) -> None:
    with store.write() as connection:
        settle_in(store, connection, "home-1", "live", NOW)
        connection.execute(table_of(LedgerHome).update().values(fingerprint="elsewhere"))
        assert suspicion(store, connection, "home-1", 0, "live") == COPIED
        settle_in(store, connection, "home-1", "live", NOW)
        assert suspicion(store, connection, "home-1", 0, "live") is None


def test_a_second_worker_is_welcome_where_there_can_be_one(store: Store) -> None:
    with store.write() as connection:
        settle_in(store, connection, "home-1", "live", NOW)
        expected = COPIED if store.is_sqlite else None
        assert suspicion(store, connection, "home-2", 0, "live") == expected
        assert ":" in ledger_home.fingerprint(store, connection)


@pytest.mark.parametrize(
    ("before", "now", "doubt"),
    [
        ("live", "live", None),
        ("rehearsal", "rehearsal", None),
        ("rehearsal", "live", REHEARSED),
        ("live", "rehearsal", LIVE),
    ],
)
def test_what_was_rehearsed_has_not_been_sent(
    store: Store, before: str, now: str, doubt: str | None
) -> None:
    with store.write() as connection:
        settle_in(store, connection, "home-1", before, NOW)
        assert suspicion(store, connection, "home-1", 0, now) is None  # nothing was sent yet
        count_batch(connection, "home-1")
        assert suspicion(store, connection, "home-1", 1, now) == doubt

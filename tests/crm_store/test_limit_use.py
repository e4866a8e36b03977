"""Moments of a rate limit: nobody gets one that another has."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from making import NOW, make_club

from crm_store.database import Store
from crm_store.limit_use import FARTHEST, reserve

INTERVAL = timedelta(seconds=2)
FOREVER = timedelta(days=1)


def asked(
    store: Store,
    number: int = 1,
    *,
    name: str = "email",
    club: int = 1,
    now: datetime = NOW,
    patience: timedelta = FOREVER,
    interval: timedelta = INTERVAL,
) -> datetime:
    return store.transact(
        reserve, club, name, interval=interval, number=number, now=now, latest=now + patience
    )


@pytest.fixture(autouse=True)
def _club(store: Store) -> None:
    make_club(store)


def test_moments_are_given_out_one_after_the_other(store: Store) -> None:
    assert asked(store, 3) == NOW
    assert asked(store) == NOW + 3 * INTERVAL
    assert asked(store) == NOW + 4 * INTERVAL


def test_what_is_past_is_not_saved_up(store: Store) -> None:
    asked(store, 3)
    later = NOW + 10 * INTERVAL
    assert [asked(store, now=later) for _ in range(2)] == [later, later + INTERVAL]


def test_each_limit_of_each_club_has_its_own(store: Store) -> None:
    other = make_club(store, code="other")
    asked(store, 9)
    assert asked(store, name="email/google") == NOW
    assert asked(store, club=other) == NOW
    assert asked(store) == NOW + 9 * INTERVAL


def test_who_cannot_wait_takes_none(store: Store) -> None:
    asked(store, 3)
    for _ in range(2):
        assert asked(store, patience=timedelta(seconds=5)) == NOW + 3 * INTERVAL
    assert asked(store, patience=timedelta(seconds=6)) == NOW + 3 * INTERVAL
    assert asked(store) == NOW + 4 * INTERVAL


def test_a_slower_limit_of_yesterday_or_a_wrong_clock_holds_up_nobody(store: Store) -> None:
    asked(store, interval=timedelta(hours=1))
    assert asked(store, interval=timedelta(hours=1)) == NOW + timedelta(hours=1)
    assert asked(store) == NOW
    asked(store, now=NOW + timedelta(days=400))
    assert asked(store) == NOW
    asked(store, int((FARTHEST - INTERVAL) / INTERVAL))
    assert asked(store) == NOW + FARTHEST


def test_those_who_ask_at_once_get_moments_of_their_own(store: Store) -> None:
    with ThreadPoolExecutor(4) as threads:
        moments = list(threads.map(lambda _: asked(store), range(20)))
    assert sorted(moments) == [NOW + n * INTERVAL for n in range(20)]

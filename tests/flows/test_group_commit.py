"""Many sessions, few commits, and nothing leaves before its commit."""

import asyncio
import sqlite3
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from making import (
    NOW,
    addresses_of,
    make_consent,
    make_customer,
    make_enrollment,
    make_touchpoint,
    make_version,
    rows_of,
)
from postgres_waits import until_waiting
from sqlalchemy import event, select
from sqlalchemy.exc import OperationalError

from crm_store import touchpoints
from crm_store.database import Store
from crm_store.locks import Lock, hold
from crm_store.models.touchpoint import State, Touchpoint
from crm_store.sending import TopicRule
from crm_store.touchpoints import TOUCHPOINT, Ruling
from flows.group_commit import Claim, GroupCommit


def claimed(store: Store, number: int) -> list[int]:
    """Touchpoints of as many customers, claimed with token `t`."""
    version = make_version(store)
    made = []
    for _ in range(number):
        customer = make_customer(store)
        made.append(make_touchpoint(store, customer, make_enrollment(store, customer, version)))
    with store.write() as connection:
        touchpoints.claim(
            connection,
            club_id=1,
            campaign="renewal",
            token="t",
            now=NOW,
            lease_until=NOW + timedelta(minutes=20),
            limit=number,
        )
    return made


def claim_of(store: Store) -> Claim:
    made = [touchpoint for (touchpoint,) in rows_of(store, Touchpoint, "id")]
    return Claim("t", TopicRule("renewals"), (), addresses_of(store, *made))


def the_clock() -> datetime:
    return NOW


def states(store: Store) -> list[str]:
    return [str(state) for (state,) in rows_of(store, Touchpoint, "state")]


async def test_sending_is_committed_when_the_answer_comes(store: Store) -> None:
    [made] = claimed(store, 1)
    claim = claim_of(store)
    async with GroupCommit(store, the_clock) as ledger:
        assert await ledger.may_send(claim, made)
        assert states(store) == ["sending"]  # read by another connection


async def test_sessions_that_wait_together_share_a_commit(store: Store) -> None:
    made = claimed(store, 40)
    commits = []
    event.listen(store.engine, "commit", commits.append)
    claim = claim_of(store)
    async with GroupCommit(store, the_clock) as ledger:
        answers = await asyncio.gather(*(ledger.may_send(claim, one) for one in made))
        for one in made:
            ledger.settle(claim, Ruling(one, State.ACCEPTED))
    assert answers == [True] * 40
    assert states(store) == ["accepted"] * 40
    assert len(commits) <= 3  # the first wish alone, the others together, the receipts


async def test_a_commit_waits_for_who_is_on_the_wire_but_not_for_ever(store: Store) -> None:
    first, second, third = claimed(store, 3)
    claim = claim_of(store)
    commits = []
    event.listen(store.engine, "commit", commits.append)
    async with GroupCommit(store, the_clock) as ledger:
        assert await ledger.may_send(claim, first)
        later = [ledger.may_send(claim, one) for one in (second, third)]
        await asyncio.sleep(0)  # they have asked, and wait for the first to come back
        ledger.settle(claim, Ruling(first, State.ACCEPTED))
        assert await asyncio.gather(*later) == [True, True]
        assert states(store) == ["accepted", "sending", "sending"]
        assert len(commits) == 2
        ledger.settle(claim, Ruling(second, State.ACCEPTED))
        await asyncio.sleep(0.2)  # the third never comes back
        assert states(store) == ["accepted", "accepted", "sending"]


async def test_batches_share_a_commit_each_under_its_own_token(store: Store) -> None:
    mine, others = claimed(store, 2)
    claim = claim_of(store)
    lost = replace(claim, token="u")
    async with GroupCommit(store, the_clock) as ledger:
        wishes = ledger.may_send(claim, mine), ledger.may_send(lost, others)
        assert await asyncio.gather(*wishes) == [True, False]
        ledger.settle(lost, Ruling(mine, State.FAILED))
        ledger.settle(claim, Ruling(mine, State.ACCEPTED))
    assert states(store) == ["accepted", "claimed"]


async def test_who_opted_out_in_between_is_told_no_and_the_others_go(store: Store) -> None:
    made = claimed(store, 3)
    [(_,), (opted_out,), (_,)] = rows_of(store, Touchpoint, "customer_id")
    make_consent(store, opted_out)
    claim = claim_of(store)
    async with GroupCommit(store, the_clock) as ledger:
        answers = await asyncio.gather(*(ledger.may_send(claim, one) for one in made))
    assert answers == [True, False, True]
    assert states(store) == ["sending", "claimed", "sending"]


async def test_a_yes_that_was_slept_over_is_none(store: Store) -> None:
    """The process was stopped in its commit, and taken for dead before it woke."""
    [made] = claimed(store, 1)
    times = iter([NOW, NOW + timedelta(minutes=21)])
    claim = claim_of(store)
    async with GroupCommit(store, lambda: next(times)) as ledger:
        assert not await ledger.may_send(claim, made)
    assert states(store) == ["sending"]  # for whoever looks after the dead to put in doubt


async def test_leaving_writes_the_last_receipts(store: Store) -> None:
    [made] = claimed(store, 1)
    claim = claim_of(store)
    async with GroupCommit(store, the_clock) as ledger:
        await ledger.may_send(claim, made)
        ledger.settle(claim, Ruling(made, State.ACCEPTED))
    assert states(store) == ["accepted"]


async def test_a_receipt_outlasts_a_locked_database(sqlite_store: Store) -> None:
    """Another program holds the lock for longer than the driver waits: the receipt waits too."""
    [made] = claimed(sqlite_store, 1)
    claim = claim_of(sqlite_store)
    async with GroupCommit(sqlite_store.impatient(0.05), the_clock) as ledger:
        await ledger.may_send(claim, made)
        async with locked(sqlite_store, 0.6):
            ledger.settle(claim, Ruling(made, State.ACCEPTED))
    assert states(sqlite_store) == ["accepted"]


async def test_a_wish_outlasts_a_locked_database(sqlite_store: Store) -> None:
    """Others are on the wire, whose receipts it must not take with it."""
    made = claimed(sqlite_store, 2)
    claim = claim_of(sqlite_store)
    async with GroupCommit(sqlite_store.impatient(0.05), the_clock) as ledger:
        async with locked(sqlite_store, 0.6):
            wishes = [ledger.may_send(claim, one) for one in made]
        assert await asyncio.gather(*wishes) == [True, True]


@pytest.mark.parametrize("when", ["before the commit", "during the commit"])
async def test_who_has_gone_sends_nothing_and_is_in_no_doubt(
    sqlite_store: Store, when: str
) -> None:
    gone, stays = claimed(sqlite_store, 2)
    claim = claim_of(sqlite_store)
    async with GroupCommit(sqlite_store, the_clock) as ledger:
        async with locked(sqlite_store, 0.3):
            answers = [ledger.may_send(claim, one) for one in (gone, stays)]
            if when == "during the commit":
                await asyncio.sleep(0.1)
            answers[0].cancel()
        assert await answers[1]
    left = "claimed" if when == "before the commit" else "queued"
    assert states(sqlite_store) == [left, "sending"]


async def test_while_it_waits_for_who_takes_permission_away_it_holds_no_row(
    postgres_store: Store,
) -> None:
    """Whoever takes permission away may want the touchpoint that a receipt is about."""
    first, second = claimed(postgres_store, 2)
    claim = claim_of(postgres_store)
    async with GroupCommit(postgres_store, the_clock) as ledger:
        assert await ledger.may_send(claim, first)
        with postgres_store.write() as other:
            hold(other, Lock.PERMISSION)
            asked = ledger.may_send(claim, second)
            ledger.settle(claim, Ruling(first, State.ACCEPTED))
            await asyncio.to_thread(until_waiting, postgres_store, 1)
            hers = select(TOUCHPOINT.c.id).where(TOUCHPOINT.c.id == first)
            other.execute(hers.with_for_update(nowait=True))
        assert await asked
    assert states(postgres_store) == ["accepted", "sending"]


async def test_a_store_that_is_gone_stops_the_batch_and_nobody_waits_for_ever(
    sqlite_store: Store,
) -> None:
    made = claimed(sqlite_store, 2)

    @event.listens_for(sqlite_store.engine, "begin")
    def _gone(_connection: object) -> None:
        raise sqlite3.OperationalError("disk I/O error")

    async def ask_both(ledger: GroupCommit) -> list[bool | BaseException]:
        wishes = (ledger.may_send(claim, one) for one in made)
        return await asyncio.gather(*wishes, return_exceptions=True)

    with pytest.raises((OperationalError, sqlite3.OperationalError)):
        claim = claim_of(sqlite_store)
        async with GroupCommit(sqlite_store, the_clock) as ledger:
            answers = await asyncio.wait_for(ask_both(ledger), timeout=5)
            assert all(isinstance(answer, Exception) for answer in answers)
            with pytest.raises(sqlite3.OperationalError):
                await asyncio.wait_for(ledger.may_send(claim, made[0]), timeout=5)


@asynccontextmanager
async def locked(store: Store, seconds: float) -> AsyncIterator[None]:
    """Another program has the lock, for so long from the beginning of the block on."""
    holding = threading.Event()
    holder = threading.Thread(target=hold_the_lock, args=(store, holding, seconds))
    holder.start()
    await asyncio.to_thread(holding.wait)
    yield
    await asyncio.to_thread(holder.join)


def hold_the_lock(store: Store, holding: threading.Event, seconds: float) -> None:
    with store.write():
        holding.set()
        time.sleep(seconds)

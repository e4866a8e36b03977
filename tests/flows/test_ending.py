"""A process that is told to end: what is on the wire is finished, the rest is there for others."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from engines import LEADS, Workshop
from making import make_customer, make_event, rows_of

from crm_messaging.channels.limits import EmailLimits
from crm_messaging.message import Channel, MaySend, Outgoing, Receipt
from crm_store.models.touchpoint import Touchpoint
from flows.traffic import Traffic

MANY, BEFORE = 60, 20


class Foreboding:
    """The club's own channel; its process is told to end when it has taken so many messages."""

    def __init__(self, inner: Channel, ending: asyncio.Event) -> None:
        self.name, self.concurrency = inner.name, inner.concurrency
        self._inner, self._ending = inner, ending
        self._taken = 0

    async def hand_over(self, message: Outgoing, may_send: MaySend) -> Receipt | None:
        self._taken += 1
        if self._taken == BEFORE:
            self._ending.set()
        return await self._inner.hand_over(message, may_send)

    async def close(self) -> None:
        return


def states(club: Workshop) -> dict[str, int]:
    found = [state for (state,) in rows_of(club.store, Touchpoint, "state")]
    return {state: found.count(state) for state in set(found)}


@pytest.mark.parametrize("told", ["before", "meanwhile"])
async def test_nothing_is_begun_and_nothing_in_doubt(club: Workshop, told: str) -> None:
    club.campaign(LEADS)
    for _ in range(MANY):
        make_event(club.store, make_customer(club.store))
    ending, going_on = asyncio.Event(), club.engine
    if told == "before":
        ending.set()
    channels = {**going_on.channels, "email": Foreboding(going_on.channels["email"], ending)}
    club.engine = replace(going_on, channels=channels, ending=ending)
    report = await club.sweep()
    left = states(club)
    if told == "before":
        assert left == {"queued": MANY}
    else:
        assert set(left) == {"accepted", "queued"}
        # Those that were on the wire at that moment are finished.
        assert BEFORE <= left["accepted"] < BEFORE + channels["email"].concurrency
        assert report.campaigns[0].by_state() == left
    club.engine = going_on
    await club.sweep()
    assert states(club) == {"accepted": MANY}
    assert club.caught_ids() == club.accepted_ids()


async def test_nobody_stays_for_what_a_limit_holds_back(lite_club: Workshop) -> None:
    lite_club.campaign(LEADS)
    for _ in range(3):
        make_event(lite_club.store, make_customer(lite_club.store))
    ending = asyncio.Event()
    slow = Traffic({"email": EmailLimits(per_hour=60)})
    lite_club.engine = replace(
        lite_club.engine, traffic=slow, patience=timedelta(minutes=5), ending=ending
    )
    asyncio.get_running_loop().call_later(0.5, ending.set)
    async with asyncio.timeout(10):
        await lite_club.sweep()
    assert states(lite_club) == {"accepted": 1, "queued": 2}

"""Deliver: prepare batch after batch, hand each over, and report what became of it."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress
from time import perf_counter
from typing import TypeAlias

from crm_store.touchpoints import count_coming_back, held_back
from flows.campaigns import RunningCampaign
from flows.delivery import Delivery, Outcomes
from flows.engine import Engine
from flows.prepare import Prepared, Stuck, prepare, write_rulings
from flows.report import CampaignReport

ROUND_S = 1.0
"""While delivery stays for what a limit holds back, it looks into the queue this often."""

A_TURN_S = 0.008
"""So long messages are composed before the sessions have their turn. If that were shorter, all that
composing needs would have left the processor's caches each time."""
A_FEW = 25

SendBatch: TypeAlias = Callable[[Delivery, Prepared], Awaitable[Outcomes]]
OnProgress: TypeAlias = Callable[[int], None]


async def deliver(
    engine: Engine,
    campaign: RunningCampaign,
    report: CampaignReport,
    *,
    send: SendBatch = Delivery.send,
    on_progress: OnProgress = lambda _: None,
) -> None:
    """Deliver all that a campaign has queued, batch by batch, into `report`.

    Two batches are on their way at a time, so that no session waits for the last messages of one,
    and a third is being prepared. `send` wraps the sending of one batch: Prefect's tasks come in
    there. With `engine.patience` it stays for what a rate limit holds back, so long as that comes
    in time. A version whose templates cannot be used stays queued and ends in its error, once the
    others are delivered.
    """
    stuck: Stuck = {}
    stays_until = asyncio.get_running_loop().time() + engine.patience.total_seconds()

    def prepare_next() -> asyncio.Task[Prepared | None]:
        return asyncio.create_task(asyncio.to_thread(_next, delivery, campaign, stuck))

    async def sent(batch: Prepared) -> None:
        await _composed(engine, batch)
        report.outcomes += batch.outcomes()
        if batch.outgoing:
            report.outcomes += await send(delivery, batch)
        delivery.in_hand.discard(batch.token)
        on_progress(len(batch))

    await asyncio.to_thread(_expect_those_who_come_back, engine)
    async with Delivery(engine) as delivery:
        on_their_way: deque[asyncio.Task[None]] = deque()
        upcoming = prepare_next()
        try:
            while True:
                # Shielded: a thread cannot be cancelled, and claims its batch all the same.
                batch = await asyncio.shield(upcoming)
                if batch is None and not await _more_later(
                    engine, campaign, on_their_way, stays_until
                ):
                    break
                upcoming = prepare_next()
                if batch is not None:
                    on_their_way.append(asyncio.create_task(sent(batch)))
                if len(on_their_way) > 1:
                    await on_their_way.popleft()
        except BaseException:
            for one in on_their_way:
                one.cancel()
            await asyncio.gather(*on_their_way, upcoming, return_exceptions=True)
            raise
    for error in stuck.values():
        raise error


def _expect_those_who_come_back(engine: Engine) -> None:
    """What a limit held back may have been cancelled since, or paused: its moments are free."""
    if booked := engine.traffic.booked_limits():
        with engine.store.read() as connection:
            number = count_coming_back(connection, engine.club_id)
        for limit in booked:
            limit.expect(number)


def _next(delivery: Delivery, campaign: RunningCampaign, stuck: Stuck) -> Prepared | None:
    engine = delivery.engine
    batch = None if engine.is_ending else prepare(engine, campaign, stuck=stuck)
    if batch is not None:
        delivery.in_hand.add(batch.token)
    return batch


async def _composed(engine: Engine, batch: Prepared) -> None:
    """Compose a batch and write its rulings."""
    is_composing = True
    while is_composing:
        end = perf_counter() + A_TURN_S
        while is_composing and perf_counter() < end:
            is_composing = batch.compose(A_FEW)
        await asyncio.sleep(0)
    if batch.rulings:
        await asyncio.to_thread(write_rulings, engine, batch)


async def _more_later(
    engine: Engine,
    campaign: RunningCampaign,
    on_their_way: deque[asyncio.Task[None]],
    stays_until: float,
) -> bool:
    """Wait until what a rate limit holds back may leave; False when that would take too long.

    What is on its way comes first: the limit may hold back some of it.
    """
    while on_their_way:
        await on_their_way.popleft()
    if not engine.patience or engine.is_ending:
        return False
    with engine.store.read() as connection:
        _, first = held_back(connection, engine.club_id, campaign.slug)
    if first is None:
        return False
    pause = max((first - engine.clock()).total_seconds(), ROUND_S)
    if asyncio.get_running_loop().time() + pause > stays_until:
        return False
    await _sleep(engine, pause)
    return True


async def _sleep(engine: Engine, seconds: float) -> None:
    """Not past the process's end."""
    if engine.ending is None:
        await asyncio.sleep(seconds)
        return
    with suppress(TimeoutError):
        await asyncio.wait_for(engine.ending.wait(), seconds)

"""Deliver: hand over a prepared batch and record what became of every message in it."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from crm_messaging.message import Channel
from crm_store.models.touchpoint import State
from crm_store.reasons import Reason
from crm_store.touchpoints import held_back, release, renew_lease
from flows.campaigns import RunningCampaign
from flows.engine import Engine
from flows.group_commit import GroupCommit
from flows.line import Line
from flows.prepare import LEASE, Prepared, Ready, Stuck, prepare
from flows.report import CampaignReport
from flows.traffic import Lane

ROUND_S = 1.0
"""While delivery stays for what a limit holds back, it looks into the queue this often."""

Outcomes: TypeAlias = Counter[tuple[State, Reason | None]]
SendBatch: TypeAlias = Callable[[Engine, Prepared], Awaitable[Outcomes]]
OnProgress: TypeAlias = Callable[[int], None]


async def deliver(
    engine: Engine,
    campaign: RunningCampaign,
    report: CampaignReport,
    *,
    send: SendBatch | None = None,
    on_progress: OnProgress = lambda _: None,
) -> None:
    """Deliver all that a campaign has queued, batch by batch, into `report`.

    While one batch is handed over the next is prepared. `send` wraps the sending of one batch:
    Prefect's tasks come in there. With `engine.patience` it stays for what a rate limit holds
    back, so long as that comes in time. A version whose templates cannot be used stays queued
    and ends in its error, once the others are delivered.
    """
    send = send or send_batch
    stuck: Stuck = {}
    stays_until = asyncio.get_running_loop().time() + engine.patience.total_seconds()
    batch = await asyncio.to_thread(prepare, engine, campaign, stuck=stuck)
    if batch is None:
        batch = await _held_back(engine, campaign, stuck, stays_until)
    while batch is not None:
        upcoming = asyncio.create_task(asyncio.to_thread(prepare, engine, campaign, stuck=stuck))
        try:
            report.outcomes += batch.outcomes()
            if batch.outgoing:
                report.outcomes += await send(engine, batch)
            on_progress(len(batch))
        except BaseException:
            held = await upcoming
            if held is not None:
                await asyncio.to_thread(_give_back, engine, held)
            raise
        batch = await upcoming
        if batch is None:
            batch = await _held_back(engine, campaign, stuck, stays_until)
    for error in stuck.values():
        raise error


async def _held_back(
    engine: Engine, campaign: RunningCampaign, stuck: Stuck, stays_until: float
) -> Prepared | None:
    """The next batch that a rate limit held back; `None` when that would take too long."""
    loop = asyncio.get_running_loop()
    while engine.patience:
        with engine.store.read() as connection:
            _, first = held_back(connection, engine.club_id, campaign.slug)
        if first is None:
            break
        pause = max((first - engine.clock()).total_seconds(), ROUND_S)
        if loop.time() + pause > stays_until:
            break
        await asyncio.sleep(pause)
        batch = await asyncio.to_thread(prepare, engine, campaign, stuck=stuck)
        if batch is not None:
            return batch
    return None


def _give_back(engine: Engine, held: Prepared) -> None:
    with engine.store.write() as connection:
        release(connection, held.token)


async def send_batch(engine: Engine, batch: Prepared) -> Outcomes:
    """Hand over every message of a batch, as many at a time as its channel can.

    Each provider has a line of its own: one that is slow does not keep the others waiting.
    """
    outcomes: Outcomes = Counter()
    by_lane: dict[tuple[Channel, Lane], list[Ready]] = defaultdict(list)
    for ready in batch.outgoing:
        channel = engine.channels[ready.claimed.channel]
        by_lane[channel, engine.traffic.road(channel).lane(ready.message)].append(ready)
    async with GroupCommit(
        engine.store,
        token=batch.token,
        rule=engine.rule_of(batch.definition),
        exit_on=batch.definition.exit_on,
        addresses={
            ready.claimed.id: (ready.claimed.channel, ready.message.recipient)
            for ready in batch.outgoing
        },
        clock=engine.clock,
    ) as ledger:
        keeper = asyncio.create_task(_keep_lease(engine, batch.token))
        try:
            async with asyncio.TaskGroup() as group:
                for (channel, lane), messages in by_lane.items():
                    queue = iter(messages)
                    line = Line(engine, channel, lane, ledger, outcomes)
                    for _ in range(min(lane.at_once, len(messages))):
                        group.create_task(line.work_off(queue))
        finally:
            keeper.cancel()
    return outcomes


async def _keep_lease(engine: Engine, token: str) -> None:
    """A batch that takes long keeps its lease."""

    def renew() -> None:
        now = engine.clock()
        with engine.store.write() as connection:
            renew_lease(connection, token, now + LEASE)

    while True:
        await asyncio.sleep(LEASE.total_seconds() / 3)
        await asyncio.to_thread(renew)

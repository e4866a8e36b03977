"""Deliver: hand over a prepared batch and record what became of every message in it."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import datetime, timedelta
from typing import TypeAlias

from crm_messaging.message import Channel, Outcome, Receipt
from crm_store.models.touchpoint import State
from crm_store.reasons import Reason
from crm_store.touchpoints import Claimed, Ruling, release, renew_lease
from flows.campaigns import RunningCampaign
from flows.engine import Engine
from flows.group_commit import GroupCommit
from flows.prepare import LEASE, Prepared, Ready, prepare
from flows.report import CampaignReport

RETRIES = (
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
    timedelta(hours=12),
)
"""Pauses after a "not now"; after the last one the touchpoint has failed."""

UNREACHABLE_PAUSE = timedelta(minutes=2)
"""Pause when no server was reached: that is no attempt of the message."""

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
    Prefect's tasks come in there.
    """
    send = send or send_batch
    batch = await asyncio.to_thread(prepare, engine, campaign)
    while batch is not None:
        upcoming = asyncio.create_task(asyncio.to_thread(prepare, engine, campaign))
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


def _give_back(engine: Engine, held: Prepared) -> None:
    with engine.store.write() as connection:
        release(connection, held.token)


async def send_batch(engine: Engine, batch: Prepared) -> Outcomes:
    """Hand over every message of a batch, as many at a time as its channel can."""
    outcomes: Outcomes = Counter()
    by_channel: dict[str, list[Ready]] = {}
    for ready in batch.outgoing:
        by_channel.setdefault(ready.claimed.channel, []).append(ready)
    async with GroupCommit(
        engine.store,
        token=batch.token,
        topic=batch.definition.topic,
        exit_on=batch.definition.exit_on,
        clock=engine.clock,
    ) as ledger:
        keeper = asyncio.create_task(_keep_lease(engine, batch.token))
        try:
            async with asyncio.TaskGroup() as group:
                for name, messages in by_channel.items():
                    queue = iter(messages)
                    channel = engine.channels[name]
                    line = _Line(engine, channel, ledger, outcomes)
                    for _ in range(min(channel.concurrency, len(messages))):
                        group.create_task(line.work_off(queue))
        finally:
            keeper.cancel()
    return outcomes


class _Line:
    """The sessions of one channel working off one queue."""

    def __init__(
        self, engine: Engine, channel: Channel, ledger: GroupCommit, outcomes: Outcomes
    ) -> None:
        self._engine = engine
        self._channel = channel
        self._ledger = ledger
        self._outcomes = outcomes
        self._unreachable: Receipt | None = None

    async def work_off(self, queue: Iterator[Ready]) -> None:
        """Hand over until the queue is empty."""
        for ready in queue:
            # One shut door speaks for the rest of the batch: no knocking five hundred times.
            receipt = self._unreachable or await self._channel.hand_over(
                ready.message, self._ledger.may_send
            )
            if receipt is not None and not receipt.connected:
                self._unreachable = receipt
            ruling = ruling_for(ready, receipt, self._engine.clock())
            self._ledger.settle(ruling)
            self._outcomes[ruling.state, ruling.reason] += 1


def ruling_for(ready: Ready, receipt: Receipt | None, now: datetime) -> Ruling:
    """What a receipt makes of a touchpoint. Without one the last look said no: ask again."""
    if receipt is None:
        return Ruling(ready.claimed.id, State.QUEUED)
    state, reason, again = _verdict(ready.claimed, receipt, now)
    return Ruling(
        ready.claimed.id,
        state,
        reason,
        receipt.detail,
        again,
        receipt.provider_ref,
        ready.message.message_id,
        ready.language,
    )


def _verdict(
    claimed: Claimed, receipt: Receipt, now: datetime
) -> tuple[State, Reason | None, datetime | None]:
    match receipt.outcome:
        case Outcome.ACCEPTED:
            return State.ACCEPTED, None, None
        case Outcome.REJECTED:
            return State.REJECTED, Reason.REFUSED, None
        case Outcome.IN_DOUBT:
            return State.IN_DOUBT, Reason.NO_REPLY, None
        case Outcome.DEFERRED if not receipt.connected:
            return State.QUEUED, Reason.NO_CONNECTION, now + UNREACHABLE_PAUSE
        case Outcome.DEFERRED if claimed.attempts < len(RETRIES):
            again = receipt.retry_at or now + RETRIES[claimed.attempts]
            return State.QUEUED, Reason.NOT_NOW, again
    return State.FAILED, Reason.TOO_MANY_TRIES, None


async def _keep_lease(engine: Engine, token: str) -> None:
    """A batch that takes long keeps its lease."""

    def renew() -> None:
        now = engine.clock()
        with engine.store.write() as connection:
            renew_lease(connection, token, now + LEASE)

    while True:
        await asyncio.sleep(LEASE.total_seconds() / 3)
        await asyncio.to_thread(renew)

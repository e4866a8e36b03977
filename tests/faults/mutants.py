"""Engines that are wrong in the ways that others are. The audit must find each of them out.

Each is a way to send one batch; `flows.deliver.deliver` takes it in place of its own.
"""

from collections import Counter
from dataclasses import replace

from crm_messaging.message import Channel, MaySend, Outgoing, Receipt
from crm_store import touchpoints
from crm_store.models.touchpoint import State
from crm_store.touchpoints import Ruling
from flows.deliver import Outcomes, SendBatch, ruling_for, send_batch
from flows.engine import Engine
from flows.prepare import Prepared


async def no_commit_before_the_dot(engine: Engine, batch: Prepared) -> Outcomes:
    """It records every receipt at once, but never commits that a message is about to leave."""
    unasked: dict[str, Channel] = {name: _Unasked(one) for name, one in engine.channels.items()}
    return await send_batch(replace(engine, channels=unasked), batch)


async def records_after_the_batch(engine: Engine, batch: Prepared) -> Outcomes:
    """It sends the whole batch, then writes down that it has."""
    channel = _Unasked(engine.channels["email"])
    rulings = [
        ruling_for(one, await channel.hand_over(one.message, _yes), engine.clock())
        for one in batch.outgoing
    ]
    return _written(engine, batch, rulings)


async def records_as_it_fetches(engine: Engine, batch: Prepared) -> Outcomes:
    """It moves its checkpoint first, then sends what it has already written off as sent."""
    rulings = [
        Ruling(one.claimed.id, State.ACCEPTED, message_id=one.message.message_id)
        for one in batch.outgoing
    ]
    outcomes = _written(engine, batch, rulings)
    for one in batch.outgoing:
        await engine.channels["email"].hand_over(one.message, _yes)
    return outcomes


MUTANTS: dict[str, SendBatch] = {
    one.__name__: one
    for one in (no_commit_before_the_dot, records_after_the_batch, records_as_it_fetches)
}


class _Unasked:
    """A channel that sends without asking the ledger."""

    def __init__(self, channel: Channel) -> None:
        self.name, self.concurrency = channel.name, channel.concurrency
        self._channel = channel

    async def hand_over(self, message: Outgoing, _may_send: MaySend) -> Receipt | None:
        return await self._channel.hand_over(message, _yes)

    async def close(self) -> None:
        await self._channel.close()


async def _yes(_touchpoint_id: int) -> bool:
    return True


def _written(engine: Engine, batch: Prepared, rulings: list[Ruling]) -> Outcomes:
    with engine.store.write() as connection:
        touchpoints.rule(connection, rulings, batch.token, engine.clock())
    return Counter((one.state, one.reason) for one in rulings)

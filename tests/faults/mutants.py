"""Engines that are wrong in the ways that others are. The audit must find each of them out.

Each is a way to send one batch; `flows.deliver.deliver` takes it in place of its own.
"""

from collections import Counter
from dataclasses import replace
from typing import Any, cast

from crm_messaging.message import Channel, MaySend, Outgoing, Receipt
from crm_store import touchpoints
from crm_store.models.touchpoint import State
from crm_store.touchpoints import Ruling
from flows.deliver import SendBatch
from flows.delivery import Delivery, Outcomes
from flows.engine import Engine
from flows.prepare import Prepared


async def no_commit_before_the_dot(delivery: Delivery, batch: Prepared) -> Outcomes:
    """It records every receipt at once, but never commits that a message is about to leave."""
    unasked = cast(Channel, _Unasked(delivery.engine.channels["email"]))
    async with Delivery(replace(delivery.engine, channels={"email": unasked})) as wrong:
        return await wrong.send(batch)


async def records_after_the_batch(delivery: Delivery, batch: Prepared) -> Outcomes:
    """It sends the whole batch, then writes down that it has."""
    for one in batch.outgoing:
        await delivery.engine.channels["email"].hand_over(one.message, _yes)
    return _all_accepted(delivery.engine, batch)


async def records_as_it_fetches(delivery: Delivery, batch: Prepared) -> Outcomes:
    """It moves its checkpoint first, then sends what it has already written off as sent."""
    outcomes = _all_accepted(delivery.engine, batch)
    for one in batch.outgoing:
        await delivery.engine.channels["email"].hand_over(one.message, _yes)
    return outcomes


MUTANTS: dict[str, SendBatch] = {
    one.__name__: one
    for one in (no_commit_before_the_dot, records_after_the_batch, records_as_it_fetches)
}


class _Unasked:
    """A channel that sends without asking the ledger."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def __getattr__(self, name: str) -> Any:
        return getattr(self._channel, name)

    async def hand_over(self, message: Outgoing, may_send: MaySend) -> Receipt | None:
        return await self._channel.hand_over(message, _yes)


async def _yes(touchpoint_id: int) -> bool:
    return True


def _all_accepted(engine: Engine, batch: Prepared) -> Outcomes:
    rulings = [Ruling(one.claimed.id, State.ACCEPTED) for one in batch.outgoing]
    with engine.store.write() as connection:
        touchpoints.rule(connection, rulings, batch.token, engine.clock())
    return Counter((one.state, one.reason) for one in rulings)

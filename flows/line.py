"""A line: the messages of one batch to one provider, worked off at that provider's pace."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from crm_messaging.dlt import shut_until
from crm_messaging.message import Channel, Outgoing, OutgoingSms
from crm_messaging.pace import Pace
from crm_store.models.touchpoint import State
from crm_store.reasons import Reason
from crm_store.touchpoints import Ruling
from flows.engine import Engine
from flows.group_commit import GroupCommit
from flows.prepare import Ready
from flows.traffic import Lane
from flows.verdict import (
    UNREACHABLE_PAUSE,
    kept_back,
    over_the_limit,
    put_back,
    ruling_for,
)

PATIENCE_IN_A_BATCH_S = 10.0
"""Within `Engine.patience`, the longest that a message waits in its batch for its turn."""


class Line:
    """One lane's part of a batch. A slow one holds up nobody but itself."""

    def __init__(
        self,
        engine: Engine,
        channel: Channel,
        lane: Lane,
        ledger: GroupCommit,
        outcomes: Counter[tuple[State, Reason | None]],
    ) -> None:
        self._engine = engine
        self._channel = channel
        self._road = engine.traffic.road(channel)
        self._lane = lane
        self._ledger = ledger
        self._outcomes = outcomes
        self._patience = min(PATIENCE_IN_A_BATCH_S, engine.patience.total_seconds())

    async def work_off(self, queue: Iterator[Ready]) -> None:
        """Hand over, or put back, until the queue is empty."""
        for ready in queue:
            ruling = self._left_alone(ready) or await self._handed_over(ready)
            self._ledger.settle(ruling)
            self._outcomes[ruling.state, ruling.reason] += 1

    def _left_alone(self, ready: Ready) -> Ruling | None:
        """Nobody knocks five hundred times at a shut door, or at that of a busy provider; and
        promotion that has waited past its hours in India waits for the next."""
        now = self._engine.clock()
        if (opens := _promotion_opens(ready.message, now)) is not None:
            return kept_back(ready, Reason.DLT_HOURS, opens)
        if (shut := self._road.shut_until(now)) is not None:
            return put_back(ready, Reason.NO_CONNECTION, *shut, now)
        if (rests := self._road.rests_until(ready.message, now)) is not None:
            return put_back(ready, Reason.NOT_NOW, *rests, now)
        return None

    async def _handed_over(self, ready: Ready) -> Ruling:
        async with self._lane.places:
            for pace in (self._lane.pace, self._road.pace):
                seconds = await self._turn(pace)
                if seconds is not None:
                    return over_the_limit(ready, seconds, self._engine.clock())
            async with self._road.places:
                return self._left_alone(ready) or await self._answered(ready)

    async def _turn(self, pace: Pace) -> float | None:
        """Wait for its turn; `None` when it has come, else the seconds after which to come back."""
        loop = asyncio.get_running_loop()
        wait = pace.take(loop.time(), self._patience)
        if wait is None:
            return pace.book(loop.time())
        if wait:
            await asyncio.sleep(wait)
        return None

    async def _answered(self, ready: Ready) -> Ruling:
        receipt = await self._channel.hand_over(ready.message, self._ledger.may_send)
        now = self._engine.clock()
        ruling = ruling_for(ready, receipt, now)
        if receipt is not None:
            again = ruling.not_before or now + UNREACHABLE_PAUSE
            self._road.heard(ready.message, receipt, again)
        return ruling


def _promotion_opens(message: Outgoing, now: datetime) -> datetime | None:
    """When promotion may reach India again; `None` while it may, and for all other messages."""
    if not isinstance(message, OutgoingSms) or message.dlt is None:
        return None
    return shut_until(now) if message.dlt.is_promotional else None

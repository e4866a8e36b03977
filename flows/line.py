"""A line: the messages to one provider, worked off at that provider's pace."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from itertools import repeat

from crm_messaging.dlt import shut_until
from crm_messaging.message import Channel, Outgoing, OutgoingSms
from crm_store.models.touchpoint import State
from crm_store.reasons import Reason
from crm_store.touchpoints import Ruling
from flows.engine import Engine
from flows.group_commit import Claim, GroupCommit
from flows.limit import Limit
from flows.prepare import Ready
from flows.traffic import Lane
from flows.verdict import UNREACHABLE_PAUSE, kept_back, over_the_limit, put_back, ruling_for

PATIENCE_IN_A_BATCH_S = 10.0
"""Within `Engine.patience`, the longest that a message waits in its batch for its turn."""


@dataclass(eq=False)
class Leaving:
    """A batch on its way out: what it is held under, and how many are still to be ruled on."""

    ledger: GroupCommit
    claim: Claim
    left: int
    done: asyncio.Future[None]
    outcomes: Counter[tuple[State, Reason | None]] = field(default_factory=Counter)

    def may_send(self, touchpoint_id: int) -> Awaitable[bool]:
        """Asked by the channel; see `crm_messaging.message.MaySend`."""
        return self.ledger.may_send(self.claim, touchpoint_id)

    def settle(self, ruling: Ruling) -> None:
        """What became of one of its messages."""
        self.ledger.settle(self.claim, ruling)
        self.outcomes[ruling.state, ruling.reason] += 1
        self.left -= 1
        if not self.left and not self.done.done():
            self.done.set_result(None)


class Line:
    """One lane's messages, batch after batch. A slow line holds up nobody but itself."""

    def __init__(self, engine: Engine, channel: Channel, lane: Lane) -> None:
        self._engine = engine
        self._channel = channel
        self._road = engine.traffic.road(channel)
        self._lane = lane
        self._limits = [limit for limit in (lane.limit, self._road.limit) if limit.is_set]
        self._is_limited = lane.places is not None or bool(self._limits)
        self._patience = min(PATIENCE_IN_A_BATCH_S, engine.patience.total_seconds())
        self._queue: deque[tuple[Leaving, Ready]] = deque()
        self._working = 0

    def put(self, batch: Leaving, messages: Sequence[Ready]) -> int:
        """Queue up; returns how many more are to `work_off` the line now."""
        self._queue.extend(zip(repeat(batch), messages))
        more = min(self._lane.at_once - self._working, len(messages))
        self._working += more
        return more

    def clear(self) -> None:
        """Nothing more is handed over."""
        self._queue.clear()

    async def work_off(self) -> None:
        """Hand over, or put back, until the queue is empty."""
        try:
            while self._queue:
                batch, ready = self._queue.popleft()
                if self._engine.is_ending:
                    batch.settle(Ruling(ready.claimed.id, State.QUEUED))
                elif self._is_limited:
                    batch.settle(await self._in_its_turn(batch, ready))
                else:
                    batch.settle(await self._handed_over(batch, ready))
        finally:
            self._working -= 1

    def _left_alone(self, ready: Ready) -> Ruling | None:
        """Nobody knocks five hundred times at a shut door, or at that of a busy provider; and
        promotion that has waited past its hours in India waits for the next."""
        message = ready.message
        if self._road.is_calm and not isinstance(message, OutgoingSms):
            return None
        now = self._engine.clock()
        if (opens := _promotion_opens(message, now)) is not None:
            return kept_back(ready, Reason.DLT_HOURS, opens)
        if (shut := self._road.shut_until(now)) is not None:
            return put_back(ready, Reason.NO_CONNECTION, *shut, now)
        if (rests := self._road.rests_until(message, now)) is not None:
            return put_back(ready, Reason.NOT_NOW, *rests, now)
        return None

    async def _in_its_turn(self, batch: Leaving, ready: Ready) -> Ruling:
        if (left := self._left_alone(ready)) is not None:
            return left  # whoever stays takes no other's turn
        async with self._lane.places or nullcontext():
            for limit in self._limits:
                if (seconds := await self._turn(limit)) is not None:
                    return over_the_limit(ready, seconds, self._engine.clock())
            return await self._handed_over(batch, ready)

    async def _turn(self, limit: Limit) -> float | None:
        """Wait for its turn; `None` when it has come, else the seconds after which to come back."""
        wait = await limit.turn(
            self._engine.store,
            self._engine.club_id,
            wanted=len(self._queue) + 1,
            patience=self._patience,
        )
        if wait is None:
            return limit.book()
        if wait:
            await asyncio.sleep(wait)
        return None

    async def _handed_over(self, batch: Leaving, ready: Ready) -> Ruling:
        message, road = ready.message, self._road
        await road.places.acquire()
        try:
            if (left := self._left_alone(ready)) is not None:
                return left
            receipt = await self._channel.hand_over(message, batch.may_send)
        finally:
            road.places.release()
        now = self._engine.clock()
        ruling = ruling_for(ready, receipt, now)
        if receipt is not None:
            road.heard(message, receipt, ruling.not_before or now + UNREACHABLE_PAUSE)
        return ruling


def _promotion_opens(message: Outgoing, now: datetime) -> datetime | None:
    """When promotion may reach India again; `None` while it may, and for all other messages."""
    if not isinstance(message, OutgoingSms) or message.dlt is None:
        return None
    return shut_until(now) if message.dlt.is_promotional else None

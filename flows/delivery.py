"""A delivery under way: the lines to all providers, and the one ledger behind them.

Batches go out one after the other without a gap: when the last messages of one are on the wire,
those of the next go over the sessions that are free already.
"""

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self, TypeAlias

from sqlalchemy.exc import OperationalError

from crm_messaging.message import Channel
from crm_store.models.touchpoint import State
from crm_store.reasons import Reason
from crm_store.suppressions import Address
from crm_store.touchpoints import release, renew_lease
from flows.engine import Engine
from flows.group_commit import Claim, GroupCommit
from flows.line import Leaving, Line
from flows.prepare import LEASE, Prepared, Ready
from flows.traffic import Lane

log = logging.getLogger(__name__)

RENEWED_EVERY = LEASE / 6
"""So that a lease outlasts a store that is away for minutes."""

Outcomes: TypeAlias = Counter[tuple[State, Reason | None]]


class Delivery:
    """Use as an async context manager: leaving it writes down all that is still to be written.

    When it fails, what is on the wire is finished and written down; when it is cancelled, it is
    broken off. Both give back at once what has not begun to leave.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.in_hand: set[str] = set()
        """Tokens of the batches that are claimed and not through: their leases are kept."""
        self._ledger = GroupCommit(engine.store, engine.clock)
        self._lines: dict[tuple[Channel, Lane], Line] = {}
        self._workers: set[asyncio.Task[None]] = set()
        self._leaving: set[Leaving] = set()

    async def __aenter__(self) -> Self:
        await self._ledger.__aenter__()
        self._keeper = asyncio.create_task(self._keep_leases())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for line in self._lines.values():
            line.clear()
        if isinstance(error, Exception):
            await asyncio.gather(*self._workers, return_exceptions=True)
        tasks = (self._keeper, *self._workers)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        try:
            await self._ledger.__aexit__(kind, error, trace)
        finally:
            await asyncio.to_thread(self._give_back)

    async def send(self, batch: Prepared) -> Outcomes:
        """Hand over every message of a batch, as many at a time as its channel can.

        Each provider has a line of its own: one that is slow does not keep the others waiting.
        """
        if not batch.outgoing:
            return Counter()
        leaving = self._queued(batch)
        self._leaving.add(leaving)
        try:
            await leaving.done
        finally:
            self._leaving.discard(leaving)
        return leaving.outcomes

    def _queued(self, batch: Prepared) -> Leaving:
        addresses: dict[int, Address] = {}
        by_channel: dict[str, list[Ready]] = defaultdict(list)
        for one in batch.outgoing:
            claimed = one.claimed
            addresses[claimed.id] = claimed.channel, one.message.recipient
            by_channel[claimed.channel].append(one)
        rule = self.engine.rule_of(batch.definition)
        claim = Claim(batch.token, rule, batch.definition.exit_on, addresses)
        done = asyncio.get_running_loop().create_future()
        leaving = Leaving(self._ledger, claim, len(batch.outgoing), done)
        for name, messages in by_channel.items():
            for line, its_own in self._by_line(self.engine.channels[name], messages).items():
                for _ in range(line.put(leaving, its_own)):
                    worker = asyncio.create_task(line.work_off())
                    self._workers.add(worker)
                    worker.add_done_callback(self._ended)
        return leaving

    def _by_line(
        self, channel: Channel, messages: Sequence[Ready]
    ) -> Mapping[Line, Sequence[Ready]]:
        road = self.engine.traffic.road(channel)
        if road.only_lane is not None:
            return {self._line(channel, road.only_lane): messages}
        by_line: dict[Line, list[Ready]] = defaultdict(list)
        for one in messages:
            by_line[self._line(channel, road.lane(one.message))].append(one)
        return by_line

    def _line(self, channel: Channel, lane: Lane) -> Line:
        line = self._lines.get((channel, lane))
        if line is None:
            line = self._lines[channel, lane] = Line(self.engine, channel, lane)
        return line

    def _ended(self, worker: asyncio.Task[None]) -> None:
        """A worker is through with its line; or has failed, and every batch with it."""
        self._workers.discard(worker)
        if not worker.cancelled() and (error := worker.exception()) is not None:
            for leaving in self._leaving:
                if not leaving.done.done():
                    leaving.done.set_exception(error)

    async def _keep_leases(self) -> None:
        """Batches that take long keep their leases, and so do those that wait for them."""
        while True:
            await asyncio.sleep(RENEWED_EVERY.total_seconds())
            await asyncio.to_thread(self._renew, self.engine.clock() + LEASE)

    def _renew(self, until: datetime) -> None:
        try:
            for token in [*self.in_hand]:
                self.engine.store.transact(renew_lease, token, until)
        except OperationalError:
            log.warning("the store is not writable; leases are renewed a little later")

    def _give_back(self) -> None:
        """Nobody works on them any more. What is in `sending` stays: it may have left."""
        try:
            for token in self.in_hand:
                self.engine.store.transact(release, token)
        except OperationalError:
            log.warning("the store is not writable; what is claimed waits until its lease ends")

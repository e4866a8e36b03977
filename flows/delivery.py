"""A delivery under way: the lines to all providers, and the one ledger behind them.

Batches go out one after the other without a gap: when the last messages of one are on the wire,
those of the next go over the sessions that are free already.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Self, TypeAlias

from crm_messaging.message import Channel
from crm_store.models.touchpoint import State
from crm_store.reasons import Reason
from crm_store.suppressions import Address
from crm_store.touchpoints import renew_lease
from flows.engine import Engine
from flows.group_commit import Claim, GroupCommit
from flows.line import Leaving, Line
from flows.prepare import LEASE, Prepared, Ready
from flows.traffic import Lane

Outcomes: TypeAlias = Counter[tuple[State, Reason | None]]


class Delivery:
    """Use as an async context manager: leaving it writes down all that is still to be written."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
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
        tasks = (self._keeper, *self._workers)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._ledger.__aexit__(kind, error, trace)

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
        """Batches that take long keep their leases."""

        def renew(tokens: list[str]) -> None:
            until = self.engine.clock() + LEASE
            for token in tokens:
                self.engine.store.transact(renew_lease, token, until)

        while True:
            await asyncio.sleep(LEASE.total_seconds() / 3)
            await asyncio.to_thread(renew, [one.claim.token for one in self._leaving])

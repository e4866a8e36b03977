"""One commit for many sessions: who is about to send, and what became of what was sent.

A session that is ready for the last byte asks `may_send` and waits. One commit carries the wishes
of all who wait, with the receipts that came in meanwhile. So `sending` is durable before any
message leaves, and a crash leaves in doubt no more rows than there are sessions (promise G3), at
a fraction of a commit per message.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self, TypeAlias

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from crm_store.database import Store
from crm_store.models.touchpoint import State
from crm_store.sending import TopicRule, begin_sending
from crm_store.suppressions import Address
from crm_store.touchpoints import Ruling, rule
from flows.clock import Clock
from flows.prepare import LEASE

log = logging.getLogger(__name__)

RECEIPT_RETRIES_S = (0.2, 0.5, 1, 2, 5, 10)
"""Pauses before a receipt is tried again: a message that left must not lose its record."""

LONGEST_LINGER_S = 0.002
"""A tenth of a round trip to a mail server that is not next door."""
IN_VAIN = 2
"""So many turns of the event loop that bring nobody end the lingering: a reply is read in one, and
its session asks in the next."""


@dataclass(frozen=True, eq=False)
class Claim:
    """What a batch is held under, and what its messages must still satisfy as they leave."""

    token: str
    rule: TopicRule
    exit_on: Sequence[str]
    addresses: Mapping[int, Address]
    """By touchpoint, where its finished message is addressed to."""


Wishes: TypeAlias = dict[Claim, dict[int, asyncio.Future[bool]]]
Rulings: TypeAlias = dict[Claim, list[Ruling]]


class GroupCommit:
    """The ledger's door for a delivery. Use as an async context manager: leaving writes all.

    A commit costs the same whether it carries one message or fifty. So the next one lingers while
    each turn of the event loop brings somebody more, at most as long as the last one took: waiting
    never costs more than the commit that it may save. When the loop has nothing else to do, it
    leaves at once.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._wishes: Wishes = defaultdict(dict)
        self._rulings: Rulings = defaultdict(list)
        self._last_took = 0.0
        self._wake = asyncio.Event()
        self._arrived = 0
        """Wishes and rulings, ever."""
        self._closing = False
        self._failure: Exception | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="ledger")

    async def __aenter__(self) -> Self:
        self._writer = asyncio.create_task(self._write_until_closed())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing = True
        self._wake.set()
        try:
            await self._writer
        finally:
            self._thread.shutdown()

    def may_send(self, claim: Claim, touchpoint_id: int) -> asyncio.Future[bool]:
        """Commit `sending`; False when the touchpoint may no longer go."""
        if self._failure is not None:
            raise self._failure
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._wishes[claim][touchpoint_id] = answer
        self._arrived += 1
        self._wake.set()
        return answer

    def settle(self, claim: Claim, ruling: Ruling) -> None:
        """Let a ruling ride in the next commit."""
        self._rulings[claim].append(ruling)
        self._arrived += 1
        self._wake.set()

    async def _write_until_closed(self) -> None:
        wishes: Wishes = {}
        try:
            while not self._closing or self._wishes or self._rulings:
                await self._wake.wait()
                await self._linger()
                self._wake.clear()
                wishes, self._wishes = self._wishes, defaultdict(dict)
                rulings, self._rulings = self._rulings, defaultdict(list)
                wishes = _still_wanted(wishes)
                if wishes or rulings:
                    self._answer(wishes, await self._committed(wishes, rulings))
                if self._closing:
                    self._wake.set()
        except Exception as error:
            self._fail(error, wishes)
            raise

    async def _linger(self) -> None:
        loop = asyncio.get_running_loop()
        last, in_vain = loop.time() + min(self._last_took, LONGEST_LINGER_S), 0
        while in_vain < IN_VAIN and loop.time() < last:
            before = self._arrived
            await asyncio.sleep(0)
            in_vain = in_vain + 1 if self._arrived == before else 0

    def _answer(self, wishes: Wishes, allowed: set[int]) -> None:
        for claim, answers in wishes.items():
            for touchpoint_id, answer in answers.items():
                if not answer.done():
                    answer.set_result(touchpoint_id in allowed)
                elif touchpoint_id in allowed:
                    # Whoever asked has gone meanwhile, and has not sent it.
                    self.settle(claim, Ruling(touchpoint_id, State.QUEUED))

    def _fail(self, error: Exception, wishes: Wishes) -> None:
        self._failure = error
        for answers in (*wishes.values(), *self._wishes.values()):
            for answer in answers.values():
                if not answer.done():
                    answer.set_exception(error)

    async def _committed(self, wishes: Wishes, rulings: Rulings) -> set[int]:
        loop = asyncio.get_running_loop()
        for pause in (*RECEIPT_RETRIES_S, None):
            began = loop.time()
            try:
                allowed = await loop.run_in_executor(self._thread, self._commit, wishes, rulings)
            except OperationalError:
                if pause is None:
                    raise
                log.warning(
                    "the store is not writable; %d messages and %d receipts wait",
                    sum(map(len, wishes.values())),
                    sum(map(len, rulings.values())),
                )
                await asyncio.sleep(pause)
            else:
                self._last_took = loop.time() - began
                return allowed
        raise AssertionError("unreachable")

    def _commit(self, wishes: Wishes, rulings: Rulings) -> set[int]:
        now = self._clock()
        allowed = self._store.transact(_written, wishes, rulings, now)
        # Whoever slept in here past the lease was taken for dead, and its messages were put in
        # doubt: they must not leave now.
        return allowed if self._clock() < now + LEASE else set()


def _still_wanted(wishes: Wishes) -> Wishes:
    """Without those whose askers have gone: nothing of theirs leaves."""
    kept = {
        claim: {one: answer for one, answer in answers.items() if not answer.done()}
        for claim, answers in wishes.items()
    }
    return {claim: answers for claim, answers in kept.items() if answers}


def _written(connection: Connection, wishes: Wishes, rulings: Rulings, now: datetime) -> set[int]:
    """Write all down; those that may be sent once that is committed."""
    allowed: set[int] = set()
    # Wishes first: they take the lock that goes before all rows (`crm_store.locks`).
    for claim, answers in wishes.items():
        allowed |= begin_sending(
            connection,
            {one: claim.addresses[one] for one in answers},
            token=claim.token,
            rule=claim.rule,
            exit_on=claim.exit_on,
            now=now,
        )
    for claim, made in rulings.items():
        rule(connection, made, claim.token, now)
    return allowed

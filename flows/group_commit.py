"""One commit for many sessions: who is about to send, and what became of what was sent.

A session that is ready for the last byte asks `may_send` and waits. While one commit is under
way the wishes of the others gather; the next commit carries them all, with the receipts that
came in meanwhile. So `sending` is durable before any message leaves, and a crash leaves in doubt
no more rows than there are sessions (promise G3), at a fraction of a commit per message.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Self

from sqlalchemy.exc import OperationalError

from crm_store.database import Store
from crm_store.sending import TopicRule, begin_sending
from crm_store.suppressions import Address
from crm_store.touchpoints import Ruling, rule
from flows.clock import Clock
from flows.prepare import LEASE

log = logging.getLogger(__name__)

RECEIPT_RETRIES_S = (0.2, 0.5, 1, 2, 5, 10)
"""Pauses before a receipt is tried again: a message that left must not lose its record."""


class GroupCommit:
    """The ledger's door for one batch. Use as an async context manager: leaving writes all."""

    def __init__(
        self,
        store: Store,
        *,
        token: str,
        rule: TopicRule,
        exit_on: Sequence[str],
        addresses: Mapping[int, Address],
        clock: Clock,
    ) -> None:
        self._store = store
        self._token = token
        self._rule = rule
        self._exit_on = exit_on
        self._addresses = addresses
        self._clock = clock
        self._wishes: dict[int, asyncio.Future[bool]] = {}
        self._rulings: list[Ruling] = []
        self._wake = asyncio.Event()
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

    async def may_send(self, touchpoint_id: int) -> bool:
        """Commit `sending`; False when the touchpoint may no longer go."""
        if self._failure is not None:
            raise self._failure
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._wishes[touchpoint_id] = answer
        self._wake.set()
        return await answer

    def settle(self, ruling: Ruling) -> None:
        """Let a ruling ride in the next commit."""
        self._rulings.append(ruling)
        self._wake.set()

    async def _write_until_closed(self) -> None:
        loop = asyncio.get_running_loop()
        while not self._closing or self._wishes or self._rulings:
            await self._wake.wait()
            self._wake.clear()
            wishes, self._wishes = self._wishes, {}
            rulings, self._rulings = self._rulings, []
            if not wishes and not rulings:
                continue
            try:
                allowed = await self._committed(loop, list(wishes), rulings)
            except Exception as error:
                self._failure = error
                for answer in (*wishes.values(), *self._wishes.values()):
                    if not answer.done():
                        answer.set_exception(error)
                raise
            for touchpoint_id, answer in wishes.items():
                if not answer.done():
                    answer.set_result(touchpoint_id in allowed)
            self._wake_if_more()

    def _wake_if_more(self) -> None:
        if self._closing or self._wishes or self._rulings:
            self._wake.set()

    async def _committed(
        self, loop: asyncio.AbstractEventLoop, wishes: list[int], rulings: list[Ruling]
    ) -> set[int]:
        for pause in (*RECEIPT_RETRIES_S, None):
            try:
                return await loop.run_in_executor(self._thread, self._commit, wishes, rulings)
            except OperationalError:
                if pause is None or not rulings:
                    raise
                log.warning("the store is not writable; %d receipts wait", len(rulings))
                await asyncio.sleep(pause)
        raise AssertionError("unreachable")

    def _commit(self, wishes: list[int], rulings: list[Ruling]) -> set[int]:
        now = self._clock()
        with self._store.write() as connection:
            rule(connection, rulings, self._token, now)
            if not wishes:
                return set()
            allowed = begin_sending(
                connection,
                {one: self._addresses[one] for one in wishes},
                token=self._token,
                rule=self._rule,
                exit_on=self._exit_on,
                now=now,
            )
        # Whoever slept in here past the lease was taken for dead, and its messages were put in
        # doubt: they must not leave now.
        return allowed if self._clock() < now + LEASE else set()

"""One commit for many requests: each is answered after the commit that holds its message.

While one commit is under way the messages of other requests gather; the next carries them all.
"""

import asyncio
import logging
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from typing import TypeAlias

from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from crm_store.database import Store
from crm_store.errors import EnvironmentUnready, SamparkError
from crm_store.inbox import Arrival, receive_all
from flows.clock import Clock
from flows.trouble import class_and_place

log = logging.getLogger(__name__)

MOST_IN_A_COMMIT = 500
MOST_WAITING = 5_000
"""More than that would be answered later than any sender waits."""
PATIENCE_S = 8.0
"""Senders give up after 10 to 15 seconds; one who hears 503 before that comes again."""


Waiting: TypeAlias = tuple[Arrival, "asyncio.Future[bool]"]


class StoreAway(EnvironmentUnready):
    """A message could not be kept now. Its sender has to come again: 503, never 2xx."""

    def __init__(self) -> None:
        super().__init__("The message could not be stored now.", "Send it again in a minute.")


class Unstorable(SamparkError):
    """The store does not take a message, and never will: 400."""

    def __init__(self) -> None:
        super().__init__("The message cannot be stored.")


def _refuse(batch: "list[Waiting]", error: Exception) -> None:
    for _, answer in batch:
        if not answer.done():
            answer.set_exception(error)


class Receiving:
    """The inbox as the web app sees it. Belongs to one event loop."""

    def __init__(self, store: Store, club_id: int, clock: Clock) -> None:
        self._store = store
        self._club_id = club_id
        self._clock = clock
        self._waiting: deque[Waiting] = deque()
        # One of its own: what else waits for the store must not keep senders waiting.
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="receiving")
        self._writer: asyncio.Task[None] | None = None

    async def receive(self, arrival: Arrival) -> bool:
        """Return once it is committed: True, or False for a replay. Raises `StoreAway`."""
        if len(self._waiting) >= MOST_WAITING:
            raise StoreAway
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, answer))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write_all())
        try:
            async with asyncio.timeout(PATIENCE_S):
                return await answer
        except TimeoutError as error:
            # It may be committed yet: then the sender's next attempt is a replay.
            raise StoreAway from error

    async def _write_all(self) -> None:
        while self._waiting:
            taken = list(islice(self._waiting, MOST_IN_A_COMMIT))
            for _ in taken:
                self._waiting.popleft()
            batch = [(arrival, answer) for arrival, answer in taken if not answer.done()]
            try:
                await self._answer(batch)
            except (OperationalError, InterfaceError, NoConnectionFree) as error:
                log.warning("%d messages were not stored: %s", len(batch), class_and_place(error))
                _refuse(batch, StoreAway())
            except Exception as error:
                # One of them is so odd that the store refuses it; the others are no worse for it.
                log.warning("messages are stored one by one, after: %s", class_and_place(error))
                for one in batch:
                    try:
                        await self._answer([one])
                    except Exception:
                        _refuse([one], Unstorable())

    async def _answer(self, batch: list[Waiting]) -> None:
        arrivals = [arrival for arrival, _ in batch]
        loop = asyncio.get_running_loop()
        fresh = await loop.run_in_executor(self._thread, self._commit, arrivals)
        for (_, answer), is_new in zip(batch, fresh, strict=True):
            if not answer.done():
                answer.set_result(is_new)

    def _commit(self, arrivals: list[Arrival]) -> list[bool]:
        return self._store.transact(receive_all, self._club_id, arrivals, self._clock())

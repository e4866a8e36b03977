"""Doing a piece of work inside a run that Prefect shows, and just as well without.

The work is ours and must be done once; the run around it is for people to see. So whatever
Prefect does, be it slow to start, gone half-way or gone for good, the caller gets what the work
came to: its result, or its own error. This module knows nothing of Prefect.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeAlias, TypeVar

T = TypeVar("T")
Work: TypeAlias = Callable[[], Awaitable[T]]
OnCampaignProgress: TypeAlias = Callable[[str, int, int], None]
"""Called with a campaign's slug, how many are done, and how many were due."""


def no_progress(campaign: str, done: int, due: int) -> None:
    """Nobody looks."""


START_LIMIT_S = 30.0
"""A run that has not begun by then is given up, and the work is done without it."""
TELL_LIMIT_S = 5.0
"""How long a name or a table may hold the work up."""
CLOSE_LIMIT_S = 10.0
"""How long a run may take to close after its work is done."""


class Showing:
    """Whether runs are shown. Once they can't be, the rest of the work goes on without them.

    `lost` says why they are no longer shown; it names an error's class, never its words.
    """

    def __init__(
        self, *, start_limit_s: float = START_LIMIT_S, close_limit_s: float = CLOSE_LIMIT_S
    ) -> None:
        self._start_limit_s = start_limit_s
        self._close_limit_s = close_limit_s
        self.lost: str | None = None

    async def show(self, work: Work[T], run: Callable[[Work[T]], Awaitable[object]]) -> T:
        """Do `work` inside `run` if that can be had; `run` gets the work as a body to await."""
        if self.lost is not None:
            return await work()
        piece = _Piece(work)
        shown: asyncio.Future[Any] = asyncio.ensure_future(run(piece.body))
        try:
            if not await piece.begins(shown, self._start_limit_s):
                self._look_at(shown, "a run did not begin")
                return await work()
            await asyncio.wait([shown, piece.outcome], return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait([shown], timeout=self._patience_s)
        except asyncio.CancelledError:
            shown.cancel()
            if piece.is_begun:
                # The work is told to stop too, and has its time to put things in order.
                await asyncio.wait([piece.outcome])
                _hear(piece.outcome)
            await asyncio.wait([shown], timeout=self._patience_s)
            _hear(shown)
            raise
        self._look_at(shown, "a run did not end")
        return await piece.outcome

    async def tell(self, telling: Coroutine[Any, Any, None]) -> None:
        """Await a word to Prefect that is no work: a name, a table, progress."""
        if self.lost is not None:
            telling.close()
            return
        try:
            await asyncio.wait_for(telling, TELL_LIMIT_S)
        except Exception as error:
            self.lost = f"Prefect could not be told: {type(error).__name__}"

    @property
    def _patience_s(self) -> float:
        """Where an inner run could not close, the outer one will not either."""
        return self._close_limit_s if self.lost is None else min(1.0, self._close_limit_s)

    def _look_at(self, shown: "asyncio.Future[Any]", what: str) -> None:
        if not shown.done():
            shown.add_done_callback(_hear)
            shown.cancel()
            self.lost = self.lost or f"{what} in time"
        elif shown.cancelled():
            self.lost = self.lost or "a run was cancelled"
        elif (error := shown.exception()) is not None:
            self.lost = self.lost or f"{what}: {type(error).__name__}"


class _Piece(Generic[T]):
    """Work that a run begins at most once."""

    def __init__(self, work: Work[T]) -> None:
        self._work = work
        self._begun = asyncio.Event()
        self._too_late = False
        self.outcome: asyncio.Future[T] = asyncio.get_running_loop().create_future()

    @property
    def is_begun(self) -> bool:
        return self._begun.is_set()

    async def begins(self, shown: "asyncio.Future[Any]", limit_s: float) -> bool:
        """Wait until the run has begun the work; False when it will not."""
        begun: asyncio.Future[Any] = asyncio.ensure_future(self._begun.wait())
        await asyncio.wait({begun, shown}, timeout=limit_s, return_when=asyncio.FIRST_COMPLETED)
        begun.cancel()
        self._too_late = not self.is_begun
        return self.is_begun

    async def body(self) -> T:
        """What the run calls. Called again, as a retry does, it only tells what came of it."""
        if self._too_late:
            raise asyncio.CancelledError
        if not self.is_begun:
            self._begun.set()
            await self._do()
        return await self.outcome

    async def _do(self) -> None:
        try:
            self.outcome.set_result(await self._work())
        except asyncio.CancelledError:
            self.outcome.cancel()
            raise
        except Exception as error:
            self.outcome.set_exception(error)


def _hear(future: "asyncio.Future[Any]") -> None:
    """asyncio complains of errors that nobody has looked at."""
    if future.done() and not future.cancelled():
        future.exception()

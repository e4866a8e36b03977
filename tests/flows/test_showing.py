"""The work is done once, and its caller gets what it came to, whatever the run around it does."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from flows.showing import Showing

Body = Callable[[], Awaitable[str]]


class Work:
    """Work that counts how often it is done."""

    def __init__(self, error: Exception | None = None, takes: float = 0) -> None:
        self.done = 0
        self._error = error
        self._takes = takes

    async def __call__(self) -> str:
        await asyncio.sleep(self._takes)
        self.done += 1
        if self._error is not None:
            raise self._error
        return "sent"


def impatient() -> Showing:
    return Showing(start_limit_s=0.2, close_limit_s=0.2)


async def shows_it(body: Body) -> None:
    await body()


async def never_begins(body: Body) -> None:
    raise ConnectionError("no server")


async def is_slow_to_begin(body: Body) -> None:
    await asyncio.sleep(30)
    await body()


async def fails_at_the_end(body: Body) -> None:
    await body()
    raise ConnectionError("the server is gone")


async def never_ends(body: Body) -> None:
    await body()
    await asyncio.sleep(30)


async def does_it_twice(body: Body) -> None:
    await body()
    await body()


async def hides_errors(body: Body) -> None:
    try:
        await body()
    except Exception:
        return


async def forgets_it(body: Body) -> None:
    return


RUNS = [
    (shows_it, None),
    (does_it_twice, None),
    (hides_errors, None),
    (forgets_it, None),
    (never_begins, "a run did not begin: ConnectionError"),
    (is_slow_to_begin, "a run did not begin in time"),
    (fails_at_the_end, "a run did not end: ConnectionError"),
    (never_ends, "a run did not end in time"),
]


@pytest.mark.parametrize(("run", "lost"), RUNS, ids=[run.__name__ for run, _ in RUNS])
async def test_work_is_done_once_whatever_the_run_does(
    run: Callable[[Body], Awaitable[None]], lost: str | None
) -> None:
    showing, work = impatient(), Work()
    assert await showing.show(work, run) == "sent"
    assert (work.done, showing.lost) == (1, lost)


@pytest.mark.parametrize("run", [run for run, _ in RUNS], ids=[run.__name__ for run, _ in RUNS])
async def test_an_error_of_the_work_is_its_callers(
    run: Callable[[Body], Awaitable[None]],
) -> None:
    work = Work(error=ValueError("ours"))
    with pytest.raises(ValueError, match="ours"):
        await impatient().show(work, run)
    assert work.done == 1


async def test_long_work_is_no_slow_run() -> None:
    showing, work = impatient(), Work(takes=0.6)
    assert await showing.show(work, shows_it) == "sent"
    assert showing.lost is None


async def test_once_lost_no_further_run_is_tried() -> None:
    showing, tried = impatient(), []

    async def counts(body: Body) -> None:
        tried.append(body)
        raise ConnectionError

    for _ in range(3):
        assert await showing.show(Work(), counts) == "sent"
    assert len(tried) == 1


async def test_cancelling_reaches_the_work() -> None:
    told = asyncio.Event()

    async def work() -> str:
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            told.set()
            raise
        return "sent"

    task = asyncio.create_task(impatient().show(work, shows_it))
    await asyncio.sleep(0.05)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert told.is_set()

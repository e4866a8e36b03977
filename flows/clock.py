"""The time by which a run lives: the wall clock, or a given moment that moves on with it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]


def wall_clock() -> datetime:
    """Now, in UTC."""
    return datetime.now(UTC)


def clock_from(as_of: datetime | None) -> Clock:
    """A clock that starts at `as_of` and moves on at the usual pace; the wall clock without it."""
    if as_of is None:
        return wall_clock
    started = time.monotonic()
    return lambda: as_of + timedelta(seconds=time.monotonic() - started)

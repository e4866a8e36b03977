"""When a campaign's messages may leave, on a clock of one week.

Quiet hours and the send window together; the week has no changes of the clocks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import time, timedelta
from functools import lru_cache

from triggers.clock import WEEKDAYS, Hours, Weekday
from triggers.controls import Defaults, SendWindow

_DAY = 24 * 60
_WEEK = 7 * _DAY


@dataclass(frozen=True)
class OpenHours:
    """For each minute of the week, from Monday 00:00, how many until a message may leave."""

    waits: Sequence[int] | None
    """Nothing when no minute is open."""

    def longest_waits(self, clock: time | None) -> dict[Weekday, timedelta]:
        """By weekday, the longest wait of what is due then; at `clock`, or at any time of it."""
        if self.waits is None:
            return dict.fromkeys(WEEKDAYS, timedelta.max)
        minutes = range(_DAY) if clock is None else [clock.hour * 60 + clock.minute]
        return {
            day: timedelta(minutes=max(self.waits[start + minute] for minute in minutes))
            for day, start in zip(WEEKDAYS, range(0, _WEEK, _DAY), strict=True)
        }


def open_hours(defaults: Defaults) -> OpenHours:
    """When messages under these defaults may leave."""
    return _open_hours(defaults.quiet_hours, defaults.send_window)


@lru_cache(maxsize=64)
def _open_hours(quiet: Hours | None, window: SendWindow | None) -> OpenHours:
    of_a_day = [
        not (quiet and quiet.holds(clock))
        and (window is None or window.hours is None or window.hours.holds(clock))
        for clock in (time(minute // 60, minute % 60) for minute in range(_DAY))
    ]
    days = [window is None or not window.days or day in window.days for day in WEEKDAYS]
    is_open = [day and minute for day in days for minute in of_a_day]
    if not any(is_open):
        return OpenHours(None)
    waits = [0] * _WEEK
    wait = is_open.index(True)
    for minute in range(_WEEK - 1, -1, -1):
        wait = 0 if is_open[minute] else wait + 1
        waits[minute] = wait
    return OpenHours(waits)

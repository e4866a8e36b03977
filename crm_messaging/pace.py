"""The pace of a limit: messages one after the other, never two within an interval."""

from crm_store.limit_use import FARTHEST

AHEAD_S = 0.5
"""Moments are taken for so long at once: more would keep them from other processes."""


class Pace:
    """Spends moments `interval` seconds apart, which are given out for all processes elsewhere.

    `now` is in seconds, of a clock that all processes share. Evenly, not so many at the turn of
    each minute: a provider that counts by another clock sees no more than was agreed.

    One who wants to send asks how many moments it `lacks`, has as many given out and `grant`s them,
    and `take`s one.
    """

    def __init__(self, interval: float) -> None:
        self.interval = interval
        self._next = 0.0
        self._left = 0
        self._free_from = float("-inf")
        """None of ours before, by what we took and by what was said of everybody's."""
        self._booked_to = float("-inf")

    @property
    def is_limited(self) -> bool:
        """Whether anybody may have to wait."""
        return self.interval > 0

    def lacks(self, now: float, wanted: int, patience: float) -> int:
        """How many moments to have given out, for `wanted` messages that wait for `patience`.

        None while there are some, or when all have to wait for longer.
        """
        self._let_go(now)
        if self._left or self._free_from > now + patience:
            return 0
        return max(1, min(wanted, int(min(AHEAD_S, patience) / self.interval)))

    def grant(self, first: float, number: int) -> None:
        """Take over moments that were given out; of none, `first` is when there will be some."""
        self._next, self._left = first, number
        self._free_from = max(self._free_from, first)

    def take(self, now: float, patience: float) -> float | None:
        """Take the next moment: the seconds until it. `None`, if that is more than `patience`."""
        wait = max(0.0, self._free_from - now, self._next - now)
        if not self._left or wait > patience:
            return None
        self._left -= 1
        self._next += self.interval
        self._free_from = now + wait + self.interval
        return wait

    def book(self, now: float) -> float:
        """Seconds until the moment of one that goes away in the meantime and comes back then."""
        moment = max(now, self._free_from, self._booked_to)
        self._booked_to = moment + self.interval
        return moment - now

    def is_booked(self, now: float) -> bool:
        """Whether somebody was told to come back, and it is not yet time."""
        return self._booked_to > now

    def expect(self, now: float, number: int) -> None:
        """Only so many come back: of those who were told to, some may be gone for good."""
        self._booked_to = min(self._booked_to, max(now, self._free_from) + number * self.interval)

    def _let_go(self, now: float) -> None:
        """Moments that went by unused are nobody's. One may be a little late."""
        if self._free_from > now + FARTHEST.total_seconds() + self.interval:
            # The clock was put back.
            self._left, self._free_from, self._booked_to = 0, now, now
        late = now - max(AHEAD_S, self.interval)
        while self._left and self._next < late:
            self._left -= 1
            self._next += self.interval

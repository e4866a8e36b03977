"""The pace of a limit: messages one after the other, never two within an interval."""


class Pace:
    """Hands out moments `interval` seconds apart.

    `now` is in seconds, of any clock that only moves on. Evenly, not so many at the turn of each
    minute: a provider that counts by another clock sees no more than was agreed.
    """

    def __init__(self, interval: float) -> None:
        self._interval = interval
        self._free_from = float("-inf")
        self._booked_to = float("-inf")

    @property
    def is_limited(self) -> bool:
        """Whether anybody may have to wait."""
        return self._interval > 0

    def take(self, now: float, patience: float) -> float | None:
        """Take the next moment: the seconds until it. `None`, if that is more than `patience`."""
        wait = max(0.0, self._free_from - now)
        if wait > patience:
            return None
        self._free_from = now + wait + self._interval
        return wait

    def book(self, now: float) -> float:
        """Seconds until the moment of one that goes away in the meantime and comes back then."""
        moment = max(now, self._free_from, self._booked_to)
        self._booked_to = moment + self._interval
        return moment - now

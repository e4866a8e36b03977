"""A rate limit of club.yaml, which all processes that send for the club keep together."""

import asyncio
from datetime import timedelta

from crm_messaging.channels.limits import Rate
from crm_messaging.pace import Pace
from crm_store.database import Store
from crm_store.limit_use import reserve
from flows.clock import wall_clock


class Limit:
    """One process's side of it; the other is in the store, under `name`."""

    def __init__(self, name: str, rate: Rate) -> None:
        self._name = name
        self._pace = Pace(rate.interval)
        self._asking = asyncio.Lock()

    @property
    def is_set(self) -> bool:
        """Whether anybody may have to wait."""
        return self._pace.is_limited

    async def turn(
        self, store: Store, club_id: int, *, wanted: int, patience: float
    ) -> float | None:
        """Take the next turn: the seconds until it. `None`, if that is more than `patience`.

        `wanted` is how many are about to ask, this one among them.
        """
        # By the wall clock: a provider's patience does not move on with a rehearsal's.
        async with self._asking:
            now = wall_clock()
            if number := self._pace.lacks(now.timestamp(), wanted, patience):
                latest = now + timedelta(seconds=patience)
                first = await asyncio.to_thread(
                    store.transact,
                    reserve,
                    club_id,
                    self._name,
                    interval=timedelta(seconds=self._pace.interval),
                    number=number,
                    now=now,
                    latest=latest,
                )
                self._pace.grant(first.timestamp(), number if first <= latest else 0)
            return self._pace.take(wall_clock().timestamp(), patience)

    @property
    def is_booked(self) -> bool:
        """Whether somebody was told to come back, and it is not yet time."""
        return self._pace.is_booked(wall_clock().timestamp())

    def expect(self, number: int) -> None:
        """No more than so many come back."""
        self._pace.expect(wall_clock().timestamp(), number)

    def book(self) -> float:
        """Seconds after which one that goes away now comes back."""
        return self._pace.book(wall_clock().timestamp())

"""Traffic: how fast each provider is written to, how much at once, and who is left alone.

How many are on their way at once, and who is left alone, each process knows of itself. The pace
of a limit belongs to all of them (`flows.limit`), and what is put back into the queue keeps its
time in the ledger.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from crm_messaging.channels.limits import EmailLimits, Rate
from crm_messaging.message import Channel, Outcome, Outgoing, Receipt
from flows.limit import Limit

IN_A_ROW = 10
"""So many times "not now" without anything else in between, and a provider is left alone."""

_NO_LIMIT = Rate()


@dataclass(eq=False)
class Lane:
    """One provider's share of a channel; those without limits share one lane."""

    limit: Limit
    places: asyncio.Semaphore | None
    """None: as many as the road has."""
    at_once: int


@dataclass
class _Mood:
    """What a provider has been saying. It is left alone `until` the last of those it put off."""

    until: datetime
    detail: str
    in_a_row: int = 0


@dataclass(eq=False)
class Road:
    """One channel with its lanes."""

    name: str
    limits: Rate
    concurrency: int
    limit: Limit = field(init=False)
    places: asyncio.Semaphore = field(init=False)
    _provider_of: dict[str, str] = field(init=False)
    _lanes: dict[str, Lane] = field(init=False)
    _moods: dict[str, _Mood] = field(init=False, default_factory=dict)
    _shut: _Mood | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.limit = Limit(self.name, self.limits)
        self.places = asyncio.Semaphore(self.concurrency)
        providers = self.limits.providers if isinstance(self.limits, EmailLimits) else {}
        self._provider_of = {
            domain: name for name, one in providers.items() for domain in one.domains
        }
        self._lanes = {name: self._lane(name, one, one.at_once) for name, one in providers.items()}
        self._lanes[""] = self._lane("", _NO_LIMIT, None)

    @property
    def only_lane(self) -> Lane | None:
        """The lane of every message; `None` when some providers have one to themselves."""
        return None if self._provider_of else self._lanes[""]

    def lane(self, message: Outgoing) -> Lane:
        """The lane of a message's provider."""
        return self._lanes[self._provider_of.get(_domain(message), "")]

    def all_limits(self) -> list[Limit]:
        """Its own, and those of its lanes."""
        return [self.limit, *(lane.limit for lane in self._lanes.values())]

    @property
    def is_calm(self) -> bool:
        """Nobody is left alone at this moment."""
        return not self._moods and self._shut is None

    def rests_until(self, message: Outgoing, now: datetime) -> tuple[datetime, str] | None:
        """Until when its provider is left alone, and what that said; `None` if it is not."""
        provider = self._provider(message)
        mood = self._moods.get(provider)
        if mood is None or mood.in_a_row < IN_A_ROW:
            return None
        if now >= mood.until:
            del self._moods[provider]
            return None
        return mood.until, mood.detail

    def shut_until(self, now: datetime) -> tuple[datetime, str] | None:
        """Until when nobody knocks, and why; `None` while the server can be reached."""
        if self._shut is None or now >= self._shut.until:
            return None
        return self._shut.until, self._shut.detail

    def heard(self, message: Outgoing, receipt: Receipt, again: datetime) -> None:
        """Remember an answer; after a "not now", `again` is when to come again."""
        if not receipt.connected:
            self._shut = _Mood(again, receipt.detail)
            return
        if receipt.outcome is not Outcome.DEFERRED:
            if self._moods:
                self._moods.pop(self._provider(message), None)
            return
        provider = self._provider(message)
        mood = self._moods.setdefault(provider, _Mood(again, receipt.detail))
        # One that says when to come again means all of its messages.
        mood.in_a_row += IN_A_ROW if receipt.retry_at else 1
        mood.until = max(mood.until, again)
        mood.detail = receipt.detail

    def _provider(self, message: Outgoing) -> str:
        domain = _domain(message)
        return self._provider_of.get(domain, domain)

    def _lane(self, provider: str, rate: Rate, at_once: int | None) -> Lane:
        limit = Limit(f"{self.name}/{provider}", rate)
        if at_once is None or at_once >= self.concurrency:
            return Lane(limit, None, self.concurrency)
        return Lane(limit, asyncio.Semaphore(at_once), at_once)


class Traffic:
    """The roads of all channels. `limits` by the channel's name; one without has none."""

    def __init__(self, limits: Mapping[str, Rate | None] | None = None) -> None:
        self._limits = limits or {}
        self._roads: dict[Channel, Road] = {}

    def booked_limits(self) -> list[Limit]:
        """Those by which somebody was told to come back."""
        limits = [limit for road in self._roads.values() for limit in road.all_limits()]
        return [limit for limit in limits if limit.is_booked]

    def road(self, channel: Channel) -> Road:
        """The road of an open channel."""
        if channel not in self._roads:
            limits = self._limits.get(channel.name) or _NO_LIMIT
            self._roads[channel] = Road(channel.name, limits, channel.concurrency)
        return self._roads[channel]


def _domain(message: Outgoing) -> str:
    """What tells one provider from another; text messages have one provider."""
    return message.recipient.rpartition("@")[2].lower() if "@" in message.recipient else ""


def spread(touchpoint_id: int, pause: timedelta) -> timedelta:
    """`pause`, and up to a fifth more by the touchpoint's number: they don't all come at once."""
    return pause + pause / 5 * (touchpoint_id * 2_654_435_761 % 2**32 / 2**32)

"""Days on which a simulation sends more than a limit of club.yaml lets through."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Any

from crm_messaging.channels.limits import Rate
from flows.foresight.simulation import Simulated
from flows.settings import Settings

SENDING_DAY = timedelta(hours=11)
"""The hours of a day in which people are written to: from ten to nine."""


@dataclass(frozen=True)
class Overload:
    """A day with more messages than its hours hold."""

    day: date
    channel: str
    messages: int
    room: int
    """So many leave within a sending day at the limit's pace."""

    def sentence(self) -> str:
        """For people."""
        return (
            f"{self.day:%a} {self.day}: {self.messages:,} by {self.channel} are too many; "
            f"the limit in club.yaml lets {self.room:,} out in {SENDING_DAY.seconds // 3600} hours."
        )

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self) | {"day": str(self.day)}


def overloads(result: Simulated, settings: Settings) -> list[Overload]:
    """Every day and channel beyond the channel's limit, in order."""
    return list(_found(result, settings))


def _found(result: Simulated, settings: Settings) -> Iterator[Overload]:
    channels = settings.channels
    limits: dict[str, Rate] = {}
    if channels.email is not None:
        limits["email"] = channels.email.limits
    if channels.sms is not None and channels.sms.limits is not None:
        limits["sms"] = channels.sms.limits
    for day in sorted(result.by_channel):
        for channel, number in sorted(result.by_channel[day].items()):
            interval = limits[channel].interval if channel in limits else 0
            room = int(SENDING_DAY.total_seconds() / interval) if interval else number
            if number > room:
                yield Overload(day, channel, number, room)

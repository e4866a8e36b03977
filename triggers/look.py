"""A look for occasions: at which moment, and how far from the anchor a step can be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from crm_store.occasions import Occasions, events_named


@dataclass(frozen=True)
class Look:
    """What a trigger is asked with.

    Spans are relative to the anchor; a day counts from its midnight in UTC.
    """

    club_id: int
    now: datetime
    earliest: timedelta
    """The first step's time: negative before the anchor."""
    latest: timedelta
    """The last step's time, and the grace in which it is still useful."""
    event_ids: Sequence[int] | None = None
    """Only these events, when the intake asks."""

    def days(self) -> tuple[date, date]:
        """The first and last anchor day for which some step may be due."""
        return (self.now - self.latest).date(), (self.now - self.earliest).date()

    def moments(self) -> tuple[datetime, datetime]:
        """The first and last anchor moment for which some step may be due."""
        return self.now - self.latest, self.now


def happened(look: Look, name: str, data: Mapping[str, Sequence[str]]) -> Occasions:
    """The events of this name within reach of a step, whose data holds one of the words by key."""
    since, until = look.moments()
    return events_named(look.club_id, name, since=since, until=until, data=data, ids=look.event_ids)

"""A look for occasions: at which moment, and how far from the anchor a step can be.

Kinds of triggers get their SQL from the look they are asked with, and import none themselves:
so campaigns are read and checked without the database library.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from crm_store.occasions import Occasions, birthdays, events_named, terms_ending


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

    def terms_ending(self, plans: Sequence[str] | None) -> Occasions:
        """The terms of these plans, or of any, that end within reach of a step."""
        first, last = self.days()
        return terms_ending(self.club_id, first, last, plans)

    def birthdays(self, day: date, month_days: Sequence[int]) -> Occasions:
        """The birthdays kept on a day: of who was born on one of `month_days`."""
        return birthdays(self.club_id, day, month_days)

    def events(self, name: str, data: Mapping[str, Sequence[str]]) -> Occasions:
        """The events of a name within reach of a step, whose data holds one of the words by key."""
        return events_named(
            self.club_id,
            name,
            since=self.now - self.latest,
            until=self.now,
            data=data,
            ids=self.event_ids,
        )

"""A look for occasions: at which moment, and how far from the anchor a step can be.

Kinds of triggers get their SQL from the look they are asked with, and import none themselves:
so campaigns are read and checked without the database library.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crm_store import absences, audiences, dates, packages, segments
from crm_store.happenings import Scalar, Sign, happenings
from crm_store.occasions import Occasions, narrowed
from crm_store.terms import terms_ending
from triggers.timeline import instant


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
    zone: ZoneInfo
    """The club's."""
    event_ids: Sequence[int] | None = None
    """Only these events, when the intake asks."""

    @property
    def today(self) -> date:
        """The day in the club."""
        return self.now.astimezone(self.zone).date()

    @property
    def since(self) -> datetime:
        """The first moment from which some step may still be useful."""
        return self.now - self.latest

    def days(self) -> tuple[date, date]:
        """The first and last anchor day for which some step may be due on this day of the club.

        They hold all day: whom a day lets in does not depend on the hour of a sweep.
        """
        begins = instant(self.today, time.min, self.zone)
        ends = instant(self.today + timedelta(days=1), time.min, self.zone)
        return (begins - self.latest).date(), (ends - self.earliest).date()

    def days_come(self) -> tuple[date, date]:
        """Those of the days that have come: an absence is none before its day."""
        first, last = self.days()
        return first, min(last, self.today)

    def each_day(self) -> Iterator[date]:
        """The anchor days one by one."""
        day, last = self.days()
        while day <= last:
            yield day
            day += timedelta(days=1)

    def terms_ending(self, plans: Sequence[str] | None) -> Occasions:
        """The terms of these plans, or of any, that end within reach of a step."""
        first, last = self.days()
        return terms_ending(self.club_id, first, last, plans)

    def dates(self, field: str) -> Occasions:
        """The dates in a field that lie within reach of a step."""
        first, last = self.days()
        return dates.reached(self.club_id, field, first, last)

    def anniversaries(self, field: str, called: str) -> Occasions:
        """The anniversaries of the date in a field within reach of a step.

        Of 29 February it is kept on 28 February in common years.
        """
        kept = [
            dates.Kept(day, month_day) for day in self.each_day() for month_day in _kept_on(day)
        ]
        return dates.anniversaries(self.club_id, field, called, kept)

    def everyone_on(self, occurrence: str, day: date) -> Occasions:
        """All customers of the club, anchored at one day."""
        return audiences.on_day(self.club_id, occurrence, day)

    def everyone_at(
        self, occurrence: str, moment: datetime, segment: str | None = None
    ) -> Occasions:
        """All who were customers by a moment, their anchor; or those of them in a segment."""
        return audiences.at_moment(self.club_id, occurrence, moment, segment)

    def events(
        self,
        name: str,
        equal: Mapping[str, Sequence[Scalar]],
        bounds: Sequence[tuple[str, Sign, float]] = (),
    ) -> Occasions:
        """What happened by a name within reach of a step; see `happenings`."""
        return happenings(
            self.club_id,
            name,
            since=self.since,
            until=self.now,
            equal=equal,
            bounds=bounds,
            event_ids=self.event_ids,
        )

    def absences(self, days: int) -> Occasions:
        """Who has not been here for so many days, since a day within reach of a step."""
        first, last = self.days_come()
        return absences.absent(self.club_id, days, first, last, offset=self._offset(), now=self.now)

    def never_came(self, days: int) -> Occasions:
        """Who has a term for so many days and never came."""
        first, last = self.days_come()
        return absences.never_came(self.club_id, days, first, last, self.now)

    def drops(self, below: float, day: date) -> Occasions:
        """Who came less than this share of her own mean from this day on."""
        return absences.dropped(self.club_id, below, day, offset=self._offset())

    def packages_low(self, at_most: int, package: str | None) -> Occasions:
        """The packages that ran low within reach of a step."""
        low = packages.running_low(
            self.club_id,
            at_most,
            package,
            since=self.since,
            until=self.now,
            today=self.today,
        )
        return narrowed(low, self.event_ids)

    def segment_entered(self, name: str) -> Occasions:
        """Who entered a segment within reach of a step."""
        return segments.entered(self.club_id, name, self.since, self.now)

    def segment_left(self, name: str) -> Occasions:
        """Who left a segment within reach of a step."""
        return segments.left(self.club_id, name, self.since, self.now)

    def _offset(self) -> int:
        offset = self.now.astimezone(self.zone).utcoffset()
        return int(offset.total_seconds()) if offset else 0


def _kept_on(day: date) -> list[int]:
    """The days of the year, as month x 100 + day, whose anniversary is kept on this day."""
    month_day = day.month * 100 + day.day
    is_leap = (day + timedelta(days=1)).day == 29
    return [228, 229] if month_day == 228 and not is_leap else [month_day]

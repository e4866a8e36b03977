"""When: a marketer's days and clock times become instants, in any time zone and on any date.

Nothing here reads a clock or a database.
"""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crm_store.reasons import Reason
from triggers.clock import WEEKDAYS, Hours
from triggers.controls import SendWindow
from triggers.definition import CampaignDefinition
from triggers.offsets import Unit
from triggers.steps import Step

_FIRST_DAY, _LAST_DAY = date(1000, 1, 1), date(9000, 1, 1)


def step_due(
    step: Step,
    definition: CampaignDefinition,
    *,
    anchor_on: date | None,
    anchor_at: datetime | None,
    zone: ZoneInfo,
) -> datetime:
    """The instant at which a step is due, in UTC.

    Exactly one of `anchor_on` (a day where the customer is) and `anchor_at` (an aware
    instant) is given. Days are calendar days in `zone`, and the clock time is the step's
    `time`, else the campaign's, else the anchor's own (10:00 when the anchor is a day).
    Hours and minutes are time that really passes: from the instant, or from that clock time
    on the anchor's day.
    """
    clock = definition.clock_of(step)
    if anchor_at is not None:
        if step.at.unit is Unit.SECONDS:
            return _later(anchor_at, step.at.count)
        if clock is None and step.at.count == 0:
            # By way of the clock it could come back an hour early, where an hour repeats.
            return anchor_at.astimezone(UTC)
        local = anchor_at.astimezone(zone)
        return instant(_days_later(local.date(), step.at.count), clock or local.time(), zone)
    if anchor_on is None or clock is None:
        raise ValueError(
            "the anchor does not fit the trigger: a day needs `anchor_on`, a moment `anchor_at`"
        )
    if step.at.unit is Unit.SECONDS:
        return _later(instant(anchor_on, clock, zone), step.at.count)
    return instant(_days_later(anchor_on, step.at.count), clock, zone)


def instant(day: date, clock: time, zone: ZoneInfo, *, last: bool = False) -> datetime:
    """The instant at which clocks in `zone` show `clock` on `day`, in UTC.

    A time that the clocks skip becomes the first moment after the gap. Of a time that comes
    twice it is the first, or with `last` the second.
    """
    local = datetime.combine(_days_later(day, 0), clock, zone).replace(fold=int(last))
    utc = local.astimezone(UTC)
    if _reading(utc, zone) == local.replace(tzinfo=None):
        return utc
    return _end_of_gap(local, zone)


def quiet_until(now: datetime, zone: ZoneInfo, quiet_hours: Hours) -> datetime | None:
    """The end of the quiet span that `now` lies in, in UTC; nothing when it lies in none.

    Where an hour repeats, the span is the longest that the clock can mean: what the clock
    calls quiet is quiet.
    """
    today = now.astimezone(zone).date()
    over_midnight = quiet_hours.end < quiet_hours.start
    for day in (_days_later(today, -1), today):
        start = instant(day, quiet_hours.start, zone)
        end = instant(_days_later(day, int(over_midnight)), quiet_hours.end, zone, last=True)
        if start <= now < end:
            return end
    return None


def opens_at(now: datetime, zone: ZoneInfo, window: SendWindow) -> datetime | None:
    """When the send window opens next, in UTC; nothing when `now` lies in it."""
    today = now.astimezone(zone).date()
    hours = window.hours or Hours(time.min, time.min)
    over_midnight = hours.end <= hours.start
    # The window of yesterday may reach into today; eight days hold every weekday.
    for day in (_days_later(today, offset) for offset in range(-1, 9)):
        if window.days and WEEKDAYS[day.weekday()] not in window.days:
            continue
        start = instant(day, hours.start, zone)
        end = instant(_days_later(day, int(over_midnight)), hours.end, zone, last=True)
        if now < end:
            return None if start <= now else start
    raise ValueError(f"no day of the week is open in {window}")


def closed_until(
    now: datetime, zone: ZoneInfo, quiet_hours: Hours | None, window: SendWindow | None
) -> tuple[datetime, Reason] | None:
    """Until when nothing may leave, in UTC, and what keeps it; nothing when it may leave now.

    It lies outside the quiet hours and within the window. The reason is what holds it at `now`.
    """
    until, held = now, None
    for _ in range(_MOST_TURNS):
        if quiet_hours is not None and (end := quiet_until(until, zone, quiet_hours)) is not None:
            until, held = end, held or Reason.QUIET_HOURS
        elif window is not None and (opens := opens_at(until, zone, window)) is not None:
            until, held = opens, held or Reason.SEND_WINDOW
        else:
            return None if held is None else (until, held)
    # The quiet hours fill the window: it never opens; lateness ends the wait.
    return until, held or Reason.QUIET_HOURS


_MOST_TURNS = 20
"""A week of windows, each followed by quiet hours, and some to spare."""


def birthday_in(birth_date: date, year: int) -> date:
    """The birthday in a year. Who was born on 29 February has it on 28 February in common years.

    A rule of ours, not of the law: laws differ between 28 February and 1 March, and a
    greeting that comes a day early still falls in her month.
    """
    try:
        return birth_date.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


def _reading(moment: datetime, zone: ZoneInfo) -> datetime:
    """What the clocks in the zone show, without a zone."""
    return moment.astimezone(zone).replace(tzinfo=None)


def _end_of_gap(skipped: datetime, zone: ZoneInfo) -> datetime:
    """The first instant after the gap in which the clocks skipped this reading."""
    wanted = skipped.replace(tzinfo=None)
    # Read with the offset after the gap it is before the change, and the other way round.
    before = skipped.replace(fold=1).astimezone(UTC)
    after = skipped.replace(fold=0).astimezone(UTC)
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if _reading(middle, zone) < wanted:
            before = middle
        else:
            after = middle
    return after.replace(microsecond=0)


def _days_later(day: date, days: int) -> date:
    """`days` on, kept within what a calendar and a time zone can bear.

    Imports hold ends such as 9999-12-31; a step three days after that is simply far away.
    """
    ordinal = day.toordinal() + days
    return date.fromordinal(min(max(ordinal, _FIRST_DAY.toordinal()), _LAST_DAY.toordinal()))


def _later(moment: datetime, seconds: int) -> datetime:
    return moment.astimezone(UTC) + timedelta(seconds=seconds)

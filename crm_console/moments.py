"""Moments as people write them on a command line, and as they read them."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from crm_store.errors import UsageError

_FIRST_YEAR, _LAST_YEAR = 1900, 2999
"""Beyond them there is nothing to count, and a calendar has no room for a campaign's offsets."""


def read_moment(text: str, zone: ZoneInfo, *, clock: time = time()) -> datetime:
    """`2026-11-22 10:30` or `2026-11-22` (then at `clock`), in UTC.

    Without an offset it is the club's own time. Raises `UsageError` for anything else.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(
            f"{text} is no moment.", 'Write it as 2026-11-22 or "2026-11-22 10:30".'
        ) from error
    if len(text.strip()) <= len("2026-11-22"):
        moment = datetime.combine(moment.date(), clock)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise UsageError(f"{text} is too far away.", "Check the year.")
    return moment.astimezone(UTC)


def read_day(text: str) -> date:
    """`2026-11-22`. Raises `UsageError` for anything else."""
    try:
        return date.fromisoformat(text.strip())
    except ValueError as error:
        raise UsageError(f"{text} is no day.", "Write it as 2026-11-22.") from error


def show_moment(moment: datetime, zone: ZoneInfo) -> str:
    """`Sun 22 Nov 2026, 10:30` where the clocks are the zone's."""
    local = moment.astimezone(zone)
    return f"{show_day(local)}, {local:%H:%M}"


def show_day(day: date) -> str:
    """`Sun 22 Nov 2026`."""
    return f"{day:%a} {day.day} {day:%b %Y}"

"""Cron: five numbers that say when, read as Debian's cron reads them.

A time that the clocks skip is made up for right after the gap, a time that comes twice counts
once; both as `cronsim` has it from Debian.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from triggers.strict_model import wrong

_SOONEST = timedelta(hours=1)
_LOOKED_AT = 60
_LONGEST = 100
_FIRST_DAY = datetime(2026, 1, 1, tzinfo=UTC)


def check_cron(expression: str) -> str:
    """Refuse what is no cron expression, and one that comes more than once an hour, or never."""
    # The library loads here: few campaigns go by the clock.
    from cronsim import CronSim, CronSimError

    fix = "write minute, hour, day of the month, month and day of the week, such as `0 10 1 * *`"
    if len(expression) > _LONGEST or len(expression.split()) != 5:
        wrong(f"`{expression[:40]}` is not a schedule", fix)
    try:
        coming = list(islice(CronSim(expression, _FIRST_DAY), _LOOKED_AT))
    except CronSimError as error:
        wrong(f"`{expression[:40]}` is not a schedule: {str(error).lower()}", fix)
    if not coming:
        wrong(f"`{expression[:40]}` never comes", "choose a day that its month has")
    if any(later - earlier < _SOONEST for earlier, later in pairwise(coming)):
        wrong(
            f"`{expression[:40]}` comes more than once an hour ({explained(expression)})",
            "write one minute, such as `0` or `30`",
        )
    return expression


def explained(expression: str) -> str:
    """The schedule in English, without the full stop."""
    from cronsim import CronSim

    return CronSim(expression, _FIRST_DAY).explain().removesuffix(".")


def moments(
    expression: str, zone: ZoneInfo, after: datetime, until: datetime
) -> Iterator[datetime]:
    """The moments in (`after`, `until`] by the clock of the zone, in UTC and in order."""
    from cronsim import CronSim

    for moment in CronSim(expression, after.astimezone(zone)):
        utc = moment.astimezone(UTC)
        if utc > until:
            return
        yield utc

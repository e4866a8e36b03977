"""Moments on the command line: the club's own time unless they say otherwise."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from crm_console.moments import read_moment, show_moment
from crm_store.errors import UsageError

PUNE = ZoneInfo("Asia/Kolkata")


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-22", "2026-11-22T06:30"),
        ("2026-11-22 10:30", "2026-11-22T05:00"),
        ("2026-11-22T10:30:00", "2026-11-22T05:00"),
        ("2026-11-22T10:30+00:00", "2026-11-22T10:30"),
        ("2026-11-22T10:30Z", "2026-11-22T10:30"),
        (" 2026-11-22 00:00 ", "2026-11-21T18:30"),
    ],
)
def test_read(text: str, utc: str) -> None:
    wanted = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert read_moment(text, PUNE, clock=time(12)) == wanted


@pytest.mark.parametrize("text", ["", "tomorrow", "22.11.2026", "2026-13-01", "10:30"])
def test_refused(text: str) -> None:
    with pytest.raises(UsageError, match="Write it as"):
        read_moment(text, PUNE)


@pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31 23:59-05:00"])
def test_no_calendar_reaches_so_far(text: str) -> None:
    with pytest.raises(UsageError, match="too far away"):
        read_moment(text, PUNE)


def test_shown_where_the_clocks_are() -> None:
    assert show_moment(datetime(2026, 11, 1, 20, tzinfo=UTC), PUNE) == "Mon 2 Nov 2026, 01:30"

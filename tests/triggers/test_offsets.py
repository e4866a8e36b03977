"""Offsets, durations and clock times: what is read, and what its writer is told."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import PydanticCustomError

from triggers.clock import clock_text, parse_clock, parse_hours
from triggers.offsets import Offset, Unit, duration_text, parse_duration


@pytest.mark.parametrize(
    ("text", "count", "unit", "written"),
    [
        ("-30d", -30, Unit.DAYS, "-30d"),
        ("+3d", 3, Unit.DAYS, "+3d"),
        ("3d", 3, Unit.DAYS, "+3d"),
        ("0d", 0, Unit.DAYS, "0d"),
        ("-0d", 0, Unit.DAYS, "0d"),
        ("1w", 7, Unit.DAYS, "+7d"),
        ("-2w", -14, Unit.DAYS, "-14d"),
        ("+2h", 7_200, Unit.SECONDS, "+2h"),
        ("+15m", 900, Unit.SECONDS, "+15m"),
        ("-90m", -5_400, Unit.SECONDS, "-90m"),
        ("+120m", 7_200, Unit.SECONDS, "+2h"),
        ("now", 0, Unit.SECONDS, "now"),
        ("0m", 0, Unit.SECONDS, "now"),
    ],
)
def test_an_offset(text: str, count: int, unit: Unit, written: str) -> None:
    offset = Offset.parse(text)
    assert offset == Offset(count, unit)
    assert str(offset) == written
    assert Offset.parse(written) == offset


@pytest.mark.parametrize(
    ("read", "value", "message", "fix"),
    [
        (Offset.parse, "-30 days", "`-30 days` is not an offset", "write `-30d`"),
        (Offset.parse, "- 3 D", "`- 3 D` is not an offset", "write `-3d`"),
        (Offset.parse, "1d before", "`1d before` is not an offset", "write `-1d`"),
        (Offset.parse, "2 hours after", "`2 hours after` is not an offset", "write `+2h`"),
        (Offset.parse, "−30d", "`−30d` is not an offset", "write `-30d`"),
        (
            Offset.parse,
            -30,
            "`-30` is not an offset",
            "add a unit: `-30d` is days, `-30h` is hours",
        ),
        (Offset.parse, "tomorrow", "`tomorrow` is not an offset", "write a sign, a number and w"),
        (Offset.parse, None, "`None` is not an offset", "write a sign"),
        (Offset.parse, "+99999d", "`+99999d` is more than ten years", "write a smaller offset"),
        (parse_duration, "36", "`36` is not a duration", "write a number and w (weeks)"),
        (parse_duration, 36, "`36` is not a duration", "write a number and w (weeks)"),
        (parse_duration, "-2h", "`-2h` is not a duration", "write a number and"),
        (parse_duration, "0h", "`0h` is not a useful duration", "write more than zero"),
        (parse_duration, "9999w", "`9999w` is not a useful duration", "write more than zero"),
        (parse_clock, "9:30", "`9:30` is not a time of day", "write hours and minutes with two"),
        (parse_clock, "24:00", "`24:00` is not a time of day", "write hours and minutes"),
        (parse_clock, 1030, "`1030` is not a time of day", "write hours and minutes"),
        (parse_clock, "10:30\n", "`10:30\n` is not a time of day", "write hours and minutes"),
        (parse_hours, "21:00", "`21:00` are not hours of the day", "write two times of day"),
        (parse_hours, "21-10", "`21-10` are not hours of the day", "write two times of day"),
        (parse_hours, "21:00-21:00", "the hours `21:00-21:00` are empty", "let them"),
    ],
)
def test_a_refusal(read: Callable[[Any], Any], value: Any, message: str, fix: str) -> None:
    with pytest.raises(PydanticCustomError) as refused:
        read(value)
    assert refused.value.message() == message
    assert refused.value.context is not None
    assert refused.value.context["fix"].startswith(fix)


@pytest.mark.parametrize(
    ("text", "length", "written"),
    [
        ("36h", timedelta(hours=36), "36h"),
        ("48h", timedelta(days=2), "2d"),
        ("2w", timedelta(days=14), "14d"),
        ("90m", timedelta(minutes=90), "90m"),
    ],
)
def test_a_duration(text: str, length: timedelta, written: str) -> None:
    assert parse_duration(text) == length
    assert duration_text(length) == written
    assert parse_duration(written) == length


@given(clock=st.times())
def test_a_clock_time_reads_back(clock: Any) -> None:
    minute = clock.replace(second=0, microsecond=0)
    assert parse_clock(clock_text(minute)) == minute


def test_quiet_hours_read_back() -> None:
    assert str(parse_hours("21:00-10:00")) == "21:00-10:00"

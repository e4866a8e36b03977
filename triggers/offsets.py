"""Offsets from the anchor (`-30d`, `+2h`, `now`) and durations (`36h`, `7d`)."""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Any

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from triggers.strict_model import wrong

_OFFSET = re.compile(r"([+-]?)([0-9]{1,6})([wdhm])")
_DURATION = re.compile(r"([0-9]{1,6})([wdhm])")
_SECONDS = {"w": 7 * 86_400, "d": 86_400, "h": 3_600, "m": 60}
_LONGEST = timedelta(days=3660)
_UNITS = "w (weeks), d (days), h (hours) or m (minutes)"


class Unit(StrEnum):
    """What an offset counts."""

    DAYS = "days"
    """Calendar days: the clock time is the step's own, whatever the clocks do in between."""
    SECONDS = "seconds"
    """Time that really passes."""


@dataclass(frozen=True)
class Offset:
    """A signed count of calendar days or of elapsed seconds."""

    count: int
    unit: Unit

    @classmethod
    def parse(cls, text: object) -> "Offset":
        """Read `-30d`, `+2h`, `1w`, `now`. Refuses anything else in a marketer's words."""
        if text == "now":
            return cls(0, Unit.SECONDS)
        match = _OFFSET.fullmatch(text) if isinstance(text, str) else None
        if match is None:
            wrong(f"`{_shown(text)}` is not an offset", _offset_fix(text))
        sign, digits, unit = match.groups()
        seconds = int(sign + digits) * _SECONDS[unit]
        if abs(seconds) > _LONGEST.total_seconds():
            wrong(f"`{text}` is more than ten years", "write a smaller offset")
        if unit in "wd":
            return cls(seconds // _SECONDS["d"], Unit.DAYS)
        return cls(seconds, Unit.SECONDS)

    def __str__(self) -> str:
        """The shortest way to write it: what `parse` reads back as the same offset."""
        if self.unit is Unit.DAYS:
            return f"{self.count:+}d" if self.count else "0d"
        if not self.count:
            return "now"
        if self.count % _SECONDS["h"] == 0:
            return f"{self.count // _SECONDS['h']:+}h"
        return f"{self.count // _SECONDS['m']:+}m"


def parse_duration(text: object) -> timedelta:
    """Read `36h`, `7d`, `2w`, `30m`: elapsed time, never zero. A day is 24 hours."""
    if isinstance(text, timedelta):
        return text
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        wrong(f"`{_shown(text)}` is not a duration", f"write a number and {_UNITS}, such as `36h`")
    duration = timedelta(seconds=int(match[1]) * _SECONDS[match[2]])
    if not timedelta(0) < duration <= _LONGEST:
        wrong(f"`{text}` is not a useful duration", "write more than zero, at most ten years")
    return duration


def duration_text(duration: timedelta) -> str:
    """The way to write a duration: `7d`, `36h`, `90m`."""
    seconds = int(duration.total_seconds())
    # 36h stays 36h and 48h becomes 2d: both read back as the same length.
    unit = next(unit for unit in "dhm" if seconds % _SECONDS[unit] == 0)
    return f"{seconds // _SECONDS[unit]}{unit}"


def _shown(value: object) -> str:
    return str(value)[:40]


def _offset_fix(value: object) -> str:
    text = _shown(value).strip().replace("−", "-").replace("–", "-")
    if re.fullmatch(r"[+-]?[0-9]+", text):
        return f"add a unit: `{text}d` is days, `{text}h` is hours"
    if match := re.match(r"([+-]?)\s*([0-9]+)\s*([wdhm])", text.lower()):
        sign, count, unit = match.groups()
        if not sign:
            sign = "-" if "before" in text.lower() else "+"
        return f"write `{sign}{count}{unit}`"
    return f"write a sign, a number and {_UNITS}, such as `-30d` or `+2h`, or `now`"


def _as_offset(value: Any) -> Offset:
    return value if isinstance(value, Offset) else Offset.parse(value)


OffsetValue = Annotated[
    Offset,
    PlainValidator(_as_offset),
    PlainSerializer(str),
    WithJsonSchema(
        {"type": "string", "pattern": f"^(now|{_OFFSET.pattern})$", "examples": ["-30d", "+2h"]}
    ),
]
Duration = Annotated[
    timedelta,
    PlainValidator(parse_duration),
    PlainSerializer(duration_text),
    WithJsonSchema(
        {"type": "string", "pattern": f"^{_DURATION.pattern}$", "examples": ["36h", "7d"]}
    ),
]

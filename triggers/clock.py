"""Clock times (`10:30`), hours of the day (`21:00-10:00`) and weekdays, as a campaign has them."""

import re
from dataclasses import dataclass
from datetime import time
from typing import Annotated, Literal, get_args

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from triggers.strict_model import wrong

_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"


@dataclass(frozen=True)
class Hours:
    """From `start` up to, not including, `end`, on the clock where the customer is.

    When `end` is the earlier of the two, the span crosses midnight.
    """

    start: time
    end: time

    def holds(self, clock: time) -> bool:
        """Whether a clock that shows this time is within them."""
        if self.start < self.end:
            return self.start <= clock < self.end
        return clock >= self.start or clock < self.end

    def __str__(self) -> str:
        return f"{clock_text(self.start)}-{clock_text(self.end)}"


Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
WEEKDAYS: tuple[Weekday, ...] = get_args(Weekday)
"""As `date.weekday()` counts them."""


def parse_clock(text: object) -> time:
    """Read `HH:MM`, from 00:00 to 23:59."""
    if isinstance(text, time):
        return text
    if not isinstance(text, str) or not re.fullmatch(_CLOCK, text):
        wrong(
            f"`{str(text)[:40]}` is not a time of day",
            'write hours and minutes with two digits each, such as "09:30"',
        )
    return time.fromisoformat(text)


def parse_hours(text: object) -> Hours:
    """Read `HH:MM-HH:MM`."""
    if isinstance(text, Hours):
        return text
    match = re.fullmatch(rf"({_CLOCK})-({_CLOCK})", text) if isinstance(text, str) else None
    if match is None:
        wrong(
            f"`{str(text)[:40]}` are not hours of the day",
            'write two times of day with a hyphen, such as "21:00-10:00"',
        )
    hours = Hours(parse_clock(match[1]), parse_clock(match[3]))
    if hours.start == hours.end:
        wrong(f"the hours `{text}` are empty", "let them end at another time")
    return hours


def clock_text(clock: time) -> str:
    """`HH:MM`."""
    return clock.strftime("%H:%M")


ClockTime = Annotated[
    time,
    PlainValidator(parse_clock),
    PlainSerializer(clock_text),
    WithJsonSchema({"type": "string", "pattern": f"^{_CLOCK}$", "examples": ["10:30"]}),
]
HoursValue = Annotated[
    Hours,
    PlainValidator(parse_hours),
    PlainSerializer(str),
    WithJsonSchema(
        {"type": "string", "pattern": f"^{_CLOCK}-{_CLOCK}$", "examples": ["21:00-10:00"]}
    ),
]

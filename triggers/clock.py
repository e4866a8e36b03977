"""Clock times (`10:30`) and quiet hours (`21:00-10:00`), as a campaign writes them."""

import re
from dataclasses import dataclass
from datetime import time
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from triggers.strict_model import wrong

_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]"


@dataclass(frozen=True)
class QuietHours:
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


def parse_quiet_hours(text: object) -> QuietHours:
    """Read `HH:MM-HH:MM`."""
    if isinstance(text, QuietHours):
        return text
    match = re.fullmatch(rf"({_CLOCK})-({_CLOCK})", text) if isinstance(text, str) else None
    if match is None:
        wrong(
            f"`{str(text)[:40]}` are not quiet hours",
            'write two times of day with a hyphen, such as "21:00-10:00"',
        )
    quiet = QuietHours(parse_clock(match[1]), parse_clock(match[3]))
    if quiet.start == quiet.end:
        wrong(f"the quiet hours `{text}` are empty", "let them end at another time")
    return quiet


def clock_text(clock: time) -> str:
    """`HH:MM`."""
    return clock.strftime("%H:%M")


ClockTime = Annotated[
    time,
    PlainValidator(parse_clock),
    PlainSerializer(clock_text),
    WithJsonSchema({"type": "string", "pattern": f"^{_CLOCK}$", "examples": ["10:30"]}),
]
QuietHoursValue = Annotated[
    QuietHours,
    PlainValidator(parse_quiet_hours),
    PlainSerializer(str),
    WithJsonSchema(
        {"type": "string", "pattern": f"^{_CLOCK}-{_CLOCK}$", "examples": ["21:00-10:00"]}
    ),
]

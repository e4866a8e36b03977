"""What holds messages back: limits, hours, lateness; and who is counted or left out."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import (
    Field,
    PlainSerializer,
    PlainValidator,
    StrictInt,
    WithJsonSchema,
    model_validator,
)

from triggers.clock import ClockTime, HoursValue, Weekday
from triggers.names import EventName
from triggers.offsets import Duration
from triggers.strict_model import StrictModel, wrong


class Cap(StrictModel):
    """At most `max` messages to one customer within `per`, whatever campaigns they come from.

    Messages of transactional topics are neither counted nor held back.
    """

    max: StrictInt = Field(ge=1, examples=[2])
    """How many messages."""
    per: Duration
    """Within how long a time, such as `7d`. A twenty-fourth of it is let off, at most an hour."""
    otherwise: Literal["postpone", "skip"] = Field(
        default="postpone", alias="else", examples=["skip"]
    )
    """What becomes of one message too many: it waits, or it is left out."""

    @property
    def span(self) -> timedelta:
        """How far back a message counts.

        Of two messages at the same time of day a week apart the second is none too many, though
        its sweep may come some minutes earlier in the hour than that of the first.
        """
        return self.per - min(self.per / 24, timedelta(hours=1))


class Late(StrictModel):
    """How late a message is still useful."""

    grace: Duration = timedelta(hours=36)
    """A message may leave up to this long after its time."""
    otherwise: Literal["skip"] = Field(default="skip", alias="else", examples=["skip"])
    """What becomes of it after that: it is left out."""


class SendWindow(StrictModel):
    """When messages may leave, by the customer's own calendar and clock."""

    days: tuple[Weekday, ...] = Field(default=(), examples=[["mon", "tue", "wed", "thu", "fri"]])
    """The days of the week; every day when left out."""
    hours: HoursValue | None = None
    """The hours of those days, such as `10:00-20:00`; all of them when left out."""

    @model_validator(mode="after")
    def _says_something(self) -> "SendWindow":
        if not self.days and self.hours is None:
            wrong("the send window says neither days nor hours", "add `days` or `hours`")
        return self


OnDoubt = Literal["hold", "resend"]
"""What becomes of a message of which nobody knows whether the server took it."""


class Defaults(StrictModel):
    """What holds for every step that does not say otherwise."""

    time: ClockTime | None = None
    """Time of day of the steps that count days, in the customer's own time zone, else the club's.

    Left out, it is 10:00 when the campaign counts from a day, and the time of the event when
    it counts from an event.
    """
    quiet_hours: HoursValue | None = None
    """No message leaves in these hours of the customer's day, such as `21:00-10:00`."""
    send_window: SendWindow | None = None
    """The days and hours in which messages may leave; at any time when left out."""
    cap: Cap | None = None
    """The limit on messages to one customer; none when left out."""
    late: Late = Late()
    """How late a message is still useful; 36 hours when left out."""
    on_doubt: OnDoubt = Field(default="hold", examples=["resend"])
    """`hold`: a message that may or may not have arrived waits for somebody to look. `resend`:
    it is sent once more, and some customers get it twice."""


class Goal(StrictModel):
    """What the campaign is for: an event that shows it worked.

    It is met when the event comes after the customer entered and no later than `within` after
    the anchor. It counts the same for those held out, so the two can be compared. It ends
    nothing: for that there is `exit_on`.
    """

    event: EventName = Field(examples=["membership_renewed"])
    """The event that counts."""
    within: Duration
    """How long after the anchor it still counts, such as `14d`."""


class ReentryAfter(StrictModel):
    """A customer may enter again only some time after last entering."""

    after: Duration
    """How long after, such as `90d`."""


Reentry = Literal["always", "once"] | ReentryAfter
"""How often a customer may enter."""


class WaitFor(StrictModel):
    """What is waited for after a step's message has left."""

    event: EventName = Field(examples=["link_clicked"])
    """The event; one that names another message in its data does not count."""
    timeout: Duration
    """How long after the message left, such as `24h`."""


def parse_share(text: object) -> float:
    """Read a share such as `5%`: more than none, at most half. Returns it as a fraction."""
    number = text.removesuffix("%") if isinstance(text, str) else ""
    if not (isinstance(text, str) and text.endswith("%") and number.replace(".", "", 1).isdigit()):
        wrong(f"`{str(text)[:40]}` is not a share", "write a percentage, such as `5%`")
    share = float(number) / 100
    if not 0 < share <= 0.5:
        wrong(f"a share of `{text}` makes no sense here", "write more than 0% and at most 50%")
    return share


def share_text(share: float) -> str:
    """`5%`."""
    return f"{share * 100:g}%"


Share = Annotated[
    float,
    PlainValidator(parse_share),
    PlainSerializer(share_text),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)?%$", "examples": ["5%"]}),
]

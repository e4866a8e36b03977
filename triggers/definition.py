"""A campaign, as its file defines it: who may enter, when to stop, and the steps."""

import hashlib
import json
from collections.abc import Sequence
from datetime import time, timedelta
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, StrictInt, field_validator, model_validator

from triggers.clock import ClockTime, QuietHoursValue
from triggers.kinds.all import Trigger
from triggers.kinds.anchor import Anchor
from triggers.names import (
    ConditionText,
    EmailTemplate,
    EventName,
    Slug,
    SmsTemplate,
    StepId,
    Text,
    TopicName,
)
from triggers.offsets import Duration, OffsetValue, Unit, duration_text
from triggers.strict_model import StrictModel, wrong

Channel = Literal["email", "sms"]

DEFAULT_TIME = time(10, 0)
"""Time of day of steps that count from a day, when the campaign names none."""


class Cap(StrictModel):
    """At most `max` messages to one customer within `per`, whatever campaigns they come from."""

    max: StrictInt = Field(ge=1)
    """How many messages."""
    per: Duration
    """Within how long a time, such as `7d`."""
    otherwise: Literal["postpone", "skip"] = Field(default="postpone", alias="else")
    """What becomes of one message too many: it waits, or it is left out."""


class Late(StrictModel):
    """How late a message is still useful."""

    grace: Duration = timedelta(hours=36)
    """A message may leave up to this long after its time."""
    otherwise: Literal["skip"] = Field(default="skip", alias="else")
    """What becomes of it after that: it is left out."""


OnDoubt = Literal["hold", "resend"]
"""What becomes of a message of which nobody knows whether the server took it."""


class Defaults(StrictModel):
    """What holds for every step that does not say otherwise."""

    time: ClockTime | None = None
    """Time of day of the steps that count days, in the customer's own time zone, else the club's.

    Left out, it is 10:00 when the campaign counts from a day, and the time of the event when
    it counts from an event.
    """
    quiet_hours: QuietHoursValue | None = None
    """No message leaves in these hours of the customer's day, such as `21:00-10:00`."""
    cap: Cap | None = None
    """The limit on messages to one customer; none when left out."""
    late: Late = Late()
    """How late a message is still useful; 36 hours when left out."""
    on_doubt: OnDoubt = "hold"
    """`hold`: a message that may or may not have arrived waits for somebody to look. `resend`:
    it is sent once more, and some customers get it twice."""


class Step(StrictModel):
    """One message of the campaign, at its offset from the anchor."""

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["email"]}, {"required": ["sms"]}]}
    )

    id: StepId
    """The step's name within the campaign. Who got the step is remembered by it."""
    at: OffsetValue
    """When: `-30d`, `0d`, `+2h`, `now`, counted from the trigger's day or moment."""
    email: EmailTemplate | None = None
    """The e-mail template to send."""
    sms: SmsTemplate | None = None
    """The SMS template to send."""
    time: ClockTime | None = None
    """Time of day, instead of the default."""
    late: Late | None = None
    """How late this step is still useful, instead of the default."""
    on_doubt: OnDoubt | None = None
    """What becomes of it in doubt, instead of the default."""
    condition: ConditionText | None = Field(default=None, alias="if")
    """Only for customers of whom this is true when the step is due."""

    @model_validator(mode="after")
    def _one_message(self) -> Self:
        if self.email is None and self.sms is None:
            wrong(f"step `{self.id}` sends nothing", "add `email:` or `sms:` with a template")
        if self.email is not None and self.sms is not None:
            fix = "keep one of them, or make two steps of it"
            wrong(f"step `{self.id}` has both `email` and `sms`", fix, at=("sms",))
        return self


class CampaignTest(StrictModel):
    """A case that the campaign has to pass: what is given, and the steps expected."""

    name: Text
    given: dict[str, Any] = Field(default_factory=dict)
    expect: tuple[Any, ...] = ()


class CampaignDefinition(StrictModel):
    """A whole campaign file."""

    campaign: Slug
    """The campaign's name for ever: who was in it is remembered by it."""
    name: Text
    """The campaign's name for people."""
    owner: str = ""
    """Who answers for it."""
    topic: TopicName
    """What the customer can opt out of."""
    trigger: Trigger
    """What starts it for a customer."""
    where: ConditionText | None = None
    """Only customers of whom this is true may enter."""
    exit_on: tuple[EventName, ...] = ()
    """Any of these events ends the campaign for the customer."""
    defaults: Defaults = Defaults()
    """What holds for every step that does not say otherwise."""
    steps: tuple[Step, ...] = Field(json_schema_extra={"minItems": 1})
    """The messages, each at its own offset."""
    tests: tuple[CampaignTest, ...] = ()
    """Cases that `sampark test` plays through."""

    @field_validator("steps")
    @classmethod
    def _ids_differ(cls, steps: Sequence[Step]) -> Sequence[Step]:
        if not steps:
            wrong("the campaign has no steps", "add a step: `id`, `at` and a template")
        seen: set[str] = set()
        for index, step in enumerate(steps):
            if step.id in seen:
                fix = "give each step an id of its own"
                wrong(f"the step id `{step.id}` is used twice", fix, at=(index, "id"))
            seen.add(step.id)
        return steps

    @model_validator(mode="after")
    def _times_have_effect(self) -> Self:
        for index, step in enumerate(self.steps):
            if step.time is not None and self._counts_from_the_moment(step):
                fix = "leave `time` out, or count in days, such as `+1d`"
                at = ("steps", index, "time")
                wrong(f"`time` has no effect beside `at: {step.at}`", fix, at=at)
        return self

    @model_validator(mode="after")
    def _quiet_hours_end_in_time(self) -> Self:
        for index, step in enumerate(self.steps):
            grace = self.late_of(step).grace
            if (wait := self._quiet_wait(step)) is not None and wait > grace:
                what = f"step `{step.id}` falls into the quiet hours and is too late after them"
                fix = f"choose another time, or a grace of {duration_text(wait)} and more"
                at = ("steps", index, "time" if step.time else "at")
                wrong(what, fix, at=at)
        return self

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what matters for running: not the comments, the owner or the tests.

        A value left out and its default written down are the same campaign.
        """
        told = self.model_dump(mode="json", exclude={"owner", "tests"}, exclude_defaults=True)
        canonical = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def step(self, step_id: str) -> Step:
        """The step with this id. Raises `KeyError` when there is none."""
        for step in self.steps:
            if step.id == step_id:
                return step
        raise KeyError(step_id)

    def clock_of(self, step: Step) -> time | None:
        """The step's time of day; nothing when it is the clock time of the anchor."""
        by_day = self.trigger.anchor is Anchor.DAY
        return step.time or self.defaults.time or (DEFAULT_TIME if by_day else None)

    def late_of(self, step: Step) -> Late:
        """How late this step is still useful."""
        return step.late or self.defaults.late

    def resent_steps(self) -> list[str]:
        """The ids of the steps that are sent once more when in doubt."""
        default = self.defaults.on_doubt
        return [step.id for step in self.steps if (step.on_doubt or default) == "resend"]

    def channel_of(self, step: Step) -> Channel:
        """`email` or `sms`."""
        return "email" if step.email is not None else "sms"

    def template_of(self, step: Step) -> str:
        """The name of the step's template, such as `renewal/heads_up`."""
        return step.email or step.sms or ""

    def span(self) -> tuple[timedelta, timedelta]:
        """The earliest and the latest that any step can be due, relative to the anchor.

        An anchor that is a day counts from its midnight in UTC. The span is never too narrow
        for any time zone, and up to 37 hours too wide at either end.
        """
        spans = [self._span_of(step) for step in self.steps]
        return min(first for first, _ in spans), max(last for _, last in spans)

    def _span_of(self, step: Step) -> tuple[timedelta, timedelta]:
        exact = timedelta(**{step.at.unit.value: step.at.count})
        if self._counts_from_the_moment(step):
            return exact, exact
        # A day begins up to 14 hours before UTC's and ends up to 36 hours after UTC's began;
        # the local day of an instant is off by at most one; clocks change by an hour.
        return exact - timedelta(hours=26), exact + timedelta(hours=37)

    def _quiet_wait(self, step: Step) -> timedelta | None:
        """How long after its time of day a step's quiet hours end; nothing outside them."""
        clock, quiet = self.clock_of(step), self.defaults.quiet_hours
        if (
            clock is None
            or quiet is None
            or step.at.unit is not Unit.DAYS
            or not quiet.holds(clock)
        ):
            return None
        minutes = (quiet.end.hour - clock.hour) * 60 + quiet.end.minute - clock.minute
        return timedelta(minutes=minutes % (24 * 60))

    def _counts_from_the_moment(self, step: Step) -> bool:
        return step.at.unit is Unit.SECONDS and self.trigger.anchor is Anchor.MOMENT

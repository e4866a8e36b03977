"""A campaign, as its file defines it: who may enter, when to stop, and the steps."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import time, timedelta
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import Field, field_validator, model_validator

from triggers.controls import Defaults, Goal, Late, Reentry, Share
from triggers.kinds.all import Trigger
from triggers.kinds.anchor import Anchor
from triggers.names import ConditionText, EventName, Slug, Text, TopicName
from triggers.offsets import Unit
from triggers.steps import Act, Step
from triggers.strict_model import StrictModel, wrong

DEFAULT_TIME = time(10, 0)
"""Time of day of steps that count from a day, when the campaign names none."""


class CampaignTest(StrictModel):
    """A case that the campaign has to pass: what is given, and the steps expected."""

    name: Text = Field(examples=["renewal stops everything"])
    """What the case is about."""
    given: dict[str, Any] = Field(
        default_factory=dict,
        examples=[
            {
                "today": "2026-03-01",
                "membership": {"ends_on": "2026-03-31"},
                "events": [{"at": "-8d", "name": "membership_renewed"}],
            }
        ],
    )
    """The customer by the fields of the catalogue, the day the test begins (`today`), and the
    events of the time, each at an offset from the anchor or at a time of its own, and with the
    `data` that a trigger or a message asks for."""
    expect: tuple[Any, ...] = Field(default=(), examples=[["heads_up@2026-03-01", "recap"]])
    """The steps that come, in order, on which day if that matters; nothing else may come."""


class CampaignDefinition(StrictModel):
    """A whole campaign file."""

    campaign: Slug = Field(examples=["membership-renewal"])
    """The campaign's name for ever: who was in it is remembered by it."""
    name: Text = Field(examples=["Membership renewal"])
    """The campaign's name for people."""
    owner: str = Field(default="", examples=["retention@club.example"])
    """Who answers for it."""
    topic: TopicName
    """What the customer can opt out of."""
    trigger: Trigger
    """What starts it for a customer."""
    where: ConditionText | None = None
    """Only customers of whom this is true may enter."""
    exit_on: tuple[EventName, ...] = ()
    """Any of these events ends the campaign for the customer."""
    pause_while: ConditionText | None = Field(default=None, examples=["membership.frozen"])
    """While this is true of the customer nothing leaves; what is then too late is left out."""
    priority: int = Field(default=0, ge=-100, le=100, examples=[10])
    """Of campaigns that are due in the same sweep the highest goes first: its message is the one
    that a cap lets through."""
    goal: Goal | None = None
    """The event that shows that the campaign worked."""
    holdout: Share | None = None
    """The share of customers who enter and are never written to, for comparison, such as `5%`.

    Chance decides once for each customer.
    """
    reentry: Reentry = Field(default="always", examples=[{"after": "90d"}])
    """How often a customer may enter: for every occasion, once, or again after some time."""
    if_anchor_moves: Literal["follow", "stay", "exit"] = Field(default="follow", examples=["exit"])
    """What becomes of steps not yet done when the date they count from is moved: they `follow`,
    they `stay` where they were, or the customer leaves the campaign (`exit`)."""
    in_flight: Literal["finish", "move"] = Field(default="finish", examples=["move"])
    """Who entered under an older version of this file finishes under it, or moves to this one."""
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

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what matters for running: not the comments, the owner or the tests.

        A value left out and its default written down are the same campaign.
        """
        told = self.model_dump(mode="json", exclude={"owner", "tests"}, exclude_defaults=True)
        canonical = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(canonical.encode()).hexdigest()

    def clock_of(self, step: Step) -> time | None:
        """The step's time of day; nothing when it is the clock time of the anchor."""
        by_day = self.trigger.anchor is Anchor.DAY
        return step.time or self.defaults.time or (DEFAULT_TIME if by_day else None)

    def late_of(self, step: Step) -> Late:
        """How late this step is still useful."""
        return step.late or self.defaults.late

    def resent_steps(self) -> list[str]:
        """The steps, as touchpoints name them, that are sent once more when in doubt."""
        default = self.defaults.on_doubt
        acts = (act for act in self.acts() if (act.of.on_doubt or default) == "resend")
        return list(dict.fromkeys(act.step for act in acts))

    def acts(self) -> Iterator[Act]:
        """Everything the campaign may do, step by step, every way of every fork."""
        for step in self.steps:
            yield from step.acts()

    def act(self, step: str, variant: str = "") -> Act:
        """What a touchpoint of this step and way is about. Raises `KeyError`."""
        return self._acts[step, variant]

    @cached_property
    def _acts(self) -> dict[tuple[str, str], Act]:
        return {(act.step, act.variant): act for act in self.acts()}

    def most_fallbacks(self) -> int:
        """How often at most another channel may have to stand in."""
        return max(len(act.action.fallback) for act in self.acts())

    def channels(self) -> set[str]:
        """Every channel the campaign may use, also those it only falls back on."""
        actions = [act.action for act in self.acts()]
        return {channel for one in actions for channel in (one.channel, *one.fallback)}

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
        sooner = timedelta(hours=15 if self.trigger.anchor is Anchor.DAY else 26)
        return exact - sooner, exact + timedelta(hours=37)

    def _counts_from_the_moment(self, step: Step) -> bool:
        return step.at.unit is Unit.SECONDS and self.trigger.anchor is Anchor.MOMENT

"""The steps of a campaign: what is done when, for whom, and which way at a fork."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, StrictInt, model_validator

from triggers.actions import ACTIONS, Action
from triggers.clock import ClockTime
from triggers.controls import Late, OnDoubt, WaitFor
from triggers.names import ConditionText, StepId
from triggers.offsets import OffsetValue
from triggers.strict_model import wrong

TIMEOUT = "timeout"
"""What stands after the dot in the name of what is done when nothing came."""


def _said(value: Any) -> Any:
    """`else:` stands alone: in YAML that is a key without a value."""
    if value is not None and not isinstance(value, bool):
        wrong("`else` stands alone", "write what is done in the line below it: `sms: …`")
    return True if value is None else value


class Branch(Action):
    """One way of a `choose`: taken when it is the first whose condition holds."""

    condition: ConditionText | None = Field(
        default=None, alias="if", examples=["visits.last_90d >= 8"]
    )
    """Only for customers of whom this is true when the step is due."""
    otherwise: Annotated[bool, BeforeValidator(_said)] = Field(
        default=False, alias="else", json_schema_extra={"type": ["null", "boolean"]}
    )
    """The last way, for everyone else; the key stands alone."""

    @model_validator(mode="after")
    def _one_condition(self) -> Self:
        if (self.condition is None) != self.otherwise:
            fix = "give each way an `if`; the last one may have `else:` instead"
            wrong("a way of `choose` needs either `if` or `else`", fix)
        return self

    def _shown(self) -> str:
        return "this way"


class Variant(Action):
    """One side of a `split`."""

    weight: StrictInt = Field(default=1, ge=1, le=1000, examples=[50])
    """How many of all the weights come this way."""

    def _shown(self) -> str:
        return "this side"


def _ways(ways: tuple[Branch, ...]) -> tuple[Branch, ...]:
    for index, way in enumerate(ways):
        if way.otherwise and index != len(ways) - 1:
            wrong(
                "`else` comes last: what stands after it is never reached", "move it", at=(index,)
            )
    if not ways:
        wrong("`choose` has no ways", "add a line `- if: …` with a message")
    return ways


def _sides(sides: Mapping[str, Variant]) -> Mapping[str, Variant]:
    if len(sides) < 2:
        wrong("`split` needs two sides or more", "add another, or write its message as the step's")
    return sides


class Step(Action):
    """One thing that is done, at its offset from the anchor."""

    kinds: ClassVar[tuple[str, ...]] = (*ACTIONS, "choose", "split")

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [{"required": [kind]} for kind in (*ACTIONS, "choose", "split")]
        }
    )

    id: StepId = Field(examples=["heads_up"])
    """The step's name within the campaign. Who got the step is remembered by it."""
    at: OffsetValue
    """When: `-30d`, `0d`, `+2h`, `now`, counted from the trigger's day or moment."""
    choose: Annotated[tuple[Branch, ...], AfterValidator(_ways)] | None = None
    """Several ways; each customer goes the first whose condition holds, else none."""
    split: Annotated[Mapping[StepId, Variant], AfterValidator(_sides)] | None = None
    """Several sides, by name; chance decides once for each customer, and stays with it."""
    time: ClockTime | None = None
    """Time of day, instead of the default."""
    late: Late | None = None
    """How late this step is still useful, instead of the default."""
    on_doubt: OnDoubt | None = None
    """What becomes of it in doubt, instead of the default."""
    condition: ConditionText | None = Field(
        default=None, alias="if", examples=["visits.last_90d >= 8"]
    )
    """Only for customers of whom this is true when the step is due."""
    wait_for: WaitFor | None = None
    """What is waited for after the message has left."""
    on_timeout: Action | None = None
    """What is done when it has not come in time."""

    @model_validator(mode="after")
    def _waits_for_something(self) -> Self:
        if self.on_timeout is not None and self.wait_for is None:
            fix = "add `wait_for` with an `event` and a `timeout`"
            wrong("`on_timeout` without `wait_for` never happens", fix, at=("on_timeout",))
        if self.wait_for is not None and self.on_timeout is None:
            fix = "add `on_timeout` with what is done then, or leave `wait_for` out"
            wrong("`wait_for` alone has no effect", fix, at=("wait_for",))
        if self.wait_for is not None and not any(act.action.writes for act in self.ways()):
            wrong("`wait_for` waits after a message, and the step sends none", at=("wait_for",))
        return self

    def ways(self) -> Iterator["Act"]:
        """Each thing the step may do at its time; one, unless it forks."""
        if self.choose is not None:
            for number, way in enumerate(self.choose, 1):
                yield Act(self, self.id, "else" if way.otherwise else str(number), way)
        elif self.split is not None:
            for name, side in self.split.items():
                yield Act(self, self.id, name, side)
        else:
            yield Act(self, self.id, "", self)

    def acts(self) -> Iterator["Act"]:
        """Each thing the step may ever do: its ways, and what is done when nothing came."""
        yield from self.ways()
        if self.on_timeout is not None:
            yield Act(self, f"{self.id}.{TIMEOUT}", "", self.on_timeout)

    def _shown(self) -> str:
        return f"step `{self.id}`"


@dataclass(frozen=True)
class Act:
    """One thing a campaign may do for a customer, as its touchpoint is recorded."""

    of: Step
    step: str
    """The touchpoint's step: the step's id, or `<id>.timeout`."""
    variant: str
    """Which way of a fork: a number or `else` of a `choose`, a name of a `split`; else empty."""
    action: Action

    @property
    def name(self) -> str:
        """What people call it: `offer`, `offer.discount`, `recap.1`, `last_day.timeout`."""
        return f"{self.step}.{self.variant}" if self.variant else self.step

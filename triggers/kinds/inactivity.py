"""Trigger `inactivity`: a member stays away, or comes far less than before."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

from pydantic import (
    ConfigDict,
    Field,
    PlainSerializer,
    PlainValidator,
    StrictInt,
    WithJsonSchema,
    model_validator,
)

from triggers.controls import share_text
from triggers.kinds.anchor import Anchor
from triggers.strict_model import StrictModel, wrong

if TYPE_CHECKING:
    from crm_store.occasions import Occasions
    from triggers.look import Look

_NOTICED_FOR = timedelta(days=2)
"""How long after it a drop is still looked for, as after an outage: it is news, not a state."""


def _share(text: object) -> float:
    match = re.fullmatch(r"([0-9]{1,2})%", text) if isinstance(text, str) else None
    if match is None or not int(match[1]):
        wrong(f"`{str(text)[:40]}` is no share of the mean", "write 1% to 99%, such as `50%`")
    return int(match[1]) / 100


_ShareOfMean = Annotated[
    float,
    PlainValidator(_share),
    PlainSerializer(share_text),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,2}%$", "examples": ["50%"]}),
]


class Inactivity(StrictModel):
    """Starts when a member has not been here for some days, or comes far less than they used to.

    `days`: offsets count from the day on which the latest visit is so many days ago. Once for
    each absence: the next visit ends it.

    `below`: the visits of the last 14 days, by the week, are held against the mean of the eight
    weeks before those. The first morning on which they are below this share of it is the day
    that offsets count from. Once for each time they fall below it. With fewer than four visits in
    those eight weeks there is no habit to fall from.
    """

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["days"]}, {"required": ["below"]}]}
    )

    anchor: ClassVar[Anchor] = Anchor.DAY
    listens_to: ClassVar[str | None] = None
    by_event_alone: ClassVar[bool] = False
    about_membership: ClassVar[bool] = False
    segments: ClassVar[tuple[str, ...]] = ()

    type: Literal["inactivity"]
    days: StrictInt | None = Field(default=None, ge=1, le=730, examples=[14])
    """Days without a visit."""
    never: bool = False
    """Also those who never came: for them the days count from the first day of their term."""
    below: _ShareOfMean | None = Field(default=None, examples=["50%"])
    """The share of their own mean, such as `50%`."""

    @model_validator(mode="after")
    def _one_rule(self) -> Self:
        if self.days is None and self.below is None:
            wrong("no inactivity is given", "add `days:`, such as `days: 14`, or `below: 50%`")
        if self.days is not None and self.below is not None:
            fix = "keep one of them, or make two campaigns of it"
            wrong("both `days` and `below` are given", fix, at=("below",))
        if self.never and self.days is None:
            fix = "leave it out: who never came has no mean"
            wrong("`never` has no effect beside `below`", fix, at=("never",))
        return self

    def occasions(self, look: "Look") -> Iterator["Occasions"]:
        """The absences, or the drops, within reach of a step."""
        if self.days is not None:
            yield look.absences(self.days)
            if self.never:
                yield look.never_came(self.days)
        elif self.below is not None:
            first, last = look.days_come()
            day = max(first, look.today - _NOTICED_FOR)
            while day <= last:
                yield look.drops(self.below, day)
                day += timedelta(days=1)

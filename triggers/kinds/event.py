"""Trigger `event`: something that was recorded."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self, TypeAlias, TypeGuard

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    WithJsonSchema,
    model_validator,
)

from crm_store.event_names import DATA_OF
from triggers.kinds.anchor import Anchor
from triggers.names import DataKey, EventName
from triggers.problems import choose_from
from triggers.strict_model import StrictModel, wrong

if TYPE_CHECKING:
    from crm_store.happenings import Sign
    from crm_store.occasions import Occasions
    from triggers.look import Look

Scalar: TypeAlias = bool | int | float | str


def _number(value: object) -> float:
    if not _is_number(value):
        wrong(f"`{str(value)[:40]}` is not a number", "write it without quotes, such as `5000`")
    return value


def _scalar(value: object) -> Scalar:
    if not isinstance(value, bool | int | float | str):
        wrong("this can be no value of an event's data", "write a text, a number, true or false")
    if isinstance(value, str) and "\0" in value:
        wrong("the text holds characters that cannot be seen", "write the text as people see it")
    return value


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


Number = Annotated[float, PlainValidator(_number), WithJsonSchema({"type": "number"})]
ScalarValue = Annotated[
    Scalar,
    PlainValidator(_scalar),
    WithJsonSchema({"type": ["string", "number", "boolean"]}),
]


class Bounds(StrictModel):
    """A number in the data, compared."""

    at_least: Number | None = Field(default=None, examples=[9])
    """This or more."""
    at_most: Number | None = Field(default=None, examples=[6])
    """This or less."""
    more_than: Number | None = Field(default=None, examples=[5000])
    """More than this."""
    less_than: Number | None = Field(default=None, examples=[500])
    """Less than this."""

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.told():
            wrong("no bound is given", "write `at_least: 5`, or a value instead")
        return self

    def told(self) -> list[tuple["Sign", float]]:
        """The comparisons that are asked for."""
        asked: list[tuple[Sign, float | None]] = [
            (">=", self.at_least),
            ("<=", self.at_most),
            (">", self.more_than),
            ("<", self.less_than),
        ]
        return [(sign, number) for sign, number in asked if number is not None]


def _not_empty(values: Sequence[Scalar]) -> Sequence[Scalar]:
    if not values:
        wrong("the list is empty", "write the values of which the data must have one")
    return values


def _shape(wanted: object) -> str:
    """Told apart by its form, so that a mistake in one is told of that one only."""
    if isinstance(wanted, dict | Bounds):
        return "bounds"
    return "values" if isinstance(wanted, list | tuple) else "value"


Wanted = Annotated[
    Annotated[Bounds, Tag("bounds")]
    | Annotated[tuple[ScalarValue, ...], AfterValidator(_not_empty), Tag("values")]
    | Annotated[ScalarValue, Tag("value")],
    Discriminator(_shape),
]
Filter = Mapping[DataKey, Wanted]


def _listed(wanted: Scalar | Sequence[Scalar]) -> Sequence[Scalar]:
    return wanted if isinstance(wanted, tuple) else (wanted,)


class Event(StrictModel):
    """Starts at each event of a name; offsets count from its moment.

    Any event that is recorded, by `sampark event`, a webhook, a form or an import. Each visit is
    a `visit_recorded`, each purchase a `purchase_recorded` with `item` and `amount`. Messages say
    what its data says: `{{ event.amount }}`.
    """

    anchor: ClassVar[Anchor] = Anchor.MOMENT
    by_event_alone: ClassVar[bool] = True
    about_membership: ClassVar[bool] = False
    segments: ClassVar[tuple[str, ...]] = ()

    type: Literal["event"]
    name: EventName
    """The event's name, such as `payment_failed`."""
    where: Filter = Field(
        default_factory=dict, examples=[{"score": {"at_least": 9}}, {"plan": ["annual", "monthly"]}]
    )
    """Only events whose data has these values: a value, a list of which it is one, or bounds of a
    number (`at_least`, `at_most`, `more_than`, `less_than`). A text never equals a number."""

    @property
    def listens_to(self) -> str | None:
        """The event that the intake hands over at once."""
        return self.name

    @model_validator(mode="after")
    def _data_is_there(self) -> Self:
        known = DATA_OF.get(self.name)
        for key, wanted in self.where.items():
            if known is None:
                break
            if key not in known:
                fix = choose_from(key, known, "leave it out; conditions stand in the campaign")
                wrong(f"`{self.name}` has no `{key}`", fix, at=("where", key))
            is_number = isinstance(wanted, Bounds) or all(map(_is_number, _listed(wanted)))
            if is_number is not known[key]:
                fix = "write a number, or bounds of one" if known[key] else "write a text"
                wrong(f"`{key}` of `{self.name}` cannot be that", fix, at=("where", key))
        return self

    def occasions(self, look: "Look") -> Iterator["Occasions"]:
        """The events of this name with this data."""
        equal = {
            key: _listed(wanted)
            for key, wanted in self.where.items()
            if not isinstance(wanted, Bounds)
        }
        bounds = [
            (key, sign, number)
            for key, wanted in self.where.items()
            if isinstance(wanted, Bounds)
            for sign, number in wanted.told()
        ]
        yield look.events(self.name, equal, bounds)

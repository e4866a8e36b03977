"""Trigger `date`: a date of the customer's, or a festival."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from triggers.festivals import festival_days
from triggers.kinds.anchor import Anchor
from triggers.names import DateField, HolidayName, Text
from triggers.strict_model import StrictModel, wrong

if TYPE_CHECKING:
    from crm_store.occasions import Occasions
    from triggers.look import Look

_ONCE_ONLY = ("membership.ends_on", "package.expires_on")
_YEARLY_ONLY = ("customer.birth_date",)


class Date(StrictModel):
    """Starts for a date of the customer's, once or every year, or for everyone at a festival.

    Offsets count from that day. Yearly it starts from the year after the date on, and who has
    29 February keeps it on 28 February in common years; of several terms it is the latest that
    counts. Once it starts for each term and each package, and for each new date of a customer's:
    who is inside when that is moved goes along to it, or as `if_anchor_moves` says.
    """

    model_config = ConfigDict(
        json_schema_extra={"oneOf": [{"required": ["field"]}, {"required": ["holiday", "country"]}]}
    )

    anchor: ClassVar[Anchor] = Anchor.DAY
    listens_to: ClassVar[str | None] = None
    by_event_alone: ClassVar[bool] = False
    about_membership: ClassVar[bool] = False
    segments: ClassVar[tuple[str, ...]] = ()

    type: Literal["date"]
    field: DateField | None = Field(default=None, examples=["customer.joined_on"])
    """The field that holds the date: of the customer, a membership or package, or your own."""
    every: Literal["year"] | None = None
    """`year`: every year on that day. Left out, the date comes once."""
    holiday: HolidayName | None = Field(default=None, examples=["Diwali"])
    """A festival instead of a field, whose day moves each year, as its country writes it."""
    country: Text | None = Field(default=None, examples=["IN"])
    """The country of the festival, ISO 3166-1 alpha-2."""

    @model_validator(mode="after")
    def _one_date(self) -> Self:
        if self.field is not None and self.holiday is not None:
            wrong("both a field and a holiday are given", "keep one of them", at=("holiday",))
        if self.holiday is not None:
            if self.country is None:
                wrong("the holiday has no country", "add `country:`, such as `country: IN`")
            if self.every is not None:
                fix = "leave `every` out: a holiday comes every year"
                wrong("`every` has no effect beside `holiday`", fix, at=("every",))
        elif self.field is None:
            fix = "add `field:`, such as `field: customer.joined_on`, or `holiday:`"
            wrong("no date is given", fix)
        elif self.country is not None:
            wrong("`country` has no effect beside `field`", "leave it out", at=("country",))
        elif self.every and self.field in _ONCE_ONLY:
            fix = "leave `every` out: each comes once"
            wrong(f"`{self.field}` has no anniversaries", fix, at=("every",))
        elif not self.every and self.field in _YEARLY_ONLY:
            fix = "add `every: year`"
            wrong(f"`{self.field}` is long past", fix, at=("field",))
        return self

    def occasions(self, look: "Look") -> Iterator["Occasions"]:
        """The dates, their anniversaries, or the festival's days within reach of a step."""
        if self.field is not None:
            if self.every:
                yield look.anniversaries(self.field, "anniversary")
            else:
                yield look.dates(self.field)
        elif self.holiday is not None and self.country is not None:
            for day in festival_days(self.holiday, self.country, *look.days()):
                yield look.everyone_on(f"holiday:{day.isoformat()}", day)

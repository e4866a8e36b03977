"""Trigger `form`: somebody filled in a form of the club's."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from crm_store.event_names import FORM_SUBMITTED
from triggers.kinds.anchor import Anchor
from triggers.names import FormName
from triggers.strict_model import StrictModel

if TYPE_CHECKING:
    from crm_store.occasions import Occasions
    from triggers.look import Look


class Form(StrictModel):
    """Starts when a form is submitted; offsets count from that moment."""

    anchor: ClassVar[Anchor] = Anchor.MOMENT
    listens_to: ClassVar[str | None] = FORM_SUBMITTED
    by_event_alone: ClassVar[bool] = True
    about_membership: ClassVar[bool] = False
    segments: ClassVar[tuple[str, ...]] = ()

    type: Literal["form"]
    form: FormName = Field(examples=["trial-signup"])
    """The form's name, such as `trial-signup`."""

    def occasions(self, look: "Look") -> Iterator["Occasions"]:
        """The submissions of this form."""
        yield look.events(FORM_SUBMITTED, {"form": [self.form]})

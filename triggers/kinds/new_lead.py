"""Trigger `new_lead`: somebody showed interest."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from crm_store.event_names import LEAD_CREATED
from triggers.kinds.anchor import Anchor
from triggers.names import Text
from triggers.strict_model import StrictModel

if TYPE_CHECKING:
    from crm_store.occasions import Occasions
    from triggers.look import Look


class NewLead(StrictModel):
    """Starts when a lead is created; offsets count from that moment."""

    anchor: ClassVar[Anchor] = Anchor.MOMENT
    listens_to: ClassVar[str | None] = LEAD_CREATED
    by_event_alone: ClassVar[bool] = True
    about_membership: ClassVar[bool] = False
    segments: ClassVar[tuple[str, ...]] = ()

    type: Literal["new_lead"]
    sources: tuple[Text, ...] = Field(default=(), examples=[["website"]])
    """Only leads from these sources; all of them when left out."""

    def occasions(self, look: "Look") -> Iterator["Occasions"]:
        """The `lead_created` events, from one of the sources."""
        data = {"source": self.sources} if self.sources else {}
        yield look.events(LEAD_CREATED, data)

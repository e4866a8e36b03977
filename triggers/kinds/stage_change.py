"""Trigger `stage_change`: a customer moved in a pipeline."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from crm_store.event_names import STAGE_CHANGED
from triggers.kinds.anchor import Anchor
from triggers.names import PipelineName, StageName
from triggers.strict_model import StrictModel

if TYPE_CHECKING:
    from crm_store.occasions import Occasions
    from triggers.look import Look


class StageChange(StrictModel):
    """Starts when a customer reaches a stage of a pipeline; offsets count from that moment."""

    anchor: ClassVar[Anchor] = Anchor.MOMENT
    listens_to: ClassVar[str | None] = STAGE_CHANGED
    by_event_alone: ClassVar[bool] = True
    about_membership: ClassVar[bool] = False
    segments: ClassVar[tuple[str, ...]] = ()

    type: Literal["stage_change"]
    pipeline: PipelineName
    """The pipeline, as club.yaml names it."""
    from_stage: StageName | None = Field(default=None, alias="from")
    """Only when the customer came from this stage; from any when left out."""
    to_stage: StageName = Field(alias="to")
    """The stage that was reached."""

    def occasions(self, look: "Look") -> Iterator["Occasions"]:
        """The `stage_changed` events into this stage."""
        data = {"pipeline": [self.pipeline], "to": [self.to_stage]}
        if self.from_stage is not None:
            data["from"] = [self.from_stage]
        yield look.events(STAGE_CHANGED, data)

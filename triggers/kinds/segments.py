"""Triggers `segment_entered` and `segment_left`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from triggers.kinds.anchor import Anchor
from triggers.names import SegmentName
from triggers.strict_model import StrictModel

if TYPE_CHECKING:
    from crm_store.occasions import Occasions
    from triggers.look import Look


class SegmentEntered(StrictModel):
    """Starts when a customer comes to meet a segment's condition; offsets count from that moment.

    Who met it when the segment was new, or when its condition was changed, has not entered it.
    """

    anchor: ClassVar[Anchor] = Anchor.MOMENT
    listens_to: ClassVar[str | None] = None
    by_event_alone: ClassVar[bool] = False
    about_membership: ClassVar[bool] = False

    type: Literal["segment_entered"]
    segment: SegmentName
    """The segment, as segments.yaml names it."""

    @property
    def segments(self) -> tuple[str, ...]:
        """The segments that have to be counted."""
        return (self.segment,)

    def occasions(self, look: "Look") -> Iterator["Occasions"]:
        """Who entered it."""
        yield look.segment_entered(self.segment)


class SegmentLeft(StrictModel):
    """Starts when a customer no longer meets a segment's condition."""

    anchor: ClassVar[Anchor] = Anchor.MOMENT
    listens_to: ClassVar[str | None] = None
    by_event_alone: ClassVar[bool] = False
    about_membership: ClassVar[bool] = False

    type: Literal["segment_left"]
    segment: SegmentName
    """The segment, as segments.yaml names it."""

    @property
    def segments(self) -> tuple[str, ...]:
        """The segments that have to be counted."""
        return (self.segment,)

    def occasions(self, look: "Look") -> Iterator["Occasions"]:
        """Who left it."""
        yield look.segment_left(self.segment)

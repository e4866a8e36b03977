"""Trigger `schedule`: by the clock, for an audience. The newsletter."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, Field

from triggers.cron import check_cron, moments
from triggers.kinds.anchor import Anchor
from triggers.names import SegmentName
from triggers.strict_model import StrictModel
from triggers.zones import ZoneName

if TYPE_CHECKING:
    from crm_store.occasions import Occasions
    from triggers.look import Look


class Schedule(StrictModel):
    """Starts for everyone in the audience whenever the clock says so.

    Offsets count from that moment. Who became a customer after it waits for the next one. After an
    outage only the latest moment is made up for, and that only while it is still useful: see
    `late`.
    """

    anchor: ClassVar[Anchor] = Anchor.MOMENT
    listens_to: ClassVar[str | None] = None
    by_event_alone: ClassVar[bool] = False
    about_membership: ClassVar[bool] = False

    type: Literal["schedule"]
    cron: Annotated[str, AfterValidator(check_cron)] = Field(examples=["0 10 1 * *"])
    """When, as cron writes it: minute, hour, day of the month, month, day of the week. At most
    once an hour. `0 10 1 * *` is ten in the morning on the first of each month."""
    zone: ZoneName | None = Field(default=None, examples=["Asia/Kolkata"])
    """Whose clock; the club's when left out."""
    audience: SegmentName | None = Field(default=None, examples=["newsletter"])
    """Only who is in this segment; everyone when left out. The campaign's `where` holds too."""

    @property
    def segments(self) -> tuple[str, ...]:
        """The segments that have to be counted."""
        return () if self.audience is None else (self.audience,)

    def occasions(self, look: "Look") -> Iterator["Occasions"]:
        """The audience at the clock's latest moment, while a step is still useful."""
        zone = ZoneInfo(self.zone) if self.zone else look.zone
        for moment in list(moments(self.cron, zone, look.since, look.now))[-1:]:
            occurrence = f"cron:{moment:%Y-%m-%dT%H:%MZ}"
            yield look.everyone_at(occurrence, moment, self.audience)

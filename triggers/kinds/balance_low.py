"""Trigger `balance_low`: a package of sessions runs out."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field, StrictInt

from crm_store.event_names import PACKAGE_CHANGED
from triggers.kinds.anchor import Anchor
from triggers.names import Text
from triggers.strict_model import StrictModel

if TYPE_CHECKING:
    from crm_store.occasions import Occasions
    from triggers.look import Look


class BalanceLow(StrictModel):
    """Starts when few sessions of a package are left; offsets count from that moment.

    Once for each purchase: when the package has been filled up again it can run low again.
    """

    anchor: ClassVar[Anchor] = Anchor.MOMENT
    listens_to: ClassVar[str | None] = PACKAGE_CHANGED
    by_event_alone: ClassVar[bool] = False
    about_membership: ClassVar[bool] = False
    segments: ClassVar[tuple[str, ...]] = ()

    type: Literal["balance_low"]
    at_most: StrictInt = Field(ge=0, examples=[2])
    """So many sessions, or fewer."""
    package: Text | None = Field(default=None, examples=["pt10"])
    """Only this package; any when left out."""

    def occasions(self, look: "Look") -> Iterator["Occasions"]:
        """The packages that are low since a moment within reach of a step."""
        yield look.packages_low(self.at_most, self.package)

"""Trigger `membership_expiring`: a term comes to its end."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from triggers.kinds.anchor import Anchor
from triggers.names import PlanName
from triggers.strict_model import StrictModel

if TYPE_CHECKING:
    from crm_store.occasions import Occasions
    from triggers.look import Look


class MembershipExpiring(StrictModel):
    """Starts for each membership term; offsets count from the last day of the term."""

    anchor: ClassVar[Anchor] = Anchor.DAY
    listens_to: ClassVar[str | None] = None
    by_event_alone: ClassVar[bool] = False
    about_membership: ClassVar[bool] = True
    segments: ClassVar[tuple[str, ...]] = ()

    type: Literal["membership_expiring"]
    plans: tuple[PlanName, ...] = ()
    """Only memberships of these plans; all of them when left out."""

    def occasions(self, look: "Look") -> Iterator["Occasions"]:
        """The terms that end within reach of a step."""
        yield look.terms_ending(self.plans or None)

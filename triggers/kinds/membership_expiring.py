"""Trigger `membership_expiring`: a term comes to its end."""

from collections.abc import Iterator
from typing import ClassVar, Literal

from crm_store.occasions import Occasions, terms_ending
from triggers.kinds.anchor import Anchor
from triggers.look import Look
from triggers.names import PlanName
from triggers.strict_model import StrictModel


class MembershipExpiring(StrictModel):
    """Starts for each membership term; offsets count from the last day of the term."""

    anchor: ClassVar[Anchor] = Anchor.DAY
    listens_to: ClassVar[str | None] = None
    about_membership: ClassVar[bool] = True

    type: Literal["membership_expiring"]
    plans: tuple[PlanName, ...] = ()
    """Only memberships of these plans; all of them when left out."""

    def occasions(self, look: Look) -> Iterator[Occasions]:
        """The terms that end within reach of a step."""
        first, last = look.days()
        yield terms_ending(look.club_id, first, last, self.plans or None)

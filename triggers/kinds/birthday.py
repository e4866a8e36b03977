"""Trigger `birthday`: once a year."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from triggers.kinds.anchor import Anchor
from triggers.strict_model import StrictModel

if TYPE_CHECKING:
    from crm_store.occasions import Occasions
    from triggers.look import Look


class Birthday(StrictModel):
    """Starts once a year for each customer; offsets count from the birthday.

    Who was born on 29 February celebrates on 28 February in common years.
    """

    anchor: ClassVar[Anchor] = Anchor.DAY
    listens_to: ClassVar[str | None] = None
    by_event_alone: ClassVar[bool] = False
    about_membership: ClassVar[bool] = False
    segments: ClassVar[tuple[str, ...]] = ()

    type: Literal["birthday"]

    def occasions(self, look: "Look") -> Iterator["Occasions"]:
        """The birthdays within reach of a step."""
        yield look.anniversaries("customer.birth_date", "birthday")

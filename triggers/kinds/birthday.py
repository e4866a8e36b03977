"""Trigger `birthday`: once a year."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import TYPE_CHECKING, ClassVar, Literal

from triggers.kinds.anchor import Anchor
from triggers.strict_model import StrictModel

if TYPE_CHECKING:
    from crm_store.occasions import Occasions
    from triggers.look import Look


class Birthday(StrictModel):
    """Starts once a year for each customer; offsets count from her birthday.

    Who was born on 29 February celebrates on 28 February in common years.
    """

    anchor: ClassVar[Anchor] = Anchor.DAY
    listens_to: ClassVar[str | None] = None
    about_membership: ClassVar[bool] = False

    type: Literal["birthday"]

    def occasions(self, look: "Look") -> Iterator["Occasions"]:
        """One day's birthdays at a time: each is one look into the index of month and day."""
        day, last = look.days()
        while day <= last:
            yield look.birthdays(day, _kept_on(day))
            day += timedelta(days=1)


def _kept_on(day: date) -> list[int]:
    """The birthdays, as month x 100 + day, that are celebrated on this day."""
    month_day = day.month * 100 + day.day
    is_leap = (day + timedelta(days=1)).day == 29
    return [228, 229] if month_day == 228 and not is_leap else [month_day]

"""What the offsets of a campaign count from."""

from enum import StrEnum


class Anchor(StrEnum):
    """Each kind of trigger has one of these."""

    DAY = "day"
    """A calendar day where the customer is: the end of a membership, a birthday."""
    MOMENT = "moment"
    """An instant: the event that started the campaign."""

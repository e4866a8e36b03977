"""Every kind of trigger, told apart by its `type`."""

from typing import Annotated

from pydantic import Field

from triggers.kinds.balance_low import BalanceLow
from triggers.kinds.birthday import Birthday
from triggers.kinds.date import Date
from triggers.kinds.event import Event
from triggers.kinds.form import Form
from triggers.kinds.inactivity import Inactivity
from triggers.kinds.membership_expiring import MembershipExpiring
from triggers.kinds.new_lead import NewLead
from triggers.kinds.schedule import Schedule
from triggers.kinds.segments import SegmentEntered, SegmentLeft
from triggers.kinds.stage_change import StageChange

Trigger = Annotated[
    NewLead
    | StageChange
    | MembershipExpiring
    | Birthday
    | Date
    | Event
    | Form
    | Inactivity
    | BalanceLow
    | SegmentEntered
    | SegmentLeft
    | Schedule,
    Field(discriminator="type"),
]

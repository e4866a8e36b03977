"""Every kind of trigger, told apart by its `type`.

Each says of itself what others have to know of it: what its offsets count from (`anchor`), the
event of which the intake tells it at once (`listens_to`), whether nothing but that event starts
it (`by_event_alone`: where none has come lately, there is nobody to look for), whether a term of
membership comes with the occasion (`about_membership`), and whose segments have to be counted
(`segments`).
"""

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

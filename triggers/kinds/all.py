"""Every kind of trigger, told apart by its `type`."""

from typing import Annotated

from pydantic import Field

from triggers.kinds.birthday import Birthday
from triggers.kinds.membership_expiring import MembershipExpiring
from triggers.kinds.new_lead import NewLead
from triggers.kinds.stage_change import StageChange

Trigger = Annotated[
    NewLead | StageChange | MembershipExpiring | Birthday, Field(discriminator="type")
]

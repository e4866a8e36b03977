"""What a sound campaign says, and is likely not meant so: always warnings."""

from collections.abc import Iterator

from triggers.definition import CampaignDefinition
from triggers.kinds.birthday import Birthday
from triggers.kinds.date import Date
from triggers.kinds.membership_expiring import MembershipExpiring
from triggers.offsets import Unit
from triggers.problems import Problem
from triggers.steps import Step
from triggers.yaml_builder import Location
from triggers.yaml_source import Source

_DAYS_TO_COME = (Birthday, Date, MembershipExpiring)
"""Triggers with steps before their day as well as after it."""


def slips(definition: CampaignDefinition, source: Source) -> Iterator[Problem]:
    """All that is likely a slip in a campaign without errors."""
    for index, step in enumerate(definition.steps):
        at = ("steps", index)
        yield from _without_a_sign(definition, step, source, (*at, "at"))
        yield from _at_a_closed_hour(definition, step, source, at)


def _without_a_sign(
    definition: CampaignDefinition, step: Step, source: Source, loc: Location
) -> Iterator[Problem]:
    """`30d` is meant as `-30d` by some, where a day before is the usual one."""
    written = source.data["steps"][loc[1]]["at"]
    if step.at.count and written[0].isdigit() and isinstance(definition.trigger, _DAYS_TO_COME):
        message = f"`at: {written}` has no sign: it is after the day that the campaign counts from"
        fix = f"write `-{written}` for before that day, or `+{written}`"
        yield source.warning(loc, message, fix)


def _at_a_closed_hour(
    definition: CampaignDefinition, step: Step, source: Source, at: Location
) -> Iterator[Problem]:
    """A time of day that the campaign itself never lets a message leave at."""
    defaults = definition.defaults
    clock = step.time or defaults.time
    if clock is None or step.at.unit is not Unit.DAYS:
        return
    if not any(act.action.writes for act in step.ways()):
        return
    loc = (*at, "time") if step.time else ("defaults", "time")
    quiet = defaults.quiet_hours
    window = defaults.send_window.hours if defaults.send_window else None
    if quiet and quiet.holds(clock):
        message = (
            f"`{clock:%H:%M}` lies in the quiet hours {quiet}: the message waits for their end"
        )
        yield source.warning(loc, message, "choose a time outside of them")
    elif window and not window.holds(clock):
        message = f"`{clock:%H:%M}` lies outside the send window {window}: the message waits for it"
        yield source.warning(loc, message, "choose a time within it")

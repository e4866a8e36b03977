"""What stands in a campaign and can never happen: steps, ways of a fork, conditions.

An error is what makes a step useless for everyone. What may be meant so is a warning.
"""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from triggers.definition import CampaignDefinition
from triggers.expression import Condition, never, parse_condition
from triggers.kinds.anchor import Anchor
from triggers.offsets import Unit, duration_text
from triggers.open_hours import open_hours
from triggers.problems import Problem
from triggers.steps import Step
from triggers.vocabulary import Vocabulary
from triggers.yaml_builder import Location
from triggers.yaml_source import Source


def unreachable(
    definition: CampaignDefinition, source: Source, vocabulary: Vocabulary
) -> Iterator[Problem]:
    """All that is proved never to happen in a campaign that is sound otherwise."""
    yield from _left_at_once(definition, source)
    for index, step in enumerate(definition.steps):
        at = ("steps", index)
        yield from _before_its_moment(definition, step, source, (*at, "at"))
        yield from _when_nothing_leaves(definition, step, source, at)
        yield from _ways_not_taken(step, source, vocabulary, at)


def never_or_always(
    condition: Condition, source: Source, loc: Location, *, is_way: bool
) -> Iterator[Problem]:
    """A condition that is the same for everyone; `is_way`: it stands at a way of a fork."""
    if never(hold=[condition]):
        fix = "its parts contradict each other: correct them, or take it out"
        yield source.warning(loc, "this condition is never true", fix)
    elif never(hold=[], fail=[condition]):
        fix = "write `else:` instead" if is_way else "leave it out, or correct it"
        yield source.warning(loc, "this condition is always true", fix)


def _left_at_once(definition: CampaignDefinition, source: Source) -> Iterator[Problem]:
    started_by = definition.trigger.listens_to
    if started_by in definition.exit_on:
        loc = ("exit_on", definition.exit_on.index(started_by))
        message = f"`{started_by}` starts the campaign and ends it at once: no step is ever reached"
        yield source.problem(loc, message, "take it out of `exit_on`")


def _before_its_moment(
    definition: CampaignDefinition, step: Step, source: Source, loc: Location
) -> Iterator[Problem]:
    """Nobody is in a campaign before the event that starts it."""
    if definition.trigger.anchor is not Anchor.MOMENT or step.at.count >= 0:
        return
    ago = -timedelta(**{step.at.unit.value: step.at.count})
    late = definition.late_of(step).grace
    # At a time of its own a day before can still be less than 24 hours before.
    if ago - timedelta(days=int(step.at.unit is Unit.DAYS)) > late:
        message = f"step `{step.id}` lies before the event that starts the campaign: it is too late"
        yield source.problem(loc, message, "count from the event on, such as `now` or `+1d`")
    else:
        message = f"step `{step.id}` lies before the event that starts the campaign"
        yield source.warning(loc, message, "write `now` if it is to leave at once")


def _when_nothing_leaves(
    definition: CampaignDefinition, step: Step, source: Source, at: Location
) -> Iterator[Problem]:
    defaults = definition.defaults
    if not any(act.action.writes for act in step.ways()):
        return
    if defaults.quiet_hours is None and defaults.send_window is None:
        return
    counts_days = step.at.unit is Unit.DAYS
    waits = open_hours(defaults).longest_waits(definition.clock_of(step) if counts_days else None)
    grace = definition.late_of(step).grace
    late = [day for day, wait in waits.items() if wait > grace]
    loc = (*at, "time" if step.time else "at")
    needed = max(waits.values())
    if needed == timedelta.max:
        message = f"step `{step.id}` can never leave: no hour is inside the send window"
        message += " and outside the quiet hours" if defaults.quiet_hours else ""
        yield source.problem(loc, message, "widen `send_window`, or shorten `quiet_hours`")
    elif len(late) == len(waits) and counts_days:
        message = f"step `{step.id}` is too late whenever it may leave"
        fix = f"choose another time, or a grace of {duration_text(needed)} and more"
        yield source.problem(loc, message, fix)
    elif late:
        message = f"step `{step.id}` is too late when it is due on {_listed(late)}"
        fix = f"give it a grace of {_rounded_up(needed)}, or more hours in `send_window`"
        yield source.warning(loc, message, fix)


def _ways_not_taken(
    step: Step, source: Source, vocabulary: Vocabulary, at: Location
) -> Iterator[Problem]:
    mine = _parsed([step.condition], vocabulary)
    before: list[Condition] = []
    for number, way in enumerate(step.choose or ()):
        conditions = _parsed([way.condition], vocabulary)
        alone = bool(conditions) and never(hold=conditions)
        if not alone and never(hold=[*mine, *conditions], fail=before):
            what = "else" if way.otherwise else "if"
            loc = (*at, "choose", number, what)
            message = "nobody is left for this way: it is never taken"
            fix = "put the narrower condition first, or take the way out"
            yield source.warning(loc, message, fix)
        before += conditions


def _parsed(texts: Sequence[str | None], vocabulary: Vocabulary) -> list[Condition]:
    return [parse_condition(text, vocabulary.catalogue) for text in texts if text is not None]


def _listed(days: Sequence[str]) -> str:
    return ", ".join(days)


def _rounded_up(wait: timedelta) -> str:
    return f"{-(-wait // timedelta(hours=1))}h"

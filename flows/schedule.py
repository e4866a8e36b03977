"""When each step of an enrollment is due, by its anchor as it stands now."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from crm_store.enrollments import DueEnrollment
from triggers.definition import CampaignDefinition
from triggers.steps import Step
from triggers.timeline import instant, step_due


@dataclass(frozen=True)
class Schedule:
    """An enrollment's own times."""

    anchor_on: date | None
    steps: tuple[tuple[Step, datetime], ...]
    exits_from: datetime
    """An exit event from this moment on ends it."""
    goal_until: datetime | None


class Schedules:
    """The schedules of a version; who has the same day, term and zone has the same schedule."""

    def __init__(self, definition: CampaignDefinition, moved: Mapping[int, date]) -> None:
        """`moved`: by enrollment, the day to which its date was moved."""
        self._definition = definition
        self._moved = moved
        self._known: dict[tuple[date, date | None, str], Schedule] = {}

    def of(self, one: DueEnrollment) -> Schedule:
        """The schedule of an enrollment, with its anchor where it is now."""
        if one.anchor_at is not None:
            return self._made(one, None)
        anchor_on = self.anchor_of(one)
        if anchor_on is None:
            raise ValueError(f"enrollment {one.id} has no anchor")
        key = anchor_on, one.term_starts_on, one.timezone
        if key not in self._known:
            self._known[key] = self._made(one, anchor_on)
        return self._known[key]

    def anchor_of(self, one: DueEnrollment) -> date | None:
        """The day to count from: where the date was moved to, if the campaign follows."""
        if one.anchor_on is None or self._definition.if_anchor_moves == "stay":
            return one.anchor_on
        if self._definition.trigger.type == "membership_expiring" and one.term_ends_on:
            return one.term_ends_on
        return self._moved.get(one.id, one.anchor_on)

    def _made(self, one: DueEnrollment, anchor_on: date | None) -> Schedule:
        zone = ZoneInfo(one.timezone)
        steps = tuple(
            (
                step,
                step_due(
                    step,
                    self._definition,
                    anchor_on=anchor_on,
                    anchor_at=one.anchor_at,
                    zone=zone,
                ),
            )
            for step in self._definition.steps
        )
        first = min(due for _, due in steps)
        return Schedule(
            anchor_on,
            steps,
            _exits_from(one, anchor_on, first, zone),
            self._goal_until(one, anchor_on, zone),
        )

    def _goal_until(
        self, one: DueEnrollment, anchor_on: date | None, zone: ZoneInfo
    ) -> datetime | None:
        """A day counts to its end: fourteen days after the 1st is all of the 15th."""
        goal = self._definition.goal
        if goal is None:
            return None
        if one.anchor_at is not None:
            return one.anchor_at + goal.within
        if anchor_on is None:
            return None
        return instant(anchor_on + timedelta(days=1), time.min, zone) + goal.within


def _exits_from(
    one: DueEnrollment, anchor_on: date | None, first_step: datetime, zone: ZoneInfo
) -> datetime:
    """From when an exit event counts.

    For an event, from its moment. For a day, from the first step's time; for the end of a term
    already from the middle of the term: who renews two months early has renewed this term, who
    renewed last year has not.
    """
    if one.anchor_at is not None:
        return one.anchor_at
    if one.term_starts_on is None or anchor_on is None:
        return first_step
    middle = one.term_starts_on + (anchor_on - one.term_starts_on) / 2
    return min(first_step, instant(middle, time.min, zone))

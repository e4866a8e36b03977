"""A long pause: who waits for its end is looked at every hour, and most hours change nothing."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from crm_store import enrollments, planned
from crm_store.catalogue.values import DaysSince, MembershipDaysLeft, MembershipFrozen, YearsSince
from crm_store.enrollments import LOOK_AGAIN
from crm_store.models.touchpoint import State
from flows.campaigns import RunningCampaign
from flows.engine import Engine
from flows.foresight.next_entry import STORED
from flows.schedule import Schedules
from triggers.timeline import instant

_ALL_DAY = (*STORED, DaysSince, MembershipDaysLeft, MembershipFrozen, YearsSince)
"""Values that are the same from one midnight of the club to the next."""


@dataclass(frozen=True)
class LongPause:
    """Tells of one campaign, with one customer in it, which hourly looks can be left out."""

    engine: Engine
    campaign: RunningCampaign

    def last_look(
        self, due: datetime, happened_at: datetime | None, happens_at: datetime
    ) -> datetime:
        """Of the hourly looks from `due` on, the last before the pause or anything else can end.

        `due` itself where nobody waits for the end of a pause, or it cannot be told. Something
        last happened at `happened_at`, and happens next at `happens_at`.
        """
        definition, pause = self.campaign.current.definition, self.campaign.current.pause_while
        catalogue = self.engine.catalogue
        looked_at = due - LOOK_AGAIN
        if pause is None or (happened_at is not None and happened_at >= looked_at):
            return due
        if any(not isinstance(catalogue[name].value, _ALL_DAY) for name in pause.fields):
            return due
        with self.engine.store.read() as connection:
            inside, _ = enrollments.due(connection, self.engine.club_id, self.campaign.slug, due, 2)
            if len(inside) != 1:
                return due
            (one,) = inside
            made = planned.steps_made(connection, [one.id]).get(one.id, {})
        if any(touch.state is not State.EXPIRED for of_step in made.values() for touch in of_step):
            return due  # it may wait for something else
        zone = self.engine.club_zone
        tomorrow = looked_at.astimezone(zone).date() + timedelta(days=1)
        changes, waits = [happens_at, instant(tomorrow, time.min, zone)], False
        for step, at in Schedules(definition, {}).of(one).steps:
            if step.id in made:
                continue
            too_late = at + definition.late_of(step).grace
            waits = waits or at <= looked_at <= too_late
            changes += [moment for moment in (at, too_late) if moment > looked_at]
        hours = (min(changes) - due) // LOOK_AGAIN
        return due + max(hours, 0) * LOOK_AGAIN if waits else due

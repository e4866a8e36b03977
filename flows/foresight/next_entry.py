"""When a campaign can next let somebody in: a test's clock passes over the days before that.

Nothing is guessed: where it cannot be told, every day is looked at.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from crm_store.catalogue.values import (
    NameOfCustomer,
    OfClub,
    OfCustom,
    OfCustomer,
    OfMembership,
    Tags,
)
from crm_store.foresight import anchors_outside, anything_queued
from flows.admit import look_of
from flows.campaigns import RunningCampaign
from flows.engine import Engine
from flows.rules import segments_used
from triggers.kinds.birthday import Birthday
from triggers.kinds.date import Date
from triggers.kinds.membership_expiring import MembershipExpiring
from triggers.look import Look
from triggers.timeline import instant

_FROM_FACTS = (MembershipExpiring, Birthday, Date)
"""Triggers whose occasions follow from what is stored, as those of an event do; time only brings
them within reach. Absences, balances, segments and schedules ask what day it is."""
STORED = (OfCustomer, NameOfCustomer, Tags, OfCustom, OfClub, OfMembership)
"""Values that stay as they are while time goes on."""
_AHEAD = 120
"""Days that one look covers."""
NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class NextEntry:
    """Tells of one campaign at which midnight it has to be asked, if nothing happens until then.

    None where that cannot be told, `NEVER` where it is not before `until`.
    """

    engine: Engine
    campaign: RunningCampaign
    until: datetime

    def first(self, begins: datetime) -> datetime | None:
        """The first such moment at all, `begins` itself maybe."""
        if not self._can_be_told():
            return None
        return self._first_of([begins, *self._nights(begins)])

    def after(self, now: datetime, *, happened: bool) -> datetime | None:
        """The next one after a look at `now`, or after something `happened` then."""
        if not self._can_be_told():
            return None
        nights = self._nights(now)
        if not happened:
            return self._first_of(nights, refused=self._look(now) if self._is_final() else None)
        # A date that was moved is looked at on the next midnight.
        by_event = self.campaign.current.definition.trigger.by_event_alone
        return self._first_of(nights) if by_event else None

    def _first_of(self, nights: Sequence[datetime], refused: Look | None = None) -> datetime | None:
        if not nights:
            return NEVER
        last = self._look(nights[-1])
        # From the first look's day on; a day too many does no harm.
        span = nights[-1] - nights[0] + timedelta(days=1)
        whole = replace(last, latest=last.latest + span)
        with self.engine.store.read() as connection:
            if anything_queued(connection):
                return None  # it is tried, and given up, at midnight
            found = [
                anchor
                for occasions in self.campaign.current.definition.trigger.occasions(whole)
                for anchor in anchors_outside(connection, self.campaign.slug, occasions)
            ]
        found = [one for one in found if refused is None or not _is_within_reach(one, refused)]
        for look in map(self._look, nights if found else ()):
            if any(_is_within_reach(anchor, look) for anchor in found):
                return look.now
        return NEVER if len(nights) < _AHEAD else nights[-1]

    def _can_be_told(self) -> bool:
        definition = self.campaign.current.definition
        trigger = definition.trigger
        return (
            (trigger.by_event_alone or isinstance(trigger, _FROM_FACTS))
            and not any(segments_used([self.campaign]))
            and not any(act.action.update for act in definition.acts())
        )

    def _is_final(self) -> bool:
        """Whether who is refused once is refused for as long as nothing happens."""
        where, catalogue = self.campaign.current.where, self.engine.catalogue
        is_stored = where is None or all(
            isinstance(catalogue[name].value, STORED) for name in where.fields
        )
        return is_stored and self.campaign.current.definition.reentry == "always"

    def _look(self, now: datetime) -> Look:
        return look_of(self.engine, self.campaign.current.definition, now)

    def _nights(self, now: datetime) -> Sequence[datetime]:
        zone = self.engine.club_zone
        today = now.astimezone(zone).date()
        ahead = (today + timedelta(days=days) for days in range(1, _AHEAD + 1))
        nights = (instant(day, time.min, zone) for day in ahead)
        return [night for night in nights if night <= self.until]


def _is_within_reach(anchor: date | datetime, look: Look) -> bool:
    if isinstance(anchor, datetime):
        return look.since <= anchor <= look.now
    first, last = look.days()
    return first <= anchor <= last

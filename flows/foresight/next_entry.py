"""When a campaign can next let somebody in: a test's clock passes over the days before that.

Nothing is guessed: where it cannot be told, every day is looked at.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

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
from triggers.kinds.event import Event
from triggers.kinds.form import Form
from triggers.kinds.membership_expiring import MembershipExpiring
from triggers.kinds.new_lead import NewLead
from triggers.kinds.stage_change import StageChange
from triggers.look import Look
from triggers.timeline import instant

_FROM_FACTS = (MembershipExpiring, Birthday, Date, Event, Form, NewLead, StageChange)
"""Triggers whose occasions follow from what is stored; time only brings them within reach.
Absences, balances, segments and schedules ask what day it is."""
_STORED = (OfCustomer, NameOfCustomer, Tags, OfCustom, OfClub, OfMembership)
"""Values that stay as they are while time goes on."""
_AHEAD = 120
"""Days that one look covers."""


@dataclass(frozen=True)
class NextEntry:
    """Tells of one campaign when it has to be asked again, if nothing happens until then."""

    engine: Engine
    campaign: RunningCampaign
    until: datetime
    """The last midnight before this is always looked at."""

    def after(self, now: datetime) -> datetime | None:
        """The first midnight at which the campaign may let somebody in whom it does not at `now`.

        Nothing when that cannot be told.
        """
        if not self._can_be_told():
            return None
        nights = list(self._nights(now))
        whole = self._look(nights[-1])
        whole = replace(whole, latest=whole.latest + (nights[-1] - nights[0]))
        with self.engine.store.read() as connection:
            if anything_queued(connection):
                return None  # it is tried, and given up, at midnight
            found = [
                anchor
                for occasions in self.campaign.current.definition.trigger.occasions(whole)
                for anchor in anchors_outside(connection, self.campaign.slug, occasions)
            ]
        if self._stays_refused():
            asked = self._look(now)
            found = [anchor for anchor in found if not _is_within_reach(anchor, asked)]
        for look in map(self._look, nights if found else ()):
            if any(_is_within_reach(anchor, look) for anchor in found):
                return look.now
        return nights[-1]

    def _can_be_told(self) -> bool:
        definition = self.campaign.current.definition
        return (
            isinstance(definition.trigger, _FROM_FACTS)
            and not any(segments_used([self.campaign]))
            and not any(act.action.update for act in definition.acts())
        )

    def _stays_refused(self) -> bool:
        """Whether who is refused once is refused for as long as nothing happens."""
        where, catalogue = self.campaign.current.where, self.engine.catalogue
        is_stored = where is None or all(
            isinstance(catalogue[name].value, _STORED) for name in where.fields
        )
        return is_stored and self.campaign.current.definition.reentry == "always"

    def _look(self, now: datetime) -> Look:
        return look_of(self.engine, self.campaign.current.definition, now)

    def _nights(self, now: datetime) -> Iterator[datetime]:
        zone = self.engine.club_zone
        today = now.astimezone(zone).date()
        for days in range(1, _AHEAD + 1):
            night = instant(today + timedelta(days=days), time.min, zone)
            if days > 1 and night > self.until:
                return
            yield night


def _is_within_reach(anchor: date | datetime, look: Look) -> bool:
    if isinstance(anchor, datetime):
        return look.since <= anchor <= look.now
    first, last = look.days()
    return first <= anchor <= last

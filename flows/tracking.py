"""Counted links at work: an e-mail of a campaign is made ready once, and its links are stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from crm_messaging.club_copy import CLUB
from crm_messaging.compiled import CompiledEmail
from crm_messaging.render import values_for
from crm_messaging.tracking import tracked
from crm_store.catalogue.field import Catalogue
from crm_store.database import Store
from crm_store.tracked_links import keep_links
from flows.clock import Clock

Counted = tuple[CompiledEmail, tuple[int, ...]]
"""An e-mail with counted links, and the ids of the links, in the order of their fields."""


@dataclass(frozen=True)
class Tracker:
    """Counts the links of one club's marketing e-mails."""

    store: Store
    catalogue: Catalogue
    clock: Clock
    own: str
    """How addresses of the club's own public pages begin."""
    utm: Mapping[str, str]
    """Added to each address, with the campaign's name as `utm_campaign` where it is not empty."""
    _ready: dict[tuple[str, CompiledEmail], Counted] = field(default_factory=dict)

    def counted(self, campaign: str, compiled: CompiledEmail, club: Mapping[str, Any]) -> Counted:
        """The e-mail as this campaign sends it. `club` holds the values of the club's fields."""
        key = campaign, compiled
        if key not in self._ready:
            values = values_for(club, compiled.language, self.catalogue)
            utm = {f"utm_{name}": value for name, value in self.utm.items()}
            more = {**utm, "utm_campaign": campaign} if utm else {}
            made = tracked(compiled, values.get(CLUB, {}), more, self.own)
            ids = self.store.transact(keep_links, campaign, made.urls, self.clock())
            self._ready[key] = made.compiled, tuple(ids)
        return self._ready[key]

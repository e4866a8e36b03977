"""The engine: what every step of a run works with, put together once."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from crm_messaging.compose import Sender
from crm_messaging.dlt import DltSettings
from crm_messaging.message import Channel
from crm_messaging.message_links import MessageLinks
from crm_messaging.template_library import TemplateLibrary
from crm_store.catalogue.field import Catalogue
from crm_store.database import Store
from crm_store.scope import MEMBERSHIP, Scope
from crm_store.sending import TopicRule
from flows.clock import Clock
from flows.ledger_mark import LedgerMark
from flows.reading import Reader
from flows.tracking import Tracker
from flows.traffic import Traffic
from triggers.definition import CampaignDefinition
from triggers.segments import Segment


@dataclass(frozen=True)
class Engine:
    """One club's parts at work. `channels` by name; one that is absent keeps its queue waiting."""

    store: Store
    club_id: int
    club_zone: ZoneInfo
    catalogue: Catalogue
    library: TemplateLibrary
    sender: Sender | None
    channels: dict[str, Channel]
    clock: Clock
    mark: LedgerMark | None = None
    """The installation's memory of its ledger; an engine on a scratch store has none."""
    traffic: Traffic = field(default_factory=Traffic)
    patience: timedelta = timedelta(0)
    """How long delivery stays for what a rate limit holds back."""
    ending: asyncio.Event | None = None
    """Set when the process is to end: what is not on the wire by then stays for others."""
    readers: Mapping[str, Reader] = field(default_factory=dict)
    """Who reads what the inbox holds, by source."""

    dlt: DltSettings | None = None
    """What the club has registered for text messages to India."""
    links: MessageLinks | None = None
    """How messages lead back to the club's public pages."""
    segments: Sequence[Segment] = ()
    """The club's sound segments."""
    tracker: Tracker | None = None
    """Counts the links of marketing e-mails; without it they lead where they lead."""
    transactional: frozenset[str] = frozenset()
    """Topics that are no marketing."""
    opt_in: frozenset[str] = frozenset()
    """Channels on which only those are written to who have agreed."""

    address_fields: tuple[tuple[str, str], ...] = ()
    """Messengers whose addresses stand in a custom field, each with the field's key."""

    double_opt_in: frozenset[str] = frozenset()
    """Those of the channels where she has to confirm it by a link."""

    @property
    def is_ending(self) -> bool:
        return self.ending is not None and self.ending.is_set()

    def rule_of(self, definition: CampaignDefinition) -> TopicRule:
        """By which rule a campaign's messages may be sent."""
        topic = definition.topic
        is_transactional = topic in self.transactional
        return TopicRule(topic, is_transactional, self.opt_in, self.address_fields)

    def scope(self, definition: CampaignDefinition, now: datetime) -> Scope:
        """Where a campaign's conditions and templates look: its own membership, if it has one."""
        about_membership = definition.trigger.about_membership
        return Scope.at(now, self.club_zone, membership=MEMBERSHIP if about_membership else None)

"""The project folder: club.yaml, campaigns/ and templates/, read and put together.

The composition root. Everything that a command needs is made here; nothing here imports Prefect.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from crm_messaging.template_library import TemplateLibrary
from crm_store.catalogue.field import Catalogue
from flows.clock import Clock
from flows.reading_settings import read_settings
from flows.rules import Rules, read_rules
from flows.settings import Settings
from triggers.check import CheckedFile, check_campaigns
from triggers.vocabulary import Vocabulary

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from crm_messaging.message_links import MessageLinks
    from crm_messaging.rehearsal.caught import CaughtMail
    from crm_store.database import Store
    from flows.engine import Engine
    from flows.tracking import Tracker


@dataclass(frozen=True)
class Project:
    """A club's folder as it stands on disk. Making one opens no database and no network."""

    folder: Path
    settings: Settings
    catalogue: Catalogue
    library: TemplateLibrary
    rules: Rules

    @property
    def campaigns_folder(self) -> Path:
        return self.folder / "campaigns"

    @property
    def state_folder(self) -> Path:
        """What Sampark keeps for itself: the editor schema, caught mail, Prefect's home."""
        return self.folder / ".sampark"

    @property
    def ledger_memory(self) -> Path:
        """What this installation remembers of its ledger: see `flows.ledger_mark`."""
        return self.state_folder / "ledger.json"

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.settings.club.timezone)

    def caught(self) -> "CaughtMail":
        """What a rehearsal's catchers have caught."""
        from crm_messaging.rehearsal.caught import CaughtMail

        return CaughtMail(self.state_folder / "caught")

    def vocabulary(self) -> Vocabulary:
        """The words that this club's campaigns may use."""
        plain = _vocabulary(self.settings, self.catalogue, self.library)
        return replace(plain, segments=[segment.name for segment in self.rules.segments])

    def read_again(self) -> "Project":
        """With the files beside club.yaml as they are now."""
        return _project(self.folder, self.settings)

    def check(self, named: str | None = None) -> list[CheckedFile]:
        """Check every campaign file, or those of a campaign's name; reads files only."""
        return check_campaigns(self.campaigns_folder, self.vocabulary(), named)


def open_project(folder: Path) -> Project:
    """Read the club in `folder`. Raises `BrokenSettings` when club.yaml cannot be used."""
    return _project(folder, read_settings(folder))


def _project(folder: Path, settings: Settings) -> Project:
    languages, templates = settings.club.languages, folder / "templates"
    catalogue = settings.catalogue()
    plain = _vocabulary(settings, catalogue, TemplateLibrary(templates, catalogue, languages))
    rules = read_rules(folder, plain)
    library = TemplateLibrary(templates, rules.catalogue, languages)
    return Project(folder, settings, rules.catalogue, library, rules)


def _vocabulary(settings: Settings, catalogue: Catalogue, library: TemplateLibrary) -> Vocabulary:
    return Vocabulary(
        catalogue=catalogue,
        plans=frozenset(settings.plans) or None,
        pipelines=settings.pipelines,
        topics=tuple(settings.topics),
        languages=settings.club.languages,
        templates=library,
        message_channels=tuple(settings.channels.messages),
        call_hosts=settings.calls.hosts,
    )


@contextmanager
def open_club(project: Project, clock: Clock) -> Iterator[tuple["Store", int]]:
    """The club's store, its schema up to date, and the club's id in it.

    Raises `NoSecretKey`, and `WrongSecretKey` when the store was used with another.
    """
    # The database library loads here: commands that only read files never wait for it.
    from crm_store.database import open_store, reachable
    from crm_store.key_marks import keep_keys
    from crm_store.schema import upgrade

    keys = project.settings.keys()
    store = open_store(project.settings.database, base=project.folder, keys=keys)
    try:
        with reachable():
            upgrade(store)
            with store.write() as connection:
                keep_keys(connection, keys, clock())
                club_id = keep_facts(project, connection, clock())
        yield store, club_id
    finally:
        store.close()


def links_of(project: Project, return_path: str | None) -> "MessageLinks":
    """How the club's messages lead back to it."""
    from crm_messaging.links import Links
    from crm_messaging.message_links import MessageLinks

    settings = project.settings
    language = settings.club.languages[0]
    return MessageLinks(
        Links(settings.keys()),
        settings.public.url,
        return_path,
        {
            name: f"{settings.club.name}: {topic.shown(name, language)}"
            for name, topic in settings.topics.items()
        },
    )


def _tracker(project: Project, store: "Store", clock: Clock) -> "Tracker | None":
    from flows.tracking import Tracker

    settings = project.settings
    if not settings.tracking.clicks:
        return None
    utm = {str(name): value for name, value in settings.tracking.utm.items()}
    return Tracker(store, project.library.catalogue, clock, settings.public.url, utm)


def keep_facts(project: Project, connection: "Connection", now: datetime) -> int:
    """Write what club.yaml says of the club into a store; the club's id there."""
    from crm_store.clubs import keep_club
    from crm_store.dates import index_custom_dates

    club = project.settings.club
    index_custom_dates(connection, project.settings.custom_dates())
    return keep_club(
        connection,
        code=club.code,
        name=club.name,
        timezone=club.timezone,
        country=club.country,
        language=club.languages[0],
        currency=club.currency,
        website=club.website,
        phone=club.phone,
        address=club.address,
        now=now,
    )


@asynccontextmanager
async def open_engine(project: Project, clock: Clock) -> AsyncIterator["Engine"]:
    """Everything a run works with: the store, and the channels of the club's mode.

    In `mode: rehearsal` the channels lead into the catchers, which are started when no running
    `sampark up` has them open; in `mode: live` they lead to the world.
    """
    # Clients, servers and the engine load here: commands that only read files never wait for them.
    from crm_messaging.channels.calls import CallChannel, RehearsedCalls
    from crm_messaging.channels.opening import open_channels
    from crm_messaging.compose import Sender
    from flows.engine import Engine
    from flows.ledger_mark import open_mark
    from flows.readers import readers_of
    from flows.rehearsal import rehearsal_channels
    from flows.traffic import Traffic

    with open_club(project, clock) as (store, club_id):
        async with rehearsal_channels(project.settings, project.caught()) as ways:
            email, sms = ways.email, ways.sms
            public_url = project.settings.public.url
            opened = open_channels(email, sms, ways.messages, public_url=public_url)
            opened[CallChannel.name] = (
                CallChannel(project.settings.calls, clock)
                if project.settings.mode == "live"
                else RehearsedCalls()
            )
            try:
                yield Engine(
                    store=store,
                    club_id=club_id,
                    club_zone=project.zone,
                    catalogue=project.catalogue,
                    library=project.library,
                    sender=Sender.of(email, project.folder, project.settings.webhooks.named)
                    if email
                    else None,
                    channels=opened,
                    clock=clock,
                    segments=project.rules.segments,
                    links=links_of(project, email.return_path if email else None),
                    tracker=_tracker(project, store, clock),
                    dlt=sms.dlt if sms else None,
                    transactional=project.settings.transactional,
                    opt_in=frozenset(project.settings.consent.opt_in),
                    double_opt_in=project.settings.consent.double,
                    address_fields=project.settings.channels.address_fields,
                    readers=readers_of(project.settings),
                    traffic=Traffic(ways.limits()),
                    mark=open_mark(
                        store,
                        project.ledger_memory,
                        clock(),
                        project.settings.mode,
                    ),
                )
            finally:
                for channel in opened.values():
                    await channel.close()

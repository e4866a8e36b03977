"""The club that all processes of a run share: its folder, its clock, its leads, its engine."""

import mmap
import struct
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

from engines import TEMPLATES
from making import KEYS, NOW, make_club
from sqlalchemy import insert, select

from crm_messaging.channels.opening import open_channels
from crm_messaging.channels.settings import EmailSettings
from crm_messaging.channels.smtp_settings import SmtpSettings
from crm_messaging.compose import Sender
from crm_messaging.template_library import TemplateLibrary
from crm_store.catalogue.standard import catalogue_of
from crm_store.database import Store, open_store
from crm_store.event_names import LEAD_CREATED
from crm_store.models.club import Club
from crm_store.models.customer import Customer
from crm_store.models.event import Event
from crm_store.tables import table_of
from flows.engine import Engine
from flows.ledger_mark import open_mark
from triggers.check import CheckedFile, check_campaigns
from triggers.vocabulary import Vocabulary

CAMPAIGN = """
campaign: leads
name: New leads
topic: news
trigger: {type: new_lead}
defaults: {late: {grace: 60d}}
steps:
  - {id: welcome, at: now, email: note/one}
  - {id: nudge, at: +1h, email: note/two}
"""
RESENT = CAMPAIGN.replace("}\n  - ", ", on_doubt: resend}\n  - ").replace(
    "note/two}", "note/two, on_doubt: resend}"
)
"""The same, and what is in doubt is sent once more."""
STEPS = 2
DOMAIN = "lotus.example"
_lead_number = count(1)


class SharedClock:
    """A clock that moves on by itself and can be turned; a file, so that all processes see it."""

    def __init__(self, file: Path) -> None:
        if not file.exists():
            file.write_bytes(struct.pack("d", NOW.timestamp() - time.monotonic()))
        with file.open("r+b") as opened:
            self._ahead = mmap.mmap(opened.fileno(), 8)

    def __call__(self) -> datetime:
        (ahead,) = struct.unpack("d", self._ahead[:])
        return datetime.fromtimestamp(time.monotonic() + ahead, UTC)

    def turn(self, by: timedelta) -> None:
        """Move every process's time at once, on or back."""
        (ahead,) = struct.unpack("d", self._ahead[:])
        self._ahead[:] = struct.pack("d", ahead + by.total_seconds())


@dataclass(frozen=True)
class Site:
    """Where a run takes place."""

    database: str
    """An URL; the schema is there."""
    folder: Path
    sessions: int = 4

    @property
    def clock(self) -> SharedClock:
        return SharedClock(self.folder / "clock")

    @property
    def is_closed(self) -> bool:
        """Those who stay at work go home."""
        return (self.folder / "closed").exists()

    @property
    def concurrency(self) -> int:
        """Messages that one worker may have on their way at once, as its channel says."""
        return open_channels(_email(self, 1), None)["email"].concurrency


def build_site(database: str, folder: Path, campaign: str = CAMPAIGN) -> Site:
    """A club with templates and one campaign, and nobody in it yet."""
    for path, text in (TEMPLATES | {"../campaigns/leads.yaml": campaign}).items():
        target = folder / "templates" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    store = open_store(database, keys=KEYS)
    make_club(store)
    store.close()
    return Site(database, folder)


def add_leads(site: Site, number: int) -> None:
    """New leads, who want a welcome now and a nudge in an hour."""
    store, now = open_store(site.database, keys=KEYS), site.clock()
    serial = [next(_lead_number) for _ in range(number)]
    with store.write() as connection:
        club_id = connection.execute(select(table_of(Club).c.id)).scalar_one()
        connection.execute(insert(table_of(Customer)), [_lead(n, club_id, now) for n in serial])
        connection.execute(insert(table_of(Event)), [_arrival(n, now) for n in serial])
    store.close()


def _lead(number: int, club_id: int, now: datetime) -> dict[str, object]:
    return {
        "id": number,
        "club_id": club_id,
        "ref": f"L-{number}",
        "first_name": "Asha",
        "last_name": "Verma",
        "email": f"lead{number}@example.org",
        "language": "en",
        "custom": {},
        "created_at": now,
        "updated_at": now,
    }


def _arrival(number: int, now: datetime) -> dict[str, object]:
    return {
        "customer_id": number,
        "name": LEAD_CREATED,
        "data": {},
        "source": "faults",
        "source_id": str(number),
        "occurred_at": now,
        "recorded_at": now,
    }


def open_engine(site: Site, store: Store, port: int) -> tuple[Engine, list[CheckedFile]]:
    """The engine of one worker, whose mail goes to `port`, and the club's campaign files."""
    catalogue = catalogue_of()
    library = TemplateLibrary(site.folder / "templates", catalogue, ["en", "hi"])
    vocabulary = Vocabulary(
        catalogue=catalogue,
        plans=None,
        pipelines={},
        topics=["news"],
        languages=["en", "hi"],
        templates=library,
    )
    with store.read() as connection:
        club_id = connection.execute(select(table_of(Club).c.id)).scalar_one()
    email = _email(site, port)
    engine = Engine(
        store=store,
        club_id=club_id,
        club_zone=ZoneInfo("Asia/Kolkata"),
        catalogue=catalogue,
        library=library,
        sender=Sender.of(email),
        channels=open_channels(email, None),
        clock=site.clock,
        mark=open_mark(store, site.folder / "ledger.json", site.clock()),
    )
    return engine, check_campaigns(site.folder / "campaigns", vocabulary)


def _email(site: Site, port: int) -> EmailSettings:
    smtp = SmtpSettings(host="127.0.0.1", port=port, tls="none", sessions=site.sessions)
    return EmailSettings(from_=f"Lotus Fitness <hello@{DOMAIN}>", smtp=smtp)

"""A whole engine for tests: real store, real channels, real catchers, and a clock one can set."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from textwrap import dedent
from zoneinfo import ZoneInfo

from making import NOW, make_club, rows_of
from sqlalchemy import select

from crm_messaging.channels.opening import open_channels
from crm_messaging.channels.settings import EmailSettings
from crm_messaging.channels.sms_settings import TwilioSettings
from crm_messaging.channels.smtp_settings import SmtpSettings
from crm_messaging.compose import Sender
from crm_messaging.rehearsal.caught import CaughtMail
from crm_messaging.rehearsal.reading import CaughtEmail
from crm_messaging.rehearsal.running import catchers
from crm_messaging.template_library import TemplateLibrary
from crm_store.catalogue.standard import catalogue_of
from crm_store.database import Store
from crm_store.models.touchpoint import Touchpoint
from flows.engine import Engine
from flows.report import SweepReport
from flows.sweep import plan_sweep, sweep
from triggers.check import CheckedFile, check_campaigns
from triggers.vocabulary import Vocabulary

LAYOUT = """
<mjml><mj-body><mj-section><mj-column><mj-text>{{ content }}</mj-text></mj-column></mj-section>
</mj-body></mjml>
"""
TEMPLATES = {
    "layouts/club.mjml": LAYOUT,
    **{
        f"{language}/email/note/{name}.md": (
            f'---\nsubject: "{name} {{{{ customer.first_name or "friend" }}}}"\n---\n{greeting}\n'
        )
        for language, greeting in {"en": "Good day.", "hi": "नमस्ते।"}.items()
        for name in ("one", "two", "three")
    },
    **{
        f"{language}/sms/note/short.txt": "{{ customer.first_name or 'friend' }}, see you."
        for language in ("en", "hi")
    },
}
LEADS = """
campaign: leads
name: Leads
topic: news
trigger: {type: new_lead}
steps:
  - {id: welcome, at: now, email: note/one}
"""
"""The smallest campaign there is: each new lead gets one message."""


@dataclass
class Clock:
    """A clock that stands where it is put."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def on(self, **later: float) -> None:
        """Move on."""
        self.now += timedelta(**later)


@dataclass
class Workshop:
    """A club at work in a test."""

    store: Store
    folder: Path
    engine: Engine
    clock: Clock
    caught: CaughtMail
    vocabulary: Vocabulary
    files: list[CheckedFile] = field(default_factory=list)

    def campaign(self, text: str, name: str = "campaign") -> None:
        """Write a campaign file; it counts from the next sweep on."""
        (self.folder / "campaigns" / f"{name}.yaml").write_text(dedent(text), encoding="utf-8")
        self.files = check_campaigns(self.folder / "campaigns", self.vocabulary)

    def read_templates_anew(self) -> None:
        """As a new process would: a library keeps what it has compiled."""
        library = TemplateLibrary(self.folder / "templates", self.engine.catalogue, ["en", "hi"])
        self.engine = replace(self.engine, library=library)

    async def sweep(self) -> SweepReport:
        """One plain sweep at the clock's time."""
        return await sweep(self.engine, plan_sweep(self.engine, self.files))

    def ledger(self, *columns: str) -> list[tuple[object, ...]]:
        """The touchpoints in the order of their ids."""
        return rows_of(self.store, Touchpoint, *(columns or ("step", "state", "reason")))

    def accepted_ids(self) -> list[str]:
        """The Message-IDs of e-mails that the ledger calls accepted."""
        table = Touchpoint.__table__  # type: ignore[attr-defined]
        query = select(table.c.message_id).where(
            table.c.state == "accepted", table.c.channel == "email"
        )
        with self.store.read() as connection:
            return sorted(connection.execute(query).scalars())

    def caught_ids(self) -> list[str]:
        """The Message-IDs of the e-mails that really arrived."""
        entries = self.caught.newest(channel="email", limit=100_000)
        messages = [self.caught.get(entry.key) for entry in entries]
        return sorted(
            dict(message.headers)["Message-ID"]
            for message in messages
            if isinstance(message, CaughtEmail)
        )


@asynccontextmanager
async def workshop(store: Store, folder: Path, *, sessions: int = 4) -> AsyncIterator[Workshop]:
    """A club with templates and catchers, in a folder of its own."""
    (folder / "campaigns").mkdir(parents=True)
    for path, text in TEMPLATES.items():
        target = folder / "templates" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    catalogue = catalogue_of()
    library = TemplateLibrary(folder / "templates", catalogue, ["en", "hi"])
    vocabulary = Vocabulary(
        catalogue=catalogue,
        plans=frozenset({"annual", "monthly"}),
        pipelines={"sales": ["new", "trial_booked", "won"]},
        topics=["renewals", "news"],
        languages=["en", "hi"],
        templates=library,
    )
    clock = Clock()
    async with catchers(folder / "caught") as ports:
        smtp = SmtpSettings(host="127.0.0.1", port=ports.mail, tls="none", sessions=sessions)
        email = EmailSettings(from_="Lotus Fitness <hello@lotus.example>", smtp=smtp)
        sms = TwilioSettings(
            provider="twilio", from_="LOTUS", account="AC1", base_url=ports.sms_url, token="t"
        )
        channels = open_channels(email, sms)
        engine = Engine(
            store=store,
            club_id=make_club(store),
            club_zone=ZoneInfo("Asia/Kolkata"),
            catalogue=catalogue,
            library=library,
            sender=Sender.of(email),
            channels=channels,
            clock=clock,
        )
        try:
            yield Workshop(store, folder, engine, clock, CaughtMail(folder / "caught"), vocabulary)
        finally:
            for channel in channels.values():
                await channel.close()

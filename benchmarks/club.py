"""A club of any size, made in seconds: its folder, its leads, and their touchpoints.

The folder is a club's as `sampark init` makes one, so that a benchmark runs the very parts that
`sampark sweep` runs. Rows are made by the database itself, a statement a table.
"""

import shutil
import statistics
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from sqlalchemy import (
    JSON,
    ColumnElement,
    String,
    Subquery,
    case,
    cast,
    func,
    insert,
    literal,
    select,
    update,
)

from crm_messaging.message import OutgoingEmail
from crm_store import touchpoints
from crm_store.columns import UtcDateTime
from crm_store.database import Store
from crm_store.event_names import LEAD_CREATED
from crm_store.models.campaign import Enrollment, EnrollmentStatus
from crm_store.models.customer import Customer
from crm_store.models.event import Event
from crm_store.models.touchpoint import State
from crm_store.tables import table_of
from crm_store.touchpoints import TOUCHPOINT
from flows.admit import admit
from flows.campaigns import RunningCampaign, load_campaigns
from flows.clock import wall_clock
from flows.engine import Engine
from flows.prepare import prepare
from flows.project import open_engine, open_project

TEMPLATES = Path(__file__).parent.parent / "templates"
CLUB = """
club: {{name: Lotus Fitness, timezone: Asia/Kolkata, country: IN, languages: [en, hi, ru],
        website: "https://lotus.example", phone: "+912240001000", address: "12 MG Road, Pune"}}
mode: live
database: "{database}"
topics: [leads]
channels:
  email:
    from: Lotus Fitness <hello@lotus.example>
    smtp: {{host: 127.0.0.1, port: {port}, tls: none, sessions: {sessions}}}
"""
SIGNED = """
    dkim: {domain: lotus.example, selector: bench, key_file: dkim.pem}
"""
KEYS: dict[str, Callable[[], RSAPrivateKey | Ed25519PrivateKey]] = {
    "rsa": lambda: generate_private_key(65537, 2048),
    "ed25519": Ed25519PrivateKey.generate,
}
CAMPAIGN = """
campaign: leads
name: New leads
topic: leads
trigger: {type: new_lead}
defaults: {quiet_hours: "SILENCE", cap: {max: 2, per: 7d}}
steps:
  - {id: welcome, at: now, email: lead/welcome}
"""
SHORT_LAYOUT = """
<mjml><mj-body><mj-section><mj-column><mj-text>{{ content }}</mj-text></mj-column></mj-section>
</mj-body></mjml>
"""


def make_club(
    folder: Path,
    *,
    database: str,
    port: int,
    sessions: int,
    short: bool = False,
    dkim: str | None = None,
) -> None:
    """Write the club's folder.

    `short` gives it a plain layout, which makes smaller messages; `dkim` names the kind of key,
    out of `KEYS`, that its messages are signed with.
    """
    shutil.copytree(TEMPLATES, folder / "templates")
    if short:
        (folder / "templates" / "layouts" / "club.mjml").write_text(SHORT_LAYOUT)
    (folder / "campaigns").mkdir()
    (folder / "campaigns" / "leads.yaml").write_text(CAMPAIGN.replace("SILENCE", _silence()))
    settings = CLUB.format(database=database, port=port, sessions=sessions)
    if dkim:
        settings = settings.rstrip() + SIGNED
        pem = KEYS[dkim]().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / "dkim.pem").write_bytes(pem)
    (folder / "club.yaml").write_text(settings)
    (folder / ".env").write_text(f"SAMPARK_SECRET_KEY={'k' * 43}\n")


def _silence() -> str:
    """A minute of the day that no benchmark meets, for the gate to look at."""
    begins = datetime.now(ZoneInfo("Asia/Kolkata")) + timedelta(hours=12)
    return f"{begins:%H:%M}-{begins + timedelta(minutes=1):%H:%M}"


@asynccontextmanager
async def at_work(folder: Path) -> AsyncIterator[tuple[Engine, RunningCampaign]]:
    """The engine of the club in `folder`, put together as for a sweep, and its campaign."""
    project = open_project(folder)
    async with open_engine(project, wall_clock) as engine:
        [campaign], _ = load_campaigns(
            engine.store, project.check(), engine.catalogue, engine.clock()
        )
        yield engine, campaign


async def queued_club(folder: Path, messages: int) -> int:
    """Give the club in `folder` so many messages that are due; returns the mean size in bytes."""
    async with at_work(folder) as (engine, campaign):
        now = engine.clock()
        seed_leads(engine.store, engine.club_id, messages, now)
        admit(engine, campaign)
        queue_everyone(engine.store, campaign, now)
        return mean_size(first_letters(engine, campaign))


async def accepted_by(folder: Path) -> int:
    """Rows of the club in `folder` committed as accepted, with the server's reply in them."""
    async with at_work(folder) as (engine, _):
        with engine.store.read() as connection:
            return connection.execute(
                select(func.count()).where(
                    TOUCHPOINT.c.state == str(State.ACCEPTED), TOUCHPOINT.c.detail.like("250 %")
                )
            ).scalar_one()


def first_letters(engine: Engine, campaign: RunningCampaign) -> list[OutgoingEmail]:
    """The messages that will leave first, in all languages; they go back to the queue."""
    sample = prepare(engine, campaign, limit=30)
    if sample is None:
        raise SystemExit("nothing is due")
    sample.compose(30)
    with engine.store.write() as connection:
        touchpoints.release(connection, sample.token)
    return [one.message for one in sample.outgoing if isinstance(one.message, OutgoingEmail)]


def mean_size(letters: list[OutgoingEmail]) -> int:
    """Bytes a message."""
    return round(statistics.mean(len(bytes(one.letter)) for one in letters))


def seed_leads(store: Store, club_id: int, count: int, now: datetime) -> None:
    """Leads in three languages, each with the event that says so."""
    n = _numbers(count).c.n
    third = n % 3
    word = cast(n, String)
    at = literal(now, UtcDateTime)
    customers = {
        "id": n,
        "club_id": literal(club_id),
        "ref": literal("L-") + word,
        "first_name": case((third == 0, "Asha "), (third == 1, "आशा "), else_="Анна ") + word,
        "last_name": case((third == 0, "Verma"), (third == 1, "वर्मा"), else_="Волкова"),
        "email": literal("lead") + word + literal("@example.org"),
        "language": case((third == 0, "en"), (third == 1, "hi"), else_="ru"),
        "custom": literal({}, JSON),
        "created_at": at,
        "updated_at": at,
    }
    arrivals = {
        "customer_id": n,
        "name": literal(LEAD_CREATED),
        "data": literal({}, JSON),
        "source": literal("bench"),
        "source_id": word,
        "occurred_at": at,
        "recorded_at": at,
    }
    with store.write() as connection:
        for table, columns in ((table_of(Customer), customers), (table_of(Event), arrivals)):
            rows = select(*columns.values())
            connection.execute(insert(table).from_select(list(columns), rows))
    _analyse(store)


def queue_everyone(store: Store, campaign: RunningCampaign, now: datetime) -> None:
    """What `advance` does for everyone admitted, in two statements: for millions of rows."""
    one = table_of(Enrollment)
    at = literal(now, UtcDateTime)
    columns = {
        "enrollment_id": one.c.id,
        "version_id": one.c.version_id,
        "campaign": one.c.campaign,
        "customer_id": one.c.customer_id,
        "occurrence": one.c.occurrence,
        "step": literal("welcome"),
        "variant": literal(""),
        "channel": literal("email"),
        "message_id": _random_id(store),
        "is_marketing": literal(True),
        "state": literal(str(State.QUEUED)),
        "detail": literal(""),
        "due_at": at,
        "expires_at": literal(now + timedelta(hours=36), UtcDateTime),
        "not_before": at,
        "queued_at": at,
        "attempts": literal(0),
        "resends": literal(0),
        "created_at": at,
    }
    entered = select(*columns.values()).where(one.c.campaign == campaign.slug)
    looked_at = {
        "status": str(EnrollmentStatus.COMPLETED),
        "next_at": None,
        "exits_from": one.c.anchor_at,
        "ended_at": now,
    }
    with store.write() as connection:
        connection.execute(insert(TOUCHPOINT).from_select(list(columns), entered))
        connection.execute(update(one).values(looked_at))
    _analyse(store)


def _numbers(count: int) -> Subquery:
    first = select(literal(1).label("n")).cte("numbers", recursive=True)
    every = first.union_all(select(first.c.n + 1).where(first.c.n < count))
    return select(every.c.n).subquery()


def _random_id(store: Store) -> ColumnElement[str]:
    """As random as a real Message-ID: the databases cannot make those themselves."""
    octets = func.hex(func.randomblob(20)) if store.is_sqlite else func.gen_random_uuid()
    return literal("<") + cast(octets, String) + literal("@lotus.example>")


def _analyse(store: Store) -> None:
    """What a database that has been running for a while knows of its tables."""
    with store.write() as connection:
        connection.exec_driver_sql("ANALYZE")

"""From due to accepted: personalised, recorded e-mails against Postfix's `smtp-source`.

Every round makes a fresh club of new leads, and lets one sweep admit, advance, gate, render,
build, hand over and settle them into `smtp-sink`; before and after it `smtp-source` sends as many
messages of the same size into the same sink. Counted is what the ledger calls accepted, checked
against what the sink says it took.

    python benchmarks/end_to_end.py [--messages 20000] [--rounds 5] [--sessions 16]
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import uvloop
from sink import sink, source, taken
from sqlalchemy import insert

from crm_messaging.channels.opening import open_channels
from crm_messaging.channels.settings import EmailSettings
from crm_messaging.channels.smtp_settings import SmtpSettings
from crm_messaging.compose import Sender
from crm_messaging.template_library import TemplateLibrary
from crm_store import touchpoints
from crm_store.catalogue.standard import catalogue_of
from crm_store.clubs import keep_club
from crm_store.database import Store, open_store
from crm_store.events import LEAD_CREATED
from crm_store.models.customer import Customer
from crm_store.models.event import Event
from crm_store.models.touchpoint import State
from crm_store.schema import upgrade
from crm_store.tables import table_of
from flows.admit import admit
from flows.advance import advance
from flows.campaigns import RunningCampaign, load_campaigns
from flows.clock import wall_clock
from flows.deliver import deliver
from flows.engine import Engine
from flows.prepare import prepare
from flows.report import CampaignReport
from triggers.check import check_file
from triggers.vocabulary import Vocabulary

ROOT = Path(__file__).parent.parent
CAMPAIGN = """
campaign: leads
name: New leads
topic: leads
trigger: {type: new_lead}
defaults: {quiet_hours: "04:00-04:01", cap: {max: 2, per: 7d}}
steps:
  - {id: welcome, at: now, email: lead/welcome}
"""
NAMES = {"en": ("Asha", "Verma"), "hi": ("आशा", "वर्मा"), "ru": ("Анна", "Волкова")}


@dataclass(frozen=True)
class Round:
    """What one round measured, in seconds; `size` in bytes a message."""

    admit: float
    advance: float
    deliver: float
    cpu: float
    size: int
    source: float


def main() -> None:
    """Run the rounds and print the medians."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--messages", type=int, default=20_000)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--sessions", type=int, default=16)
    chosen = options.parse_args()
    rounds = []
    for number in range(chosen.rounds):
        with tempfile.TemporaryDirectory() as folder:
            measured = uvloop.run(one_round(Path(folder), chosen.messages, chosen.sessions))
        rounds.append(measured)
        print(_line(f"round {number + 1}", measured, chosen.messages), flush=True)
    shares = [one.source / one.deliver for one in rounds]
    whole = [one.source / (one.admit + one.advance + one.deliver) for one in rounds]
    print(
        f"\nmedian of {len(rounds)}: due to accepted {statistics.median(shares):.2f} x smtp-source"
        f" ({min(shares):.2f} to {max(shares):.2f}); with admission and planning"
        f" {statistics.median(whole):.2f}"
    )


async def one_round(folder: Path, messages: int, sessions: int) -> Round:
    """One club, one sweep, and the reference before and after."""
    log = folder / "sink.log"
    with sink(log) as port:
        store = open_store(f"sqlite:///{folder / 'club.db'}")
        engine, campaign = await _club(store, folder, port, messages, sessions)
        admitting = _timed(lambda: admit(engine, campaign))
        advancing = _timed(lambda: advance(engine, campaign))
        size = _message_size(engine, campaign)
        before = source(port, messages=messages, size=size, sessions=sessions)
        already = taken(log)
        report = CampaignReport("leads")
        started, cpu_before = time.perf_counter(), time.process_time()
        await deliver(engine, campaign, report)
        delivering = time.perf_counter() - started
        cpu = time.process_time() - cpu_before
        arrived = taken(log) - already
        after = source(port, messages=messages, size=size, sessions=sessions)
        for channel in engine.channels.values():
            await channel.close()
        store.close()
    accepted = report.count(State.ACCEPTED)
    if not accepted == arrived == messages:
        raise SystemExit(f"{messages} were due, {accepted} accepted, {arrived} arrived")
    return Round(admitting, advancing, delivering, cpu, size, (before + after) / 2)


async def _club(
    store: Store, folder: Path, port: int, messages: int, sessions: int
) -> tuple[Engine, RunningCampaign]:
    upgrade(store)
    now = datetime.now(UTC)
    catalogue = catalogue_of()
    library = TemplateLibrary(ROOT / "templates", catalogue, ["en", "hi", "ru"])
    with store.write() as connection:
        club_id = keep_club(
            connection,
            code="bench",
            name="Lotus Fitness",
            timezone="Asia/Kolkata",
            country="IN",
            language="en",
            currency="INR",
            website="https://lotus.example",
            phone="+912240001000",
            address="12 MG Road, Pune",
            now=now,
        )
        connection.execute(
            insert(table_of(Customer)), [_lead(n, club_id, now) for n in range(1, messages + 1)]
        )
        connection.execute(
            insert(table_of(Event)), [_arrival(n, now) for n in range(1, messages + 1)]
        )
    file = folder / "leads.yaml"
    file.write_text(CAMPAIGN)
    vocabulary = Vocabulary(catalogue, None, {}, ["leads"], ["en", "hi", "ru"], library)
    [campaign], _ = load_campaigns(store, [check_file(file, vocabulary)], catalogue, now)
    smtp = SmtpSettings(host="127.0.0.1", port=port, tls="none", sessions=sessions)
    email = EmailSettings(from_="Lotus Fitness <hello@lotus.example>", smtp=smtp)
    engine = Engine(
        store=store,
        club_id=club_id,
        club_zone=ZoneInfo("Asia/Kolkata"),
        catalogue=catalogue,
        library=library,
        sender=Sender.of(email),
        channels=open_channels(email, None),
        clock=wall_clock,
    )
    return engine, campaign


def _lead(number: int, club_id: int, now: datetime) -> dict[str, object]:
    language = ("en", "hi", "ru")[number % 3]
    first, last = NAMES[language]
    return {
        "id": number,
        "club_id": club_id,
        "ref": f"L-{number}",
        "first_name": f"{first} {number}",
        "last_name": last,
        "email": f"lead{number}@example.org",
        "language": language,
        "custom": {},
        "created_at": now,
        "updated_at": now,
    }


def _arrival(number: int, now: datetime) -> dict[str, object]:
    return {
        "customer_id": number,
        "name": LEAD_CREATED,
        "data": {"source": "bench"},
        "source": "bench",
        "source_id": str(number),
        "occurred_at": now,
        "recorded_at": now,
    }


def _message_size(engine: Engine, campaign: RunningCampaign) -> int:
    """The mean size of the first messages; they go back to the queue."""
    sample = prepare(engine, campaign, limit=30)
    if sample is None:
        raise SystemExit("nothing is due")
    with engine.store.write() as connection:
        touchpoints.release(connection, sample.token)
    return round(statistics.mean(len(one.message.content) for one in sample.outgoing))


def _timed(work: Callable[[], int]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _line(name: str, one: Round, messages: int) -> str:
    return (
        f"{name}: {one.size} bytes; admit {messages / one.admit:,.0f}/s,"
        f" advance {messages / one.advance:,.0f}/s,"
        f" due to accepted {messages / one.deliver:,.0f}/s, {one.cpu / messages * 1e6:.0f} us CPU each;"
        f" smtp-source {messages / one.source:,.0f}/s; ratio {one.source / one.deliver:.2f}"
    )


if __name__ == "__main__":
    main()

"""Bounces and complaints by mail: from the mailbox into the inbox, and from there to the ledger.

A mail is in the inbox before it is marked in the mailbox, and its digest makes it one there: it
is met at least once, and counts once.
"""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from crm_messaging.bounces.letter import Letter
from crm_messaging.bounces.letterbox import Letterbox, open_letterbox
from crm_messaging.bounces.mail import MAX_READ
from crm_messaging.bounces.reading import read_mail
from crm_messaging.feedback import Feedback, Verdict
from crm_store import bounced, inbox
from crm_store.bounced import Became
from crm_store.database import Store
from crm_store.errors import EnvironmentUnready
from crm_store.inbox import Arrival, Taken
from flows.clock import Clock
from flows.engine import Engine
from flows.feedback import apply_feedback, named_in
from flows.inbox import empty_inbox
from flows.intake import pause
from flows.project import Project
from flows.reading import NotYet, Reader, Reading
from flows.trouble import class_and_place

log = logging.getLogger(__name__)

SOURCE = "mail"
EVERY_S = 120.0
"""How often `up` looks into the mailbox."""
AT_ONCE = 100
"""Letters in one commit."""
MOST = 5_000
"""Letters in one pass over the mailbox."""


@dataclass(frozen=True)
class ReadMail:
    """A mail that was looked at, and the facts in it; none when it is no report."""

    source_id: str
    facts: tuple[Feedback, ...]


def read_letter(raw: bytes) -> ReadMail:
    """What a mail says. One that cannot be read says nothing; it is told in the log."""
    source_id = sha256(raw).hexdigest()[:40]
    try:
        return ReadMail(source_id, read_mail(raw))
    except Exception as error:
        # It is the mails of strangers that come here: one of them must not stop the others.
        log.warning("the mail %s was not understood: %s", source_id, class_and_place(error))
        return ReadMail(source_id, ())


def keep(store: Store, club_id: int, raws: Sequence[bytes], clock: Clock) -> list[ReadMail]:
    """Put those of the mails that are reports into the inbox, with one commit."""
    raws = [raw[:MAX_READ] for raw in raws]
    mails = [read_letter(raw) for raw in raws]
    arrivals = [
        Arrival(SOURCE, mail.source_id, raw, {})
        for mail, raw in zip(mails, raws, strict=True)
        if mail.facts
    ]
    store.transact(inbox.receive_all, club_id, arrivals, clock())
    return mails


def collect(store: Store, club_id: int, box: Letterbox, clock: Clock) -> list[ReadMail]:
    """Take the letters of a mailbox into the inbox; at most `MOST` of them."""
    collected: dict[str, ReadMail] = {}
    while len(collected) < MOST:
        letters = [one for one in box.waiting(AT_ONCE) if one.name not in collected]
        if not letters:
            break  # or the mailbox does not keep our marks
        mails = keep(store, club_id, [one.raw for one in letters], clock)
        # Only now: what has not been committed must be found again.
        box.mark(_names(letters, mails, reports=True), _names(letters, mails, reports=False))
        collected.update({one.name: mail for one, mail in zip(letters, mails, strict=True)})
    return list(collected.values())


def _names(letters: Iterable[Letter], mails: Iterable[ReadMail], *, reports: bool) -> list[str]:
    return [
        letter.name
        for letter, mail in zip(letters, mails, strict=True)
        if bool(mail.facts) is reports
    ]


def collect_from_mailbox(project: Project, engine: Engine) -> list[ReadMail]:
    """The same with the mailbox of the settings. Nothing without one, or in a rehearsal: then its
    mails are about messages that another installation has sent.

    Raises `EnvironmentUnready`.
    """
    settings = project.settings.bounces
    if settings is None or project.settings.mode != "live":
        return []
    with open_letterbox(settings, project.folder) as box:
        return collect(engine.store, engine.club_id, box, engine.clock)


async def try_mailbox(project: Project, engine: Engine) -> None:
    """Look into the mailbox; when it is away that is told in the log, and nothing waits for it."""
    try:
        await asyncio.to_thread(collect_from_mailbox, project, engine)
    except EnvironmentUnready as error:
        log.warning("bounces were not read: %s", error)
    except Exception as error:
        log.warning("bounces were not read: %s", class_and_place(error))


async def watch_mailbox(project: Project, engine: Engine, stop: asyncio.Event) -> None:
    """Look into the mailbox every two minutes until `stop` is set."""
    while project.settings.bounces is not None and not stop.is_set():
        await try_mailbox(project, engine)
        await pause(stop, EVERY_S)


async def take_in(engine: Engine, mails: Sequence[ReadMail]) -> list[Became]:
    """Have the inbox read; what became of the facts in these mails."""
    await empty_inbox(engine)
    prefixes = [f"{SOURCE}:{mail.source_id}:" for mail in mails if mail.facts]
    with engine.store.read() as connection:
        return bounced.what_became(connection, engine.club_id, SOURCE, prefixes)


def _apply(reading: Reading, message: Taken) -> NotYet | None:
    facts = [_believed(reading, message, fact) for fact in read_mail(message.body)]
    return apply_feedback(reading, message, [one for one in facts if one is not None])


READER = Reader(_apply)
"""Reads a mail that is in the inbox."""


def _believed(reading: Reading, message: Taken, fact: Feedback) -> Feedback | None:
    """As much of a fact as a mail is believed: anybody can write one.

    An address is given up only when the mail names a message of ours, by the return path or the
    Message-ID, and the bounce names the address that she has at present. Who complains or wants
    no more may do so from a mailbox to which hers is forwarded: it is her copy all the same.
    """
    if fact.verdict not in (Verdict.HARD_BOUNCE, Verdict.COMPLAINT, Verdict.UNSUBSCRIBED):
        return fact
    found, address = named_in(reading, message, fact)
    match fact.verdict:
        case Verdict.HARD_BOUNCE:
            hers = found and bounced.has_email(reading.connection, found.customer_id, address)
            return fact if hers else replace(fact, verdict=Verdict.SOFT_BOUNCE)
        case Verdict.COMPLAINT if not found:
            return None
        case _:
            return replace(fact, recipient=None) if found else fact

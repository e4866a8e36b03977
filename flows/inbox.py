"""The inbox at work: stored messages are read one by one, and a bad one harms no other."""

import asyncio
import logging
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

from crm_store import inbox
from crm_store.inbox import Taken
from crm_store.locks import Lock, hold
from flows.engine import Engine
from flows.feedback import SOON, apply_together
from flows.reading import MOST_ATTEMPTS, PAUSES, NotYet, Reading, Unreadable
from flows.trouble import class_and_place

log = logging.getLogger(__name__)

AT_ONCE = 100
"""Messages in one transaction: on SQLite the doors wait so long for their own commits."""


@dataclass
class InboxReport:
    """What one pass over the inbox came to."""

    read: Counter[str] = field(default_factory=Counter)
    """By source."""
    failed: dict[int, str] = field(default_factory=dict)
    """By message: why it cannot be used."""
    later: dict[int, timedelta] = field(default_factory=dict)
    """By message: the pause until it is tried again."""


async def handle_inbox(engine: Engine, *, limit: int = AT_ONCE) -> InboxReport | None:
    """Read what waits, oldest first; `None` when nothing does.

    What a pass was reading when it died is taken again by a later one.
    """
    taken = await asyncio.to_thread(_take, engine, limit)
    if not taken:
        return None
    report = InboxReport()
    asked = await asyncio.gather(*(_asked(engine, one, report) for one in taken))
    try:
        await asyncio.to_thread(_apply, engine, [one for one in asked if one], report)
    except OperationalError:
        # The store is busy or away; if it cannot even take this, they come back by themselves.
        with suppress(OperationalError):
            await asyncio.to_thread(_give_back, engine, taken)
        raise
    for one in taken:
        if why := report.failed.get(one.id):
            log.warning("inbound message %d (%s) was not used: %s", one.id, one.source, why)
    return report


async def empty_inbox(engine: Engine, *, passes: int = 1000) -> None:
    """Read all that waits, for a sweep; `passes` bounds what arrives meanwhile."""
    for _ in range(passes):
        if await handle_inbox(engine) is None:
            break
    engine.store.transact(inbox.forget, engine.clock())


def _take(engine: Engine, limit: int) -> list[Taken]:
    now = engine.clock()
    with engine.store.read() as connection:
        if not inbox.has_waiting(connection, engine.club_id, now):
            return []
    with engine.store.write() as connection:
        return inbox.take(connection, engine.club_id, limit=limit, now=now)


async def _asked(engine: Engine, message: Taken, report: InboxReport) -> Taken | None:
    """The message with what the world had to be asked for; `None` when that did not succeed."""
    reader = engine.readers.get(message.source)
    if reader is None:
        report.failed[message.id] = f"Nothing reads messages of `{message.source}`."
    elif message.attempts > MOST_ATTEMPTS:
        report.failed[message.id] = "Whoever read it died of it, time after time."
    elif reader.ask is None:
        return message
    else:
        try:
            return await reader.ask(engine, message)
        except httpx.TransportError as error:
            _note(report, message, NotYet(f"Nobody answered: {type(error).__name__}."))
        except Exception as error:
            _note(report, message, error)
    return None


def _give_back(engine: Engine, messages: list[Taken]) -> None:
    with engine.store.write() as connection:
        inbox.give_back(connection, [one.id for one in messages], engine.clock() + SOON)


def _apply(engine: Engine, messages: list[Taken], report: InboxReport) -> None:
    failed, later, now = report.failed, report.later, engine.clock()

    def apply(connection: Connection) -> list[int]:
        report.failed, report.later = dict(failed), dict(later)  # it may be the second time
        reading = Reading(connection, engine, now)
        told = [one for one in messages if engine.readers[one.source].facts]
        if len(told) < len(messages):
            # The others may end a permission when touchpoints are held already.
            hold(connection, Lock.PERMISSION)
        done = _together(reading, told, report)
        settled = {*done, *report.failed, *report.later}
        done += _one_by_one(reading, [one for one in messages if one.id not in settled], report)
        inbox.settle(connection, done, now)
        inbox.fail(connection, report.failed, now)
        for message_id, pause in report.later.items():
            inbox.put_back(connection, [message_id], now + pause)
        return done

    sources = {one.id: one.source for one in messages}
    report.read.update(sources[one] for one in engine.store.transact(apply))


def _together(reading: Reading, messages: list[Taken], report: InboxReport) -> list[int]:
    """Apply what messages say of messages that have left; the ids of those that are done.

    Where one of them is so odd that the store refuses it, none is: they are left for
    `_one_by_one`, which finds it.
    """
    said = []
    for message in messages:
        facts = reading.engine.readers[message.source].facts
        try:
            said.append((message, facts(message) if facts else ()))
        except Exception as error:
            _note(report, message, error)
    try:
        with reading.connection.begin_nested():
            not_yet = apply_together(reading, said)
    except OperationalError:
        raise  # it is the store that fails, not a message
    except Exception as error:
        log.warning("messages are read one by one, after: %s", class_and_place(error))
        return []
    for message, _ in said:
        if message.id in not_yet:
            _note(report, message, not_yet[message.id])
    return [message.id for message, _ in said if message.id not in not_yet]


def _one_by_one(reading: Reading, messages: list[Taken], report: InboxReport) -> list[int]:
    done = []
    for message in messages:
        try:
            with reading.connection.begin_nested():
                not_yet = reading.engine.readers[message.source].apply(reading, message)
        except OperationalError:
            raise
        except Exception as error:
            _note(report, message, error)
        else:
            if not_yet is None:
                done.append(message.id)
            else:
                _note(report, message, not_yet)
    return done


def _note(report: InboxReport, message: Taken, error: Exception) -> None:
    """A message did not succeed: for good, or for now."""
    match error:
        case Unreadable():
            report.failed[message.id] = str(error)
        case NotYet() if message.attempts < MOST_ATTEMPTS:
            report.later[message.id] = error.after or PAUSES[message.attempts - 1]
        case NotYet():
            report.failed[message.id] = f"{error.reason} It was tried {message.attempts} times."
        case _:
            report.failed[message.id] = f"It could not be read: {class_and_place(error)}."

"""What customers write back: an opt-out holds before the gateway hears that we have it.

The text itself is read from the inbox a moment later, and becomes an event of hers.
"""

import json
from datetime import datetime

from sqlalchemy import Connection

from crm_messaging.incoming import IncomingText, numbers_of
from crm_messaging.reply_words import Wish
from crm_store import customers, inbox
from crm_store.consents import Proof, opt_out, take_back_opt_out
from crm_store.event_names import SMS_RECEIVED
from crm_store.events import record
from crm_store.inbox import Arrival, Taken
from crm_store.locks import Lock, hold
from crm_store.models.consent import Cause, Reach
from crm_store.suppressions import suppress, suppressions
from flows.reading import Reader, Reading

SOURCE = "text_reply"
_MOST_KEPT = 1600
"""Characters of a text: ten segments."""


def hear(
    connection: Connection,
    club_id: int,
    gateway: str,
    incoming: IncomingText,
    country: str,
    now: datetime,
) -> Wish | None:
    """Keep a text message that came in, and let a wish in it hold from this commit on.

    Returns the wish if it is news: only then is it answered, so that she is told once. The same
    message again, or the same wish, is none.
    """
    wish, numbers = incoming.wish, numbers_of(incoming.sender, country)
    said = {"numbers": numbers, "text": incoming.text[:_MOST_KEPT], "wish": wish}
    arrival = Arrival(
        SOURCE, f"{gateway}:{incoming.source_id[:200]}", json.dumps(said).encode(), {}
    )
    if not inbox.receive(connection, club_id, arrival, now):
        return None
    proof = Proof(SOURCE, f"She wrote: {incoming.text[:200]}")
    news = False
    match wish:
        case Wish.STOP:
            for number in numbers:
                news |= _stop(connection, incoming.channel, number, proof, now)
        case Wish.START:
            for number in numbers:
                news |= take_back_opt_out(connection, incoming.channel, proof, now, address=number)
        case Wish.HELP:
            news = True
    return wish if news else None


def _stop(connection: Connection, channel: str, number: str, proof: Proof, now: datetime) -> bool:
    """Nothing reaches the number on the channel any more, of whatever topic; whether it did."""
    hold(connection, Lock.PERMISSION)
    known = suppressions(connection, [(channel, number)])
    opt_out(connection, channel, proof, now, address=number)
    suppress(
        connection,
        [(channel, number)],
        cause=Cause.OPT_OUT,
        source=proof.source,
        now=now,
        reach=Reach.EVERYTHING,
    )
    return not any(found.reach == Reach.EVERYTHING for found in known.values())


def _note(reading: Reading, message: Taken) -> None:
    """Make the text an event of everyone who has the number."""
    said = json.loads(message.body)
    numbers = said.pop("numbers")
    found = customers.find_customers(reading.connection, reading.engine.club_id, "phone", numbers)
    for customer_id in {one for ids in found.values() for one in ids}:
        record(
            reading.connection,
            customer_id=customer_id,
            name=SMS_RECEIVED,
            data={name: value for name, value in said.items() if value},
            source=SOURCE,
            source_id=f"{message.source_id}:{customer_id}",
            occurred_at=message.received_at,
            now=reading.now,
        )


READER = Reader(_note)

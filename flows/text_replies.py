"""What customers write back: an opt-out holds before the gateway hears that we have it.

The text itself is read from the inbox a moment later, and becomes an event of hers.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from uuid import uuid4

from sqlalchemy import Connection

from crm_messaging.channels.wording import without_addresses
from crm_messaging.incoming import IncomingText
from crm_messaging.reply_words import Wish
from crm_store import customers, inbox
from crm_store.consents import Proof, opt_out, take_back_opt_out
from crm_store.event_names import SMS_RECEIVED
from crm_store.events import record
from crm_store.inbox import Arrival, Taken
from crm_store.locks import Lock, hold
from crm_store.models.consent import Reach
from crm_store.storable import short, storable
from crm_store.suppressions import suppressions
from flows.reading import Reader, Reading

SOURCE = "text_reply"
_MOST_KEPT = 1600
"""Characters of a text: ten segments."""
_LONGEST_ID = 200


@dataclass(frozen=True)
class Author:
    """Who wrote, as far as the gateway says."""

    addresses: Sequence[str]
    """Those that it can be, on the channel that it came through."""
    custom_field: str | None = None
    """Where the store has such addresses, if they are no phone numbers."""


def hear(
    connection: Connection,
    club_id: int,
    gateway: str,
    incoming: IncomingText,
    author: Author,
    now: datetime,
) -> Wish | None:
    """Keep a text message that came in, and let a wish in it hold from this commit on.

    Returns the wish if it is news: only then is it answered, so that she is told once. The same
    message again, or the same wish, is none.
    """
    wish, channel = incoming.wish, incoming.channel
    said = {
        **asdict(author),
        **{"channel": channel, "text": incoming.text[:_MOST_KEPT], "wish": wish},
    }
    source_id = f"{gateway}:{storable(short(incoming.source_id or uuid4().hex, _LONGEST_ID))}"
    arrival = Arrival(SOURCE, source_id, json.dumps(said).encode(), {})
    if not inbox.receive(connection, club_id, arrival, now):
        return None
    proof = Proof(SOURCE, f"She wrote: {without_addresses(incoming.text)}")
    # Who has a phone number is found by it, in every club of the store.
    whose = _whose(connection, club_id, author) if wish and author.custom_field else []
    news = [wish is Wish.HELP]
    for address in author.addresses:
        if wish is Wish.STOP:
            news.append(_stop(connection, channel, address, whose, proof, now))
        elif wish is Wish.START:
            news.append(
                take_back_opt_out(
                    connection, channel, proof, now, address=address, customer_ids=whose
                )
            )
    return wish if any(news) else None


def _stop(
    connection: Connection,
    channel: str,
    address: str,
    whose: Sequence[int],
    proof: Proof,
    now: datetime,
) -> bool:
    """Nothing reaches the address on the channel any more, of whatever topic; whether it did."""
    hold(connection, Lock.PERMISSION)
    known = suppressions(connection, [(channel, address)])
    ids: Sequence[int | None] = whose or (None,)
    for one in ids:
        opt_out(
            connection,
            channel,
            proof,
            now,
            address=address,
            customer_id=one,
            reach=Reach.EVERYTHING,
        )
    return not any(found.reach == Reach.EVERYTHING for found in known.values())


def _whose(connection: Connection, club_id: int, author: Author) -> list[int]:
    return customers.find_by_address(connection, club_id, author.addresses, author.custom_field)


def _note(reading: Reading, message: Taken) -> None:
    """Make the text an event of everyone who has the address."""
    said = json.loads(message.body)
    author = Author(said.pop("addresses"), said.pop("custom_field"))
    for customer_id in _whose(reading.connection, reading.engine.club_id, author):
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

"""What a row says of being written to. A file may take permission away, never give it back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from crm_store.imports.aliases import PERMISSION
from crm_store.imports.batch import SOURCE
from crm_store.imports.cells import read_yes_no
from crm_store.imports.columns import Column
from crm_store.inserting import insert_into
from crm_store.locks import Lock, hold
from crm_store.models.consent import ANY_TOPIC, Cause, Consent
from crm_store.suppressions import suppress
from crm_store.tables import table_of

_CONSENT = table_of(Consent)

ADDRESS_OF = {"email": "email", "sms": "phone"}
"""Each channel that a file can speak of, and the customer's address on it."""

COLUMNS = tuple(Column(name, read_yes_no, aliases) for name, aliases in PERMISSION.items())


@dataclass(frozen=True)
class Answer:
    """A customer's answer for a whole channel, and the file and line that say so."""

    channel: str
    granted: bool
    proof: str


def answers(values: Mapping[str, Any], proof: str) -> list[Answer]:
    """What a row says; where it says both, the opt-out counts."""
    said = []
    for channel in ADDRESS_OF:
        if values.get(f"{channel}_opt_out") or values.get("do_not_contact"):
            said.append(Answer(channel, False, proof))
        elif (consent := values.get(f"{channel}_consent")) is not None:
            said.append(Answer(channel, consent, proof))
    return said


def closed_addresses(values: Mapping[str, Any], known: Mapping[str, Any]) -> set[tuple[str, str]]:
    """(channel, address) of someone who is not to be contacted at all, old and new."""
    if not values.get("do_not_contact"):
        return set()
    return {
        (channel, row[column])
        for channel, column in ADDRESS_OF.items()
        for row in (values, known)
        if row.get(column)
    }


def stored_answers(
    connection: Connection, customer_ids: Iterable[int]
) -> dict[tuple[int | None, str], bool]:
    """(customer, channel) → what she said so far of the whole channel."""
    rows = connection.execute(
        select(_CONSENT.c.customer_id, _CONSENT.c.channel, _CONSENT.c.granted).where(
            _CONSENT.c.customer_id.in_(list(customer_ids)), _CONSENT.c.topic == ANY_TOPIC
        )
    )
    return {(row.customer_id, row.channel): row.granted for row in rows}


def is_news(answer: Answer, stored: bool | None) -> bool:
    """Whether to write it down: a stored refusal stands, whatever a file says."""
    return stored is None or (stored and not answer.granted)


def write_answers(
    connection: Connection, given: Iterable[tuple[int, Answer]], now: datetime
) -> None:
    """Write (customer, answer) pairs down."""
    rows = [
        {
            "customer_id": customer_id,
            "channel": answer.channel,
            "topic": ANY_TOPIC,
            "granted": answer.granted,
            "source": SOURCE,
            "proof": answer.proof,
            "given_at": now,
        }
        for customer_id, answer in given
    ]
    if not rows:
        return
    hold(connection, Lock.PERMISSION)
    statement = insert_into(connection, _CONSENT)
    new = statement.excluded
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["customer_id", "channel", "topic"],
            set_={name: new[name] for name in ("granted", "source", "proof", "given_at")},
            where=new.granted.is_(False),
        ),
        rows,
    )


def close_addresses(
    connection: Connection, addresses: Iterable[tuple[str, str]], now: datetime
) -> None:
    """Suppress (channel, address) pairs for everyone."""
    suppress(connection, addresses, cause=Cause.OPT_OUT, source=SOURCE, now=now)

"""What a row says of being written to. A file may take permission away, never give it back."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select

from crm_store.consents import ADDRESS_COLUMN, Proof, Said, keep_answers
from crm_store.imports.aliases import PERMISSION
from crm_store.imports.batch import SOURCE, Incoming
from crm_store.imports.cells import read_yes_no
from crm_store.imports.columns import Column
from crm_store.models.consent import ANY_TOPIC, Cause, Consent
from crm_store.suppressions import suppress
from crm_store.tables import table_of

_CONSENT = table_of(Consent)

COLUMNS = tuple(Column(name, read_yes_no, aliases) for name, aliases in PERMISSION.items())


@dataclass(frozen=True)
class Answer:
    """A customer's answer for a whole channel, and the file and line that say so."""

    channel: str
    granted: bool
    proof: str


def says_of_permission(row: Incoming) -> bool:
    """Whether something may have to be written down: an opt-out column that says no does not."""
    return bool(answers(row.values, proof=""))


def answers(values: Mapping[str, Any], proof: str) -> list[Answer]:
    """What a row says; where it says both, the opt-out counts."""
    said = []
    for channel in ADDRESS_COLUMN:
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
        for channel, column in ADDRESS_COLUMN.items()
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
    said = [
        Said(customer_id, answer.channel, ANY_TOPIC, answer.granted, Proof(SOURCE, answer.proof))
        for customer_id, answer in given
    ]
    keep_answers(connection, said, now, refusals_stand=True)


def close_addresses(
    connection: Connection, addresses: Iterable[tuple[str, str]], now: datetime
) -> None:
    """Suppress (channel, address) pairs for everyone."""
    suppress(connection, addresses, cause=Cause.OPT_OUT, source=SOURCE, now=now)

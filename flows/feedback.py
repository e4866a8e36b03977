"""Feedback, whoever tells it, as the ledger takes it: what each verdict means there."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache

from sqlalchemy import Connection

from crm_messaging.feedback import Feedback, Verdict
from crm_messaging.links import BadToken, Links
from crm_store import event_names as names
from crm_store import feedback as ledger
from crm_store import feedback_targets as targets
from crm_store.addresses import AddressError, normalise_email, normalise_phone
from crm_store.clubs import country_of
from crm_store.database import keys_of
from crm_store.feedback_targets import Found, Several, Told
from crm_store.inbox import Taken
from crm_store.keys import KeyRing
from crm_store.locks import Lock, hold
from crm_store.models.consent import Cause
from crm_store.models.touchpoint import State
from crm_store.reasons import Reason
from flows.reading import MOST_ATTEMPTS, NotYet, Reading

SOON = timedelta(seconds=5)
"""When a fact is looked at again whose touchpoint another transaction holds."""

_LONG_AGO = timedelta(days=30 * 365)
_PLAIN_ADDRESS = re.compile(r"[a-z0-9._+-]{1,64}@[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,24}")
_PLAIN_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")


@dataclass(frozen=True)
class Meaning:
    """What a verdict is to the ledger."""

    email: str
    """The event's name for an e-mail; empty for a verdict that no e-mail can have."""
    sms: str
    """The same for a text message."""
    moves_to: tuple[State, Reason | None] | None = None
    cause: Cause | None = None
    """Why the address is not to be written to any more."""


def _bounced(reason: Reason, cause: Cause | None = None) -> Meaning:
    return Meaning(names.EMAIL_BOUNCED, names.SMS_FAILED, (State.BOUNCED, reason), cause)


_ARRIVED = (State.DELIVERED, None)

MEANINGS: Mapping[Verdict, Meaning] = {
    Verdict.DELIVERED: Meaning(names.EMAIL_DELIVERED, names.SMS_DELIVERED, _ARRIVED),
    Verdict.DELAYED: Meaning(names.EMAIL_DELAYED, names.SMS_DELAYED),
    Verdict.SOFT_BOUNCE: _bounced(Reason.SOFT_BOUNCE),
    Verdict.MAILBOX_FULL: _bounced(Reason.MAILBOX_FULL),
    Verdict.BLOCKED: _bounced(Reason.BLOCKED),
    Verdict.HARD_BOUNCE: _bounced(Reason.HARD_BOUNCE, Cause.HARD_BOUNCE),
    Verdict.FAILED: _bounced(Reason.UNDELIVERED),
    Verdict.COMPLAINT: Meaning(
        names.EMAIL_COMPLAINED, names.SMS_UNSUBSCRIBED, (State.COMPLAINED, None), Cause.COMPLAINT
    ),
    Verdict.AUTO_REPLY: Meaning(names.EMAIL_ANSWERED_BY_ITSELF, names.SMS_DELIVERED, _ARRIVED),
    # A provider tells it too when it did not send because she had unsubscribed there before.
    Verdict.UNSUBSCRIBED: Meaning(
        names.EMAIL_UNSUBSCRIBED, names.SMS_UNSUBSCRIBED, cause=Cause.OPT_OUT
    ),
    # What was opened has arrived, whoever opened it.
    Verdict.OPENED: Meaning(names.EMAIL_OPENED, names.SMS_DELIVERED, _ARRIVED),
    Verdict.CLICKED: Meaning(names.EMAIL_CLICKED, names.SMS_DELIVERED, _ARRIVED),
}


def apply_feedback(reading: Reading, message: Taken, facts: Iterable[Feedback]) -> NotYet | None:
    """`apply_together` for one message."""
    return apply_together(reading, [(message, list(facts))]).get(message.id)


def apply_together(
    reading: Reading, said: Sequence[tuple[Taken, Sequence[Feedback]]]
) -> dict[int, NotYet]:
    """Apply what messages say to the ledger, each fact once, however often it comes.

    Returns, by message, why it has to come again: it cannot be told at present which touchpoint
    one of its facts is about, or the touchpoint is in other hands. Its other facts are applied. At
    the last attempt such a fact counts for her address alone.
    """
    connection, club_id = reading.connection, reading.engine.club_id
    told = [
        (message, _told_by(connection, club_id, message, fact, number))
        for message, facts in said
        for number, fact in enumerate(facts)
    ]
    found = targets.find_all(connection, club_id, [one for _, one in told])
    if any(one.cause for _, one in told):
        hold(connection, Lock.PERMISSION)  # before any touchpoint: see `crm_store.locks`
    held = ledger.hold(connection, [one.id for one in found if isinstance(one, Found)])
    not_yet: dict[int, NotYet] = {}
    reports = []
    for (message, one), target in zip(told, found, strict=True):
        if isinstance(target, Several) and message.attempts < MOST_ATTEMPTS:
            not_yet[message.id] = NotYet("It may be about more than one message.")
        elif isinstance(target, Found) and target.id not in held:
            not_yet[message.id] = NotYet("Its touchpoint is in other hands.", SOON)
        else:
            reports.append((one, target if isinstance(target, Found) else None))
    ledger.apply_all(connection, club_id, reports, reading.now)
    return not_yet


def named_in(reading: Reading, message: Taken, fact: Feedback) -> tuple[Found | None, str | None]:
    """The touchpoint that a fact names by an id or a return path, and the address that it names."""
    told = _told_by(reading.connection, reading.engine.club_id, message, fact, 0)
    nameless = replace(told, address=None)  # an address alone names no message
    (found,) = targets.find_all(reading.connection, reading.engine.club_id, [nameless])
    return (found if isinstance(found, Found) else None), told.address


def _told_by(
    connection: Connection, club_id: int, message: Taken, fact: Feedback, number: int
) -> Told:
    """A fact in the ledger's words."""
    meaning = MEANINGS[fact.verdict]
    if fact.channel == "email":
        event = meaning.email
    else:
        event = fact.channel + meaning.sms.removeprefix("sms")
    return Told(
        event=event,
        channel=fact.channel,
        source=message.source,
        source_id=fact.source_id or f"{message.source_id}:{number}",
        occurred_at=_moment(fact.occurred_at, message.received_at),
        moves_to=meaning.moves_to,
        cause=meaning.cause,
        touchpoint_id=_named_by(connection, fact),
        message_id=fact.message_id,
        provider_ref=fact.provider_ref,
        address=_address(connection, club_id, fact),
        status=fact.status,
        detail=fact.detail,
    )


def _moment(told: datetime | None, received_at: datetime) -> datetime:
    """When it happened, if that can be: not after we were told, nor in another age."""
    if told is None or not received_at - _LONG_AGO < told <= received_at:
        return received_at
    return told


def _address(connection: Connection, club_id: int, fact: Feedback) -> str | None:
    """The address as the store writes it; `None` for what is none."""
    written = (fact.recipient or "").strip()
    try:
        if fact.channel == "email":
            small = written.lower()
            # Nearly all are plain, and to look closely takes longer than all the rest.
            return small if _PLAIN_ADDRESS.fullmatch(small) else normalise_email(written)
        if _PLAIN_NUMBER.fullmatch(written):
            return written
        return normalise_phone(written, country_of(connection, club_id)) if written else None
    except AddressError:
        return None


def _named_by(connection: Connection, fact: Feedback) -> int | None:
    """The touchpoint that is signed into the address that a mail came to.

    A mail that asks to unsubscribe comes to another one than a bounce: who only has seen the
    return path of a message cannot unsubscribe its reader.
    """
    token = (fact.return_path or "").rpartition("@")[0].rpartition("+")[2]
    if not token:
        return None
    links = _links(keys_of(connection))
    asks_to_leave = fact.verdict is Verdict.UNSUBSCRIBED
    try:
        return links.read_leave(token) if asks_to_leave else links.read_return(token)
    except BadToken:
        return None


@lru_cache(maxsize=4)
def _links(keys: KeyRing) -> Links:
    return Links(keys)

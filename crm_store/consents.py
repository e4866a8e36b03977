"""What customers answer about being written to: each answer with its proof, and what stands.

A record is added for every answer and never changed; `consent` holds what stands now. Opting out
of a channel is a fact about the address as well: it holds for every record with the same one.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, Select, delete, exists, or_, select

from crm_store.address_hashes import hashes_with
from crm_store.database import keys_of
from crm_store.inserting import insert_into
from crm_store.locks import Lock, hold
from crm_store.models.consent import (
    ANY_TOPIC,
    Cause,
    Consent,
    ConsentRecord,
    Reach,
    Step,
)
from crm_store.scope import CUSTOMER
from crm_store.suppressions import (
    LIFTED_BY_HER,
    lift,
    suppress,
    suppress_hashes,
    suppressions,
)
from crm_store.tables import table_of

_CONSENT, _RECORD = table_of(Consent), table_of(ConsentRecord)

ADDRESS_COLUMN = {"email": "email", "sms": "phone"}
"""The customer's address on each channel; any other channel writes to her phone number."""


@dataclass(frozen=True)
class Proof:
    """How it is known what she answered."""

    source: str
    """By which way it came: `one_click`, `preferences`, `import`, `sms_reply`."""
    words: str = ""
    """What she agreed to, or the file and line that say so. Never an address."""
    text_version: str = ""
    touchpoint_id: int | None = None
    """The message whose link she used."""


@dataclass(frozen=True)
class Said:
    """One answer of one customer."""

    customer_id: int
    channel: str
    topic: str
    granted: bool
    proof: Proof


def keep_answers(
    connection: Connection,
    answers: Sequence[Said],
    now: datetime,
    *,
    refusals_stand: bool = False,
) -> None:
    """Record answers, and let them stand from this commit on (promise G5).

    With `refusals_stand` an answer that grants changes nothing where she has refused: a file or
    another system may take permission away, never give it back.
    """
    if not answers:
        return
    hold(connection, Lock.PERMISSION)
    statement = insert_into(connection, _CONSENT)
    new = statement.excluded
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["customer_id", "channel", "topic"],
            set_={name: new[name] for name in ("granted", "source", "proof", "given_at")},
            where=new.granted.is_(False) if refusals_stand else None,
        ),
        [
            {
                "customer_id": one.customer_id,
                "channel": one.channel,
                "topic": one.topic,
                "granted": one.granted,
                "source": one.proof.source,
                "proof": one.proof.words,
                "given_at": now,
            }
            for one in answers
        ],
    )
    _record(
        connection,
        [(one, Step.GRANTED if one.granted else Step.REFUSED) for one in answers],
        now,
    )


def opt_out(
    connection: Connection,
    channel: str,
    proof: Proof,
    now: datetime,
    *,
    address: str | None = None,
    address_hash: str | None = None,
    customer_id: int | None = None,
    reach: Reach = Reach.MARKETING,
) -> int:
    """End all marketing on a channel, everywhere and at once; how many customers it is news for.

    With another `reach` the address gets no messages of transactional topics either.

    `address` (normalised), or the hash that a signed link carries, is who wants it, and
    `customer_id` whom the message went to: everyone with the same address is opted out, in every
    club of the store, and whoever is imported with it later.
    """
    whose = {customer_id} if customer_id is not None else set()
    if address is None and customer_id is not None:
        address = address_of(connection, customer_id, channel)
    if address is not None:
        whose |= set(connection.execute(_with_address(channel, address)).scalars())
        suppress(
            connection,
            [(channel, address)],
            cause=Cause.OPT_OUT,
            source=proof.source,
            now=now,
            reach=reach,
        )
    if address_hash is not None:
        suppress_hashes(
            connection,
            [(channel, address_hash)],
            cause=Cause.OPT_OUT,
            source=proof.source,
            now=now,
            reach=reach,
        )
    hold(connection, Lock.PERMISSION)
    news = connection.execute(
        select(CUSTOMER.c.id).where(
            CUSTOMER.c.id.in_(whose),
            ~exists().where(
                _CONSENT.c.customer_id == CUSTOMER.c.id,
                _CONSENT.c.channel == channel,
                _CONSENT.c.topic == ANY_TOPIC,
                _CONSENT.c.granted.is_(False),
            ),
        )
    ).scalars()
    said = [Said(one, channel, ANY_TOPIC, False, proof) for one in news]
    keep_answers(connection, said, now)
    return len(said)


def take_back_opt_out(
    connection: Connection,
    channel: str,
    proof: Proof,
    now: datetime,
    *,
    address: str,
    customer_ids: Collection[int] = (),
) -> bool:
    """End an opt-out from a whole channel, for everyone with the address; False if there is none.

    `customer_ids` are others who have it, if it is none that the store knows the channel by.
    Nothing is granted by it: what else she has agreed to or refused stands, and so does what is
    not hers to end, such as a complaint.
    """
    hold(connection, Lock.PERMISSION)
    found = suppressions(connection, [(channel, address)]).get((channel, address))
    was_out = found is not None and found.cause in LIFTED_BY_HER
    lift(connection, [(channel, address)])
    ended = connection.execute(
        delete(_CONSENT)
        .where(
            or_(
                _CONSENT.c.customer_id.in_(_with_address(channel, address)),
                _CONSENT.c.customer_id.in_(customer_ids),
            ),
            _CONSENT.c.channel == channel,
            _CONSENT.c.topic == ANY_TOPIC,
            _CONSENT.c.granted.is_(False),
        )
        .returning(_CONSENT.c.customer_id)
    ).scalars()
    said = [Said(one, channel, ANY_TOPIC, False, proof) for one in ended]
    _record(connection, [(one, Step.TAKEN_BACK) for one in said], now)
    return was_out or bool(said)


def choose(
    connection: Connection,
    customer_id: int,
    channel: str,
    wanted: Mapping[str, bool],
    proof: Proof,
    now: datetime,
) -> None:
    """Let a customer's own choice of topics on a channel stand; with none it is an opt-out.

    `wanted` says of each topic whether she wants it. Choosing one ends an earlier opt-out from
    the whole channel, also for her address.
    """
    if not any(wanted.values()):
        opt_out(connection, channel, proof, now, customer_id=customer_id)
        return
    answers = [Said(customer_id, channel, one, yes, proof) for one, yes in wanted.items()]
    keep_answers(connection, answers, now)
    _end_opt_out(connection, customer_id, channel)


def request(
    connection: Connection,
    customer_id: int,
    channel: str,
    topics: Iterable[str],
    proof: Proof,
    now: datetime,
) -> None:
    """Note that messages were asked for in her name. Nothing is granted until she confirms it."""
    said = [Said(customer_id, channel, one, True, proof) for one in topics]
    _record(connection, [(one, Step.REQUESTED) for one in said], now)


def confirm(
    connection: Connection,
    customer_id: int,
    channel: str,
    proof: Proof,
    asked_at: datetime,
    now: datetime,
) -> bool:
    """Grant what was requested, all topics if nothing was; False when that has been answered.

    `asked_at` is when the message with the link left: an answer that was given since then, by
    this link or another, stands. So a link that is used again gives nothing back.
    """
    hold(connection, Lock.PERMISSION)
    records = connection.execute(
        select(_RECORD.c.topic, _RECORD.c.step, _RECORD.c.given_at)
        .where(_RECORD.c.customer_id == customer_id, _RECORD.c.channel == channel)
        .order_by(_RECORD.c.id)
    ).all()
    answered = [one for one in records if one.step != Step.REQUESTED]
    if any(one.given_at >= asked_at for one in answered):
        return False
    last = max((one.given_at for one in answered), default=None)
    topics = {
        one.topic
        for one in records
        if one.step == Step.REQUESTED and (last is None or one.given_at > last)
    }
    said = [Said(customer_id, channel, one, True, proof) for one in sorted(topics or {ANY_TOPIC})]
    keep_answers(connection, said, now)
    _end_opt_out(connection, customer_id, channel)
    return True


def standing(connection: Connection, customer_id: int) -> dict[tuple[str, str], bool]:
    """By channel and topic, what she has answered so far."""
    rows = connection.execute(
        select(_CONSENT.c.channel, _CONSENT.c.topic, _CONSENT.c.granted).where(
            _CONSENT.c.customer_id == customer_id
        )
    )
    return {(row.channel, row.topic): row.granted for row in rows}


def address_of(connection: Connection, customer_id: int, channel: str) -> str | None:
    """Her address on a channel."""
    address: str | None = connection.scalar(
        select(_address_column(channel)).where(CUSTOMER.c.id == customer_id)
    )
    return address or None


def _end_opt_out(connection: Connection, customer_id: int, channel: str) -> None:
    """End her opt-out from the whole channel: it would go before what she has just chosen."""
    connection.execute(
        delete(_CONSENT).where(
            _CONSENT.c.customer_id == customer_id,
            _CONSENT.c.channel == channel,
            _CONSENT.c.topic == ANY_TOPIC,
            _CONSENT.c.granted.is_(False),
        )
    )
    if (address := address_of(connection, customer_id, channel)) is not None:
        lift(connection, [(channel, address)])


def _address_column(channel: str) -> ColumnElement[str | None]:
    return CUSTOMER.c[ADDRESS_COLUMN.get(channel, "phone")]


def _with_address(channel: str, address: str) -> Select[tuple[int]]:
    return select(CUSTOMER.c.id).where(_address_column(channel) == address)


def _record(connection: Connection, answers: Sequence[tuple[Said, Step]], now: datetime) -> None:
    hashes = hashes_with(keys_of(connection))
    addresses = {
        row.id: row
        for row in connection.execute(
            select(CUSTOMER.c.id, CUSTOMER.c.email, CUSTOMER.c.phone).where(
                CUSTOMER.c.id.in_({one.customer_id for one, _ in answers})
            )
        )
    }
    rows = []
    for one, step in answers:
        address = getattr(addresses[one.customer_id], ADDRESS_COLUMN.get(one.channel, "phone"))
        rows.append(
            {
                "customer_id": one.customer_id,
                "channel": one.channel,
                "topic": one.topic,
                "address_hash": hashes.of(one.channel, address).hex() if address else None,
                "step": step,
                "source": one.proof.source,
                "proof": one.proof.words,
                "text_version": one.proof.text_version,
                "touchpoint_id": one.proof.touchpoint_id,
                "given_at": now,
            }
        )
    if rows:
        connection.execute(_RECORD.insert(), rows)

"""Feedback: what is told of a message after it has left, applied to the ledger.

Each state of a touchpoint that has left has a rank, and what is told can only raise it. So the
end is the same in whatever order reports come, and however often each does.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Row,
    Select,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    update,
)

from crm_store.columns import UtcDateTime
from crm_store.consents import ADDRESS_COLUMN, Proof, opt_out
from crm_store.event_names import EMAIL_CLICKED, EMAIL_OPENED
from crm_store.events import record
from crm_store.models.consent import Cause
from crm_store.models.touchpoint import TAKEN, State
from crm_store.reasons import Reason
from crm_store.scope import CUSTOMER
from crm_store.suppressions import suppress
from crm_store.touchpoints import TOUCHPOINT

RANKS: Mapping[tuple[State, Reason | None], int] = {
    (State.BOUNCED, Reason.SOFT_BOUNCE): 1,
    (State.BOUNCED, Reason.UNDELIVERED): 2,
    (State.BOUNCED, Reason.MAILBOX_FULL): 3,
    (State.BOUNCED, Reason.BLOCKED): 4,
    # Providers try again after a soft bounce; and her server may take a mail and then send it back.
    (State.DELIVERED, None): 5,
    (State.BOUNCED, Reason.HARD_BOUNCE): 6,
    (State.COMPLAINED, None): 7,
}
"""What goes before what. The hand-over's own states come before all of these."""

_LEFT_FOR_SURE = (State.ACCEPTED, State.SENDING, State.IN_DOUBT)
_MAY_HAVE_LEFT = (
    *(State.PLANNED, State.QUEUED, State.CLAIMED),
    *(State.EXPIRED, State.CANCELLED, State.FAILED),
)
"""States in which it is if an attempt before was put off, or given up as not taken: a report that
speaks of it proves that it was taken, and it is not sent again."""
_IMMOVABLE = 99

WINDOW = timedelta(days=3)
"""How long before a report its message can have left, when only the address says which it was."""
_CLOCKS_DIFFER = timedelta(minutes=10)

WHO = "machine or person unknown"
"""Who opened a message or followed its link, as far as anybody can tell."""


@dataclass(frozen=True)
class Told:
    """One fact about one recipient, in the ledger's words."""

    event: str
    """One of `event_names.TOLD_AFTERWARDS`."""
    channel: str
    source: str
    """Who tells it: a provider's name."""
    source_id: str
    """The same fact told twice has the same one; no address is in it."""
    occurred_at: datetime
    moves_to: tuple[State, Reason | None] | None = None
    """A key of `RANKS`, if it moves the touchpoint."""
    cause: Cause | None = None
    """Why her address is not to be written to any more, if so."""
    touchpoint_id: int | None = None
    """Where the report itself names it, in a return path of ours."""
    message_id: str | None = None
    provider_ref: str | None = None
    address: str | None = None
    """Normalised."""
    status: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Found:
    """The touchpoint that a report is about."""

    id: int
    customer_id: int
    campaign: str
    step: str


class Several(Exception):
    """More than one touchpoint may be meant; a later report may tell."""


class Busy(Exception):
    """Another transaction holds the touchpoint at this moment."""


def find(connection: Connection, club_id: int, told: Told) -> Found | None:
    """The touchpoint that is meant: by what names it, else by her address if only one can be.

    Raises `Several`.
    """
    asked = {"club_id": club_id, "channel": told.channel, "address": told.address}
    for query, value in (
        (_BY_ID, told.touchpoint_id),
        (_BY_MESSAGE, told.message_id),
        (_BY_REFERENCE, _spellings(told.provider_ref)),
    ):
        if value and (rows := connection.execute(query, asked | {"value": value}).all()):
            return _hers(rows, told.address)
    # A Message-ID that is not ours is that of another program's mail; but some providers give a
    # mail an id of their own making in that form.
    is_foreign = told.message_id is not None and told.message_id != told.provider_ref
    return None if told.address is None or is_foreign else _lately(connection, told, asked)


def _hers(rows: Sequence[Row[Any]], address: str | None) -> Found | None:
    """Of several touchpoints with one id, that of the recipient: providers' ids may be of a mail
    to many."""
    hers = [row for row in rows if address in (row.email, row.phone)]
    if len(rows) > 1 and len(hers) != 1:
        return None
    return Found(*(hers or rows)[0][:4])


def _lately(connection: Connection, told: Told, asked: Mapping[str, Any]) -> Found | None:
    times = {
        "since": told.occurred_at - WINDOW,
        "until": told.occurred_at + _CLOCKS_DIFFER,
        "is_named": told.provider_ref is not None,
    }
    rows = connection.execute(_LATELY[_kind(told)], {**asked, **times}).all()
    if len(rows) > 1:
        raise Several
    return Found(*rows[0][:4]) if rows else None


def apply(
    connection: Connection, club_id: int, told: Told, found: Found | None, now: datetime
) -> bool:
    """Record the fact, move the touchpoint, take permission away; False for a known fact.

    Without a touchpoint it is a fact about her address alone. Raises `Busy`.
    """
    if found and not _held(connection, found.id):
        raise Busy
    whose = [found.customer_id] if found else _with_address(connection, club_id, told)
    recorded = [_record(connection, one, told, found, now) for one in whose]
    if recorded and not any(recorded):
        return False
    if found and told.moves_to:
        _move(connection, found.id, told, told.moves_to)
    if told.cause:
        _stop_writing(connection, told, told.cause, found, now)
    return True


def _held(connection: Connection, touchpoint_id: int) -> bool:
    """Whether it is ours until the transaction ends; on SQLite a writer is alone anyway."""
    if connection.dialect.name == "sqlite":
        return True
    return connection.execute(_LOCK, {"value": touchpoint_id}).first() is not None


def _record(
    connection: Connection, customer_id: int, told: Told, found: Found | None, now: datetime
) -> bool:
    data: dict[str, Any] = {"status": told.status, "detail": told.detail}
    if told.moves_to and told.moves_to[1]:
        data["kind"] = str(told.moves_to[1])
    if told.event in (EMAIL_OPENED, EMAIL_CLICKED):
        data["who"] = WHO
    if found:
        data |= {"touchpoint": found.id, "campaign": found.campaign, "step": found.step}
    made = record(
        connection,
        customer_id=customer_id,
        name=told.event,
        data={key: value for key, value in data.items() if value != ""},
        source=told.source,
        source_id=f"{told.source_id}:{customer_id}",
        occurred_at=told.occurred_at,
        now=now,
    )
    return made is not None


def _move(
    connection: Connection, touchpoint_id: int, told: Told, to: tuple[State, Reason | None]
) -> None:
    state, reason = to
    connection.execute(
        _MOVE,
        {
            "value": touchpoint_id,
            "new_rank": RANKS[to],
            "new_state": str(state),
            "new_reason": None if reason is None else str(reason),
            "new_detail": told.detail[:200],
            "new_settled_at": told.occurred_at,
            "new_message_id": told.message_id,
            "new_provider_ref": told.provider_ref,
        },
    )


def _stop_writing(
    connection: Connection, told: Told, cause: Cause, found: Found | None, now: datetime
) -> None:
    """Suppress the address that the report names, else the one that she has now."""
    customer_id = found.customer_id if found else None
    if cause is Cause.OPT_OUT:
        proof = Proof(
            told.source,
            f"{told.source}: {told.event} at {told.occurred_at:%Y-%m-%d %H:%M} UTC",
            touchpoint_id=found.id if found else None,
        )
        opt_out(
            connection,
            told.channel,
            proof,
            now,
            address=told.address,
            customer_id=customer_id,
        )
        return
    address = told.address
    if address is None and customer_id is not None:
        column = CUSTOMER.c[ADDRESS_COLUMN[_kind(told)]]
        address = connection.scalar(select(column).where(CUSTOMER.c.id == customer_id))
    if address:
        suppress(connection, [(told.channel, address)], cause=cause, source=told.source, now=now)


def _with_address(connection: Connection, club_id: int, told: Told) -> list[int]:
    if told.address is None:
        return []
    asked = {"address": told.address, "club_id": club_id}
    return list(connection.execute(_WHO_HAS[_kind(told)], asked).scalars())


def _kind(told: Told) -> str:
    """The channel by whose kind of address she is known: all but e-mail go by the phone number."""
    return told.channel if told.channel in ADDRESS_COLUMN else "sms"


def _spellings(reference: str | None) -> list[str]:
    """A provider's id with and without angle brackets: providers write it both ways."""
    if not reference:
        return []
    bare = reference.strip("<>")
    return [reference, bare, f"<{bare}>"]


# Built once: SQLAlchemy then finds the compiled form by identity.
def _found_where(*conditions: ColumnElement[bool]) -> Select[Any]:
    return (
        select(
            TOUCHPOINT.c.id,
            TOUCHPOINT.c.customer_id,
            TOUCHPOINT.c.campaign,
            TOUCHPOINT.c.step,
            CUSTOMER.c.email,
            CUSTOMER.c.phone,
        )
        .join(CUSTOMER, CUSTOMER.c.id == TOUCHPOINT.c.customer_id)
        .where(CUSTOMER.c.club_id == bindparam("club_id"), *conditions)
    )


def _by_channel(make: Callable[[ColumnElement[bool]], Select[Any]]) -> dict[str, Select[Any]]:
    return {
        channel: make(CUSTOMER.c[column] == bindparam("address"))
        for channel, column in ADDRESS_COLUMN.items()
    }


_ON_CHANNEL = TOUCHPOINT.c.channel == bindparam("channel")
_BY_ID = _found_where(TOUCHPOINT.c.id == bindparam("value"), _ON_CHANNEL)
_BY_MESSAGE = _found_where(TOUCHPOINT.c.message_id == bindparam("value"))
_BY_REFERENCE = _found_where(
    TOUCHPOINT.c.provider_ref.in_(bindparam("value", expanding=True)), _ON_CHANNEL
)
_LATELY = _by_channel(
    lambda hers: _found_where(
        hers,
        _ON_CHANNEL,
        TOUCHPOINT.c.state.in_(TAKEN),
        TOUCHPOINT.c.sent_at.between(
            bindparam("since", type_=UtcDateTime), bindparam("until", type_=UtcDateTime)
        ),
        # One whose reference is known was compared with it already.
        or_(bindparam("is_named", type_=Boolean).is_(False), TOUCHPOINT.c.provider_ref.is_(None)),
    ).limit(2)
)
_WHO_HAS = _by_channel(
    lambda hers: select(CUSTOMER.c.id).where(hers, CUSTOMER.c.club_id == bindparam("club_id"))
)
_LOCK = (
    select(TOUCHPOINT.c.id)
    .where(TOUCHPOINT.c.id == bindparam("value"))
    # Whoever waits here while he holds others could stand in a ring of waiters.
    .with_for_update(skip_locked=True)
)
_RANK = case(
    *(
        (
            and_(
                TOUCHPOINT.c.state == str(state), TOUCHPOINT.c.reason.is_not_distinct_from(reason)
            ),
            rank,
        )
        for (state, reason), rank in RANKS.items()
    ),
    (TOUCHPOINT.c.state.in_(_LEFT_FOR_SURE), 0),
    (and_(TOUCHPOINT.c.state.in_(_MAY_HAVE_LEFT), TOUCHPOINT.c.sent_at.is_not(None)), 0),
    else_=_IMMOVABLE,
)
_EARLIER = TOUCHPOINT.c.settled_at > bindparam("new_settled_at", type_=UtcDateTime)
_SAME_TIME = TOUCHPOINT.c.settled_at == bindparam("new_settled_at", type_=UtcDateTime)
_MOVE = (
    update(TOUCHPOINT)
    .where(
        TOUCHPOINT.c.id == bindparam("value"),
        or_(
            bindparam("new_rank") > _RANK,
            # Of two that say the same the first is kept, whichever comes first.
            and_(
                bindparam("new_rank") == _RANK,
                or_(_EARLIER, and_(_SAME_TIME, TOUCHPOINT.c.detail > bindparam("new_detail"))),
            ),
        ),
    )
    .values(
        state=bindparam("new_state"),
        reason=bindparam("new_reason"),
        detail=bindparam("new_detail"),
        settled_at=bindparam("new_settled_at", type_=UtcDateTime),
        message_id=func.coalesce(TOUCHPOINT.c.message_id, bindparam("new_message_id")),
        provider_ref=func.coalesce(TOUCHPOINT.c.provider_ref, bindparam("new_provider_ref")),
        claim_token=None,
        lease_until=None,
    )
)

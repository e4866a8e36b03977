"""Feedback: what is told of a message after it has left, applied to the ledger.

Each state of a touchpoint that has left has a rank, and what is told can only raise it. So the
end is the same in whatever order reports come, and however often each does.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, func, or_, select, update

from crm_store.columns import UtcDateTime
from crm_store.consents import ADDRESS_COLUMN, Proof, opt_out
from crm_store.event_names import EMAIL_CLICKED, EMAIL_OPENED, LINK_SCANNED
from crm_store.events import record_all
from crm_store.feedback_targets import Found, Told, kind_of, with_address
from crm_store.models.consent import Cause
from crm_store.models.touchpoint import State
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

WHO = "machine or person unknown"
"""Who opened a message or followed its link, as far as anybody can tell."""
MACHINE = "machine"
TOO_SOON = timedelta(seconds=10)
"""By then a message has hardly arrived. Servers on the way follow links as they take it."""

About = tuple[Told, Found | None]
"""A report, and its touchpoint; without one it is a fact about her address alone."""


def hold(connection: Connection, touchpoint_ids: Sequence[int]) -> set[int]:
    """Those of the touchpoints that nobody else can change until the transaction ends.

    One that another transaction has is left out, not waited for: whoever waits while he holds
    others could stand in a ring of waiters. On SQLite a writer is alone anyway.
    """
    if connection.dialect.name == "sqlite" or not touchpoint_ids:
        return set(touchpoint_ids)
    return set(connection.execute(_HOLD, {"ids": sorted(touchpoint_ids)}).scalars())


def apply_all(
    connection: Connection, club_id: int, reports: Sequence[About], now: datetime
) -> None:
    """Record the facts, move the touchpoints, take permission away; a known fact does nothing.

    The caller holds the touchpoints: see `hold`.
    """
    events = [
        (report, _event(customer_id, *report))
        for report in reports
        for customer_id in _whose(connection, club_id, *report)
    ]
    # In the order of their unique key: another may be told the same at this moment.
    in_order = sorted((event for _, event in events), key=itemgetter("source", "source_id"))
    new = record_all(connection, in_order, now)
    told_anew = {
        id(report) for report, event in events if (event["source"], event["source_id"]) in new
    }
    has_event = {id(report) for report, _ in events}
    fresh = [one for one in reports if id(one) in told_anew or id(one) not in has_event]
    moves = [_move(told, found, told.moves_to) for told, found in fresh if found and told.moves_to]
    if moves:
        connection.execute(_MOVE, moves)
    for told, found in fresh:
        if told.cause:
            _stop_writing(connection, told, told.cause, found, now)


def _whose(connection: Connection, club_id: int, told: Told, found: Found | None) -> list[int]:
    return [found.customer_id] if found else with_address(connection, club_id, told)


def is_machine(sent_at: datetime | None, clicked_at: datetime) -> bool:
    """Whether a link was followed too soon for a person, by clocks that may differ a little."""
    return sent_at is not None and abs(clicked_at - sent_at) < TOO_SOON


def _event(customer_id: int, told: Told, found: Found | None) -> dict[str, Any]:
    name, data = told.event, dict[str, Any](status=told.status, detail=told.detail)
    if told.moves_to and told.moves_to[1]:
        data["kind"] = str(told.moves_to[1])
    if name in (EMAIL_OPENED, EMAIL_CLICKED):
        data["who"] = WHO
    if name == EMAIL_CLICKED and found and is_machine(found.sent_at, told.occurred_at):
        name, data["who"] = LINK_SCANNED, MACHINE
    if found:
        data |= {"touchpoint": found.id, "campaign": found.campaign, "step": found.step}
    return {
        "customer_id": customer_id,
        "name": name,
        "data": {key: value for key, value in data.items() if value != ""},
        "source": told.source,
        "source_id": f"{told.source_id}:{customer_id}",
        "occurred_at": told.occurred_at,
    }


def _move(told: Told, found: Found, to: tuple[State, Reason | None]) -> dict[str, Any]:
    state, reason = to
    return {
        "of_id": found.id,
        "new_rank": RANKS[to],
        "new_state": str(state),
        "new_reason": None if reason is None else str(reason),
        "new_detail": told.detail[:200],
        "new_settled_at": told.occurred_at,
        "new_provider_ref": told.provider_ref,
    }


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
        column = CUSTOMER.c[ADDRESS_COLUMN[kind_of(told.channel)]]
        address = connection.scalar(select(column).where(CUSTOMER.c.id == customer_id))
    if address:
        suppress(connection, [(told.channel, address)], cause=cause, source=told.source, now=now)


# Built once: SQLAlchemy then finds the compiled form by identity.
_HOLD = (
    select(TOUCHPOINT.c.id)
    .where(TOUCHPOINT.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(TOUCHPOINT.c.id)
    .with_for_update(skip_locked=True)
)


def _is_one_of(states: Sequence[State]) -> ColumnElement[bool]:
    """Without IN, which a statement for many rows cannot have."""
    return or_(*(TOUCHPOINT.c.state == str(state) for state in states))


_RANK = case(
    *(
        (
            and_(
                TOUCHPOINT.c.state == str(state),
                TOUCHPOINT.c.reason == str(reason) if reason else TOUCHPOINT.c.reason.is_(None),
            ),
            rank,
        )
        for (state, reason), rank in RANKS.items()
    ),
    (_is_one_of(_LEFT_FOR_SURE), 0),
    (and_(_is_one_of(_MAY_HAVE_LEFT), TOUCHPOINT.c.sent_at.is_not(None)), 0),
    else_=_IMMOVABLE,
)
_SETTLED_AT = bindparam("new_settled_at", type_=UtcDateTime)
_MOVE = (
    update(TOUCHPOINT)
    .where(
        TOUCHPOINT.c.id == bindparam("of_id"),
        or_(
            bindparam("new_rank") > _RANK,
            # Of two that say the same the first is kept, whichever comes first.
            and_(
                bindparam("new_rank") == _RANK,
                or_(
                    TOUCHPOINT.c.settled_at > _SETTLED_AT,
                    and_(
                        TOUCHPOINT.c.settled_at == _SETTLED_AT,
                        TOUCHPOINT.c.detail > bindparam("new_detail"),
                    ),
                ),
            ),
        ),
    )
    .values(
        state=bindparam("new_state"),
        reason=bindparam("new_reason"),
        detail=bindparam("new_detail"),
        settled_at=_SETTLED_AT,
        provider_ref=func.coalesce(TOUCHPOINT.c.provider_ref, bindparam("new_provider_ref")),
        claim_token=None,
        lease_until=None,
    )
)

"""Touchpoints until somebody claims them: planned, moved in time, called off, queued.

Each function is one statement or a few within the caller's transaction, over many rows at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    Update,
    and_,
    bindparam,
    or_,
    select,
    tuple_,
    update,
)

from crm_store.asked import KEPT, Asked
from crm_store.columns import moment_given
from crm_store.inserting import insert_new_by
from crm_store.literals import is_word
from crm_store.locks import in_order, taken_in_order
from crm_store.models.touchpoint import State
from crm_store.reasons import Reason
from crm_store.scope import is_of_club
from crm_store.touchpoints import PLANNED, QUEUED, TOUCHPOINT


def add(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Insert touchpoints; one whose occasion already has one is left as it is (promise G2)."""
    if rows:
        # Of this key alone: a coupon's code that exists already is no reason to leave a row out.
        connection.execute(insert_new_by(connection, TOUCHPOINT, _KEY), rows)


_KEY = ("campaign", "customer_id", "occurrence", "step", "channel")


class Made(NamedTuple):
    """A touchpoint that is already there."""

    id: int
    channel: str
    variant: str
    state: State
    reason: str | None
    due_at: datetime
    sent_at: datetime | None


# Statements of the hot path are built once: SQLAlchemy then finds the compiled form by identity.
_STEPS_MADE = (
    select(
        TOUCHPOINT.c.enrollment_id,
        TOUCHPOINT.c.step,
        TOUCHPOINT.c.state,
        TOUCHPOINT.c.id,
        TOUCHPOINT.c.channel,
        TOUCHPOINT.c.variant,
        TOUCHPOINT.c.reason,
        TOUCHPOINT.c.due_at,
        TOUCHPOINT.c.sent_at,
    )
    .where(TOUCHPOINT.c.enrollment_id.in_(bindparam("enrollments", expanding=True)))
    .order_by(TOUCHPOINT.c.id)
)


def steps_made(
    connection: Connection, enrollment_ids: Sequence[int]
) -> dict[int, dict[str, list[Made]]]:
    """By enrollment, by step: the touchpoints that are already there, in the order they came."""
    made: dict[int, dict[str, list[Made]]] = {}
    rows = connection.execute(_STEPS_MADE, {"enrollments": enrollment_ids})
    for enrollment_id, step, state, touchpoint_id, channel, variant, *rest in rows:
        one = Made(touchpoint_id, channel, variant, State(state), *rest)
        made.setdefault(enrollment_id, {}).setdefault(step, []).append(one)
    return made


@dataclass(frozen=True)
class NewTime:
    """A touchpoint that is still unsent, and when it is due now."""

    id: int
    due_at: datetime
    expires_at: datetime


# Without IN, which a statement for many rows cannot have.
_MAY_MOVE = or_(PLANNED, QUEUED, is_word(TOUCHPOINT.c.state, State.EXPIRED))


def hold_unsent(
    connection: Connection, touchpoint_ids: Sequence[int], enrollment_ids: Sequence[int]
) -> None:
    """Before both `move_in_time` and `cancel_unsent`: what they change, all in one order."""
    if touchpoint_ids or enrollment_ids:
        wanted = or_(
            TOUCHPOINT.c.id.in_(touchpoint_ids), TOUCHPOINT.c.enrollment_id.in_(enrollment_ids)
        )
        in_order(connection, TOUCHPOINT, wanted, _MAY_MOVE)


def move_in_time(connection: Connection, moves: Sequence[NewTime]) -> None:
    """Plan unsent touchpoints anew; one given up as past its time may be wanted again."""
    if not moves:
        return
    connection.execute(
        update(TOUCHPOINT)
        .where(TOUCHPOINT.c.id == bindparam("of_id"), _MAY_MOVE)
        .values(
            state=str(State.PLANNED),
            reason=str(Reason.ANCHOR_MOVED),
            due_at=bindparam("new_due_at"),
            not_before=bindparam("new_due_at"),
            expires_at=bindparam("new_expires_at"),
            settled_at=None,
        ),
        [
            {"of_id": one.id, "new_due_at": one.due_at, "new_expires_at": one.expires_at}
            for one in moves
        ],
    )


def cancel_unsent(
    connection: Connection, enrollment_ids: Sequence[int], reason: Reason, now: datetime
) -> int:
    """Cancel what is still planned or queued for these enrollments."""
    if not enrollment_ids:
        return 0
    done = connection.execute(
        update(TOUCHPOINT)
        .where(
            TOUCHPOINT.c.enrollment_id.in_(enrollment_ids),
            TOUCHPOINT.c.state.in_([State.PLANNED, State.QUEUED]),
        )
        .values(state=str(State.CANCELLED), reason=str(reason), settled_at=now)
    )
    return int(done.rowcount)


def move_to(
    connection: Connection,
    club_id: int,
    campaign: str,
    version_id: int,
    kept: Sequence[tuple[str, str]],
    now: datetime,
) -> None:
    """Let what is unsent of a club's campaign go on under a version that has these steps.

    `kept` are its steps and ways; what stands for none of them is cancelled.
    """
    behind = in_order(
        connection,
        TOUCHPOINT,
        TOUCHPOINT.c.campaign == campaign,
        TOUCHPOINT.c.version_id != version_id,
        or_(PLANNED, QUEUED),
        is_of_club(TOUCHPOINT, club_id),
    )
    is_kept = tuple_(TOUCHPOINT.c.step, TOUCHPOINT.c.variant).in_(kept)
    connection.execute(update(TOUCHPOINT).where(behind, is_kept).values(version_id=version_id))
    connection.execute(
        update(TOUCHPOINT)
        .where(behind, ~is_kept)
        .values(state=str(State.CANCELLED), reason=str(Reason.STEP_GONE), settled_at=now)
    )


def queue_due(connection: Connection, now: datetime) -> int:
    """Queue every planned touchpoint whose time has come."""
    due = taken_in_order(connection, TOUCHPOINT, Asked(_IS_DUE, {"now": now}))
    done = connection.execute(_queueing(due.sql), {**due.values, "now": now})
    return int(done.rowcount)


_NOW = moment_given("now")
_IS_DUE = and_(PLANNED, TOUCHPOINT.c.due_at <= _NOW)


@lru_cache(KEPT)
def _queueing(due: ColumnElement[bool]) -> Update:
    return (
        update(TOUCHPOINT)
        .where(due)
        .values(state=str(State.QUEUED), not_before=TOUCHPOINT.c.due_at, queued_at=_NOW)
    )

"""What may still be sent: the facts the gate asks for, and the last look as `sending` is set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Connection,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)

from crm_store.columns import UtcDateTime
from crm_store.literals import is_word
from crm_store.locks import Lock, hold
from crm_store.models.campaign import Enrollment
from crm_store.models.club import Club
from crm_store.models.consent import ANY_TOPIC, Consent, Suppression
from crm_store.models.event import Event
from crm_store.models.touchpoint import SENT, State
from crm_store.pauses import is_paused
from crm_store.scope import CUSTOMER
from crm_store.tables import table_of
from crm_store.touchpoints import TOUCHPOINT

_CONSENT, _SUPPRESSION, _EVENT = table_of(Consent), table_of(Suppression), table_of(Event)
_ENROLLMENT, _CLUB = table_of(Enrollment), table_of(Club)

_ADDRESS = case(
    (TOUCHPOINT.c.channel == "email", CUSTOMER.c.email),
    (TOUCHPOINT.c.channel == "sms", CUSTOMER.c.phone),
)


@dataclass(frozen=True)
class SendFacts:
    """What the gate knows of a touchpoint's customer at this moment."""

    touchpoint_id: int
    customer_id: int
    address: str | None
    language: str | None
    timezone: str
    opted_out: bool
    suppressed: bool
    exited: bool


_OPTED_OUT = (
    select(_CONSENT.c.id)
    .where(
        _CONSENT.c.customer_id == TOUCHPOINT.c.customer_id,
        _CONSENT.c.channel == TOUCHPOINT.c.channel,
        _CONSENT.c.topic.in_(bindparam("topics", expanding=True)),
        _CONSENT.c.granted.is_(False),
    )
    .correlate(TOUCHPOINT)
    .exists()
)
_SUPPRESSED = (
    select(_SUPPRESSION.c.id)
    .where(
        CUSTOMER.c.id == TOUCHPOINT.c.customer_id,
        _SUPPRESSION.c.address == _ADDRESS,
        _SUPPRESSION.c.channel == TOUCHPOINT.c.channel,
    )
    .correlate(TOUCHPOINT)
    .exists()
)
_EXITED = (
    select(_EVENT.c.id)
    .where(
        _ENROLLMENT.c.id == TOUCHPOINT.c.enrollment_id,
        _EVENT.c.customer_id == _ENROLLMENT.c.customer_id,
        _EVENT.c.name.in_(bindparam("exit_on", expanding=True)),
        _EVENT.c.occurred_at >= _ENROLLMENT.c.exits_from,
    )
    .correlate(TOUCHPOINT)
    .exists()
)


def facts(
    connection: Connection, touchpoint_ids: Sequence[int], *, topic: str, exit_on: Sequence[str]
) -> dict[int, SendFacts]:
    """What the gate has to know, for a whole batch at once, by touchpoint."""
    rows = connection.execute(
        select(
            TOUCHPOINT.c.id,
            TOUCHPOINT.c.customer_id,
            func.nullif(_ADDRESS, ""),
            CUSTOMER.c.language,
            func.coalesce(func.nullif(CUSTOMER.c.timezone, ""), _CLUB.c.timezone),
            _OPTED_OUT,
            _SUPPRESSED,
            _EXITED,
        )
        .select_from(TOUCHPOINT)
        .join(CUSTOMER, CUSTOMER.c.id == TOUCHPOINT.c.customer_id)
        .join(_CLUB, _CLUB.c.id == CUSTOMER.c.club_id)
        .where(TOUCHPOINT.c.id.in_(touchpoint_ids)),
        _terms(topic, exit_on),
    )
    return {row[0]: SendFacts(*row) for row in rows}


def sent_since(
    connection: Connection,
    customer_ids: Sequence[int],
    since: datetime,
    token: str,
    now: datetime,
) -> dict[int, list[datetime]]:
    """By customer, when each of her messages of any campaign left, oldest first.

    A message that another worker holds at this moment counts as leaving now; those under
    `token` are the asker's own.
    """
    leaving = and_(is_word(TOUCHPOINT.c.state, State.CLAIMED), TOUCHPOINT.c.claim_token != token)
    rows = connection.execute(
        select(TOUCHPOINT.c.customer_id, TOUCHPOINT.c.sent_at)
        .where(
            TOUCHPOINT.c.customer_id.in_(customer_ids),
            or_(
                and_(
                    TOUCHPOINT.c.state.in_(SENT),
                    # A clock set back by hours still counts; a rehearsal of next year does not.
                    TOUCHPOINT.c.sent_at.between(since, now + timedelta(days=1)),
                ),
                leaving,
            ),
        )
        .order_by(func.coalesce(TOUCHPOINT.c.sent_at, literal(now, UtcDateTime)))
    )
    times: dict[int, list[datetime]] = {}
    for customer_id, sent_at in rows:
        times.setdefault(customer_id, []).append(sent_at or now)
    return times


_ADDRESS_NOW = (
    select(_ADDRESS)
    .where(CUSTOMER.c.id == TOUCHPOINT.c.customer_id)
    .correlate(TOUCHPOINT)
    .scalar_subquery()
)
# Statements of the hot path are built once: SQLAlchemy then finds the compiled form by identity.
_BEGIN_SENDING = (
    update(TOUCHPOINT)
    .where(
        TOUCHPOINT.c.id.in_(bindparam("ids", expanding=True)),
        is_word(TOUCHPOINT.c.state, State.CLAIMED),
        TOUCHPOINT.c.claim_token == bindparam("token"),
        TOUCHPOINT.c.lease_until >= bindparam("now"),
        TOUCHPOINT.c.expires_at >= bindparam("now"),
        ~is_paused(TOUCHPOINT.c.campaign),
        tuple_(TOUCHPOINT.c.id, _ADDRESS_NOW).in_(bindparam("written_to", expanding=True)),
        ~_OPTED_OUT,
        ~_SUPPRESSED,
        ~_EXITED,
    )
    .values(state=str(State.SENDING), sent_at=bindparam("now"), attempts=TOUCHPOINT.c.attempts + 1)
    .returning(TOUCHPOINT.c.id)
)


def begin_sending(
    connection: Connection,
    addresses: Mapping[int, str],
    *,
    token: str,
    topic: str,
    exit_on: Sequence[str],
    now: datetime,
) -> set[int]:
    """Set `sending` for those that may still go; return their ids.

    `addresses` says, by touchpoint, where its finished message is addressed to.

    This commit is the point of no return (promises G3 and G5). Consent, suppression, exit,
    lateness, a pause, the lease and her address are looked at again in the very statement that
    sets it: whatever committed before it wins. Whoever takes permission away holds the lock
    alone, so no opt-out commits between the moment this statement looks and the moment it
    commits.
    """
    hold(connection, Lock.PERMISSION, shared=True)
    asked = {
        "ids": list(addresses),
        "written_to": list(addresses.items()),
        "token": token,
        "now": now,
    }
    moved = connection.execute(_BEGIN_SENDING, asked | _terms(topic, exit_on))
    return set(moved.scalars())


def _terms(topic: str, exit_on: Sequence[str]) -> dict[str, Any]:
    """What `_OPTED_OUT` and `_EXITED` ask for."""
    return {"topics": [ANY_TOPIC, topic], "exit_on": list(exit_on)}

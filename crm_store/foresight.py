"""Foresight's queries: what is due next, and what counts as sent without being sent."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select, union, update

from crm_store.columns import UtcDateTime
from crm_store.enrollments import ENROLLMENT, IS_ACTIVE
from crm_store.literals import is_word
from crm_store.models.touchpoint import State
from crm_store.touchpoints import TOUCHPOINT

_PLANNED = is_word(TOUCHPOINT.c.state, State.PLANNED)
_QUEUED = is_word(TOUCHPOINT.c.state, State.QUEUED)


def next_due(connection: Connection) -> datetime | None:
    """The next moment at which an enrollment or a planned touchpoint wants to be looked at."""
    looked_at = select(func.min(ENROLLMENT.c.next_at)).where(IS_ACTIVE)
    planned = select(func.min(TOUCHPOINT.c.due_at)).where(_PLANNED)
    found = [connection.scalar(looked_at), connection.scalar(planned)]
    return min((moment for moment in found if moment is not None), default=None)


def campaigns_due(connection: Connection, now: datetime) -> set[str]:
    """The campaigns in which something is due: to be looked at, planned, or queued."""
    query = union(
        select(ENROLLMENT.c.campaign).where(IS_ACTIVE, ENROLLMENT.c.next_at <= now).distinct(),
        select(TOUCHPOINT.c.campaign).where(_PLANNED, TOUCHPOINT.c.due_at <= now).distinct(),
        select(TOUCHPOINT.c.campaign).where(_QUEUED, TOUCHPOINT.c.not_before <= now).distinct(),
    )
    return set(connection.execute(query).scalars())


_ACCEPT = (
    update(TOUCHPOINT)
    .where(
        TOUCHPOINT.c.id.in_(bindparam("ids", expanding=True)),
        TOUCHPOINT.c.claim_token == bindparam("token"),
    )
    .values(
        state=str(State.ACCEPTED),
        reason=None,
        sent_at=bindparam("at", type_=UtcDateTime),
        settled_at=bindparam("at", type_=UtcDateTime),
        attempts=TOUCHPOINT.c.attempts + 1,
        claim_token=None,
        lease_until=None,
    )
)


def accept_claimed(connection: Connection, ids: Sequence[int], token: str, now: datetime) -> None:
    """On a scratch store: claimed touchpoints count as handed over and accepted."""
    if ids:
        connection.execute(_ACCEPT, {"ids": list(ids), "token": token, "at": now})

"""Touchpoints in doubt: the server may have taken them, nobody knows. People decide."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, select, update

from crm_store.literals import is_word
from crm_store.locks import in_order
from crm_store.models.touchpoint import State
from crm_store.reasons import Reason
from crm_store.scope import is_of_club
from crm_store.touchpoints import TOUCHPOINT

_IN_DOUBT = is_word(TOUCHPOINT.c.state, State.IN_DOUBT)


def states_of(connection: Connection, club_id: int, ids: Collection[int]) -> dict[int, State]:
    """The state of each of these touchpoints, by its id; of those that the club has."""
    found = connection.execute(
        select(TOUCHPOINT.c.id, TOUCHPOINT.c.state).where(
            TOUCHPOINT.c.id.in_(ids), is_of_club(TOUCHPOINT, club_id)
        )
    )
    return {row.id: State(row.state) for row in found}


def resolve(connection: Connection, ids: Sequence[int], *, arrived: bool, now: datetime) -> int:
    """Somebody has looked: it arrived, or it did not and is not wanted any more."""
    state = State.ACCEPTED if arrived else State.FAILED
    doubted = in_order(connection, TOUCHPOINT, _IN_DOUBT, TOUCHPOINT.c.id.in_(ids))
    done = connection.execute(
        update(TOUCHPOINT)
        .where(doubted)
        .values(state=str(state), reason=str(Reason.RESOLVED), settled_at=now)
    )
    return done.rowcount


def resend(connection: Connection, ids: Sequence[int], now: datetime) -> int:
    """Queue them once more, flagged: the same Message-ID, perhaps a second time in her inbox."""
    doubted = in_order(connection, TOUCHPOINT, _IN_DOUBT, TOUCHPOINT.c.id.in_(ids))
    done = connection.execute(update(TOUCHPOINT).where(doubted).values(**_again(now)))
    return done.rowcount


def versions_in_doubt(connection: Connection) -> dict[str, list[int]]:
    """By campaign: its versions that have a touchpoint in doubt."""
    versions: dict[str, list[int]] = {}
    for campaign, version_id in connection.execute(_VERSIONS):
        versions.setdefault(campaign, []).append(version_id)
    return versions


_VERSIONS = (
    select(TOUCHPOINT.c.campaign, TOUCHPOINT.c.version_id)
    .where(_IN_DOUBT)
    .distinct()
    .order_by(TOUCHPOINT.c.version_id)
)


def resend_steps(
    connection: Connection, campaign: str, version_id: int, steps: Collection[str], now: datetime
) -> int:
    """As `resend`, but once, for steps that say `on_doubt: resend`, while they are useful."""
    doubted = in_order(
        connection,
        TOUCHPOINT,
        _IN_DOUBT,
        TOUCHPOINT.c.campaign == campaign,
        TOUCHPOINT.c.version_id == version_id,
        TOUCHPOINT.c.step.in_(list(steps)),
        # Once: a server that takes each message and then breaks off would make a dozen of it.
        TOUCHPOINT.c.resends == 0,
        TOUCHPOINT.c.expires_at >= now,
    )
    done = connection.execute(update(TOUCHPOINT).where(doubted).values(**_again(now)))
    return done.rowcount


def _again(now: datetime) -> dict[str, object]:
    return {
        "state": str(State.QUEUED),
        "reason": str(Reason.RESENT),
        "resends": TOUCHPOINT.c.resends + 1,
        "not_before": now,
        "settled_at": None,
    }

"""The ledger: every move of a touchpoint from one state to the next, from the claim on.

Before it, while it is planned and waits, it is in `crm_store.planned`.

Each function is one statement or a few within the caller's transaction, over many rows at once.
A move names the state it starts from, and past the claim the token too, so that a worker whose
lease ran out can change nothing any more.
"""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    Integer,
    String,
    any_,
    bindparam,
    case,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.sql.dml import ReturningUpdate

from crm_store.columns import UtcDateTime
from crm_store.given_rows import as_rows, as_text, given_rows
from crm_store.literals import is_still, is_word
from crm_store.locks import in_order
from crm_store.models.touchpoint import WAITING, State, Touchpoint
from crm_store.on_driver import OnDriver
from crm_store.pauses import is_paused
from crm_store.reasons import Reason
from crm_store.scope import is_of_club
from crm_store.tables import table_of

TOUCHPOINT = table_of(Touchpoint)
PLANNED = is_word(TOUCHPOINT.c.state, State.PLANNED)
QUEUED = is_word(TOUCHPOINT.c.state, State.QUEUED)
_CLAIMED = is_word(TOUCHPOINT.c.state, State.CLAIMED)
_SENDING = is_word(TOUCHPOINT.c.state, State.SENDING)
_RELEASED: dict[str, None] = {"claim_token": None, "lease_until": None}


def count_queued(
    connection: Connection, club_id: int, campaigns: Collection[str], now: datetime
) -> dict[str, int]:
    """By campaign: how many of its touchpoints may be claimed now; none where it is not named."""
    asked = {"club": club_id, "campaigns": list(campaigns), "now": now}
    rows = connection.execute(_COUNT_QUEUED, asked)
    return {row[0]: row[1] for row in rows}


_COUNT_QUEUED = (
    select(TOUCHPOINT.c.campaign, func.count())
    .where(
        QUEUED,
        TOUCHPOINT.c.campaign.in_(bindparam("campaigns", expanding=True)),
        TOUCHPOINT.c.not_before <= bindparam("now", type_=UtcDateTime),
        is_of_club(TOUCHPOINT, bindparam("club")),
    )
    .group_by(TOUCHPOINT.c.campaign)
)


def queued_by_reason(
    connection: Connection, club_id: int, campaign: str, now: datetime
) -> dict[str | None, int]:
    """How many of a campaign's touchpoints may be claimed now, by why they were put back."""
    rows = connection.execute(
        select(TOUCHPOINT.c.reason, func.count())
        .where(
            QUEUED,
            TOUCHPOINT.c.campaign == campaign,
            TOUCHPOINT.c.not_before <= literal(now, UtcDateTime),
            is_of_club(TOUCHPOINT, club_id),
        )
        .group_by(TOUCHPOINT.c.reason)
    )
    return {row[0]: row[1] for row in rows}


def held_back(connection: Connection, club_id: int, campaign: str) -> tuple[int, datetime | None]:
    """How many of a campaign a rate limit holds back, and when the first of them may go."""
    number, first = connection.execute(
        select(func.count(), func.min(TOUCHPOINT.c.not_before)).where(
            QUEUED,
            TOUCHPOINT.c.campaign == campaign,
            TOUCHPOINT.c.reason == str(Reason.RATE_LIMIT),
            is_of_club(TOUCHPOINT, club_id),
        )
    ).one()
    return number, first


def count_coming_back(connection: Connection, club_id: int) -> int:
    """How many of all campaigns a rate limit holds back; the paused ones are nobody's turn."""
    number: int = connection.execute(
        select(func.count()).where(
            QUEUED,
            TOUCHPOINT.c.reason == str(Reason.RATE_LIMIT),
            ~is_paused(TOUCHPOINT.c.campaign),
            is_of_club(TOUCHPOINT, club_id),
        )
    ).scalar_one()
    return number


class Claimed(NamedTuple):
    """A touchpoint in the hands of a worker."""

    id: int
    enrollment_id: int
    version_id: int
    customer_id: int
    occurrence: str
    step: str
    variant: str
    channel: str
    coupon: str | None
    expires_at: datetime
    queued_at: datetime
    attempts: int
    message_id: str


def claim(
    connection: Connection,
    *,
    club_id: int,
    campaign: str,
    token: str,
    now: datetime,
    lease_until: datetime,
    limit: int,
    passed_over: Collection[int] = (),
) -> list[Claimed]:
    """Take up to `limit` queued touchpoints under a lease; nobody else can take them.

    All are of one version of the campaign, that of the oldest: a batch has one definition. The
    versions in `passed_over` are left for another time.
    """
    statement = _CLAIM_OTHERS if passed_over else _CLAIM
    asked = {
        **{"club": club_id, "of": campaign, "now": now, "most": limit, "with": token},
        **{"until": lease_until, "passed_over": list(passed_over)},
    }
    taken = connection.execute(statement, asked)
    return sorted((Claimed(*row) for row in taken), key=lambda one: one.id)


def _claim(*more: ColumnElement[bool]) -> ReturningUpdate[Any]:
    ready = (
        is_word(_CANDIDATE.c.state, State.QUEUED),
        _CANDIDATE.c.campaign == bindparam("of"),
        _CANDIDATE.c.not_before <= bindparam("now", type_=UtcDateTime),
        is_of_club(_CANDIDATE, bindparam("club")),
        ~is_paused(bindparam("of", type_=String)),
        *more,
    )
    oldest = (_CANDIDATE.c.not_before, _CANDIDATE.c.id)
    version = select(_CANDIDATE.c.version_id).where(*ready).order_by(*oldest).limit(1)
    next_up = (
        select(_CANDIDATE.c.id)
        .where(*ready, _CANDIDATE.c.version_id == version.correlate(None).scalar_subquery())
        .order_by(*oldest)
        .limit(bindparam("most"))
        .with_for_update(skip_locked=True)
        # A CTE: PostgreSQL may run a locking subquery once per row, past its LIMIT.
        .cte("next_up")
    )
    return (
        update(TOUCHPOINT)
        .where(TOUCHPOINT.c.id.in_(select(next_up.c.id)), QUEUED)
        .values(
            state=str(State.CLAIMED),
            claim_token=bindparam("with"),
            lease_until=bindparam("until"),
        )
        .returning(
            TOUCHPOINT.c.id,
            TOUCHPOINT.c.enrollment_id,
            TOUCHPOINT.c.version_id,
            TOUCHPOINT.c.customer_id,
            TOUCHPOINT.c.occurrence,
            TOUCHPOINT.c.step,
            TOUCHPOINT.c.variant,
            TOUCHPOINT.c.channel,
            TOUCHPOINT.c.coupon,
            TOUCHPOINT.c.expires_at,
            TOUCHPOINT.c.queued_at,
            TOUCHPOINT.c.attempts,
            TOUCHPOINT.c.message_id,
        )
    )


# An alias: a subquery over the updated table itself would be taken as correlated to it.
_CANDIDATE = TOUCHPOINT.alias("candidate")
_CLAIM = _claim()
_CLAIM_OTHERS = _claim(_CANDIDATE.c.version_id.not_in(bindparam("passed_over", expanding=True)))


def renew_lease(connection: Connection, token: str, lease_until: datetime) -> None:
    """Keep what this token holds for longer; what is just being changed keeps the lease it has."""
    kept = in_order(connection, TOUCHPOINT, TOUCHPOINT.c.claim_token == token, pass_over=True)
    connection.execute(update(TOUCHPOINT).where(kept).values(lease_until=lease_until))


def release(connection: Connection, token: str) -> None:
    """Give back what this token has claimed and not begun to send."""
    unsent = in_order(connection, TOUCHPOINT, TOUCHPOINT.c.claim_token == token, _CLAIMED)
    connection.execute(
        update(TOUCHPOINT).where(unsent).values(state=str(State.QUEUED), **_RELEASED)
    )


class Ruling(NamedTuple):
    """What became of a touchpoint that is claimed or being sent."""

    id: int
    state: State
    reason: Reason | None = None
    detail: str = ""
    not_before: datetime | None = None
    """For `planned` and `queued`: when to try again."""
    provider_ref: str | None = None
    language: str | None = None
    attempts: int | None = None
    """How often it has been tried by now; `None`: as often as before."""


_RULINGS = given_rows(
    "rulings",
    id=BigInteger(),
    detail=String(),
    provider_ref=String(),
    language=String(),
    not_before=UtcDateTime(),
).c
NAMED = TOUCHPOINT.c.id == any_(bindparam("ids", type_=ARRAY(BigInteger)))
"""For PostgreSQL, which cannot tell how few rows are given: so it finds them by their ids."""


@lru_cache
def _rule(dialect: Dialect, *, waits: bool) -> OnDriver:
    """What rulings have in common are parameters: SQLite would take it out of each row again."""
    state = bindparam("new_state", type_=String)
    again = func.coalesce(_RULINGS.not_before, TOUCHPOINT.c.not_before)
    due_at = case((state == str(State.PLANNED), again), else_=TOUCHPOINT.c.due_at)
    statement = (
        update(TOUCHPOINT)
        .where(
            *(() if dialect.name == "sqlite" else (NAMED,)),
            TOUCHPOINT.c.id == _RULINGS.id,
            TOUCHPOINT.c.claim_token == bindparam("token"),
            is_still(TOUCHPOINT.c.state, State.CLAIMED, State.SENDING),
        )
        .values(
            state=state,
            reason=bindparam("why"),
            detail=_RULINGS.detail,
            provider_ref=_RULINGS.provider_ref,
            language=_RULINGS.language,
            attempts=func.coalesce(bindparam("tried", type_=Integer), TOUCHPOINT.c.attempts),
            settled_at=None if waits else bindparam("now", type_=UtcDateTime),
            **({"not_before": again, "due_at": due_at} if waits else {}),
            **_RELEASED,
        )
    )
    return OnDriver(statement, dialect)


def rule(connection: Connection, rulings: Sequence[Ruling], token: str, now: datetime) -> None:
    """Write rulings down and give the touchpoints back; only the holder of the token can."""
    alike: dict[tuple[State, Reason | None, int | None], list[Ruling]] = defaultdict(list)
    for one in rulings:
        alike[one.state, one.reason, one.attempts].append(one)
    for (state, reason, attempts), some in alike.items():
        given = {
            **{"new_state": state, "why": reason, "tried": attempts, "token": token, "now": now},
            "rulings": as_rows(map(_ruling_row, some)),
            "ids": [one.id for one in some],
        }
        _rule(connection.dialect, waits=state in WAITING).execute(connection, given)


def _ruling_row(one: Ruling) -> tuple[str | int | None, ...]:
    again = None if one.not_before is None else as_text(one.not_before)
    return one.id, one.detail[:200], one.provider_ref, one.language, again


def recover(connection: Connection, now: datetime) -> tuple[int, int]:
    """Look after what a dead worker held: returns (given back to the queue, put in doubt).

    A claimed touchpoint has surely not left. One in `sending` may have: it is `in_doubt`, and
    nobody sends it again unasked (promise G3). One that somebody has is in living hands.
    """
    left = (TOUCHPOINT.c.claim_token.is_not(None), TOUCHPOINT.c.lease_until < now)
    held = in_order(connection, TOUCHPOINT, *left, pass_over=True)
    given_back = connection.execute(
        update(TOUCHPOINT).where(held, _CLAIMED).values(state=str(State.QUEUED), **_RELEASED)
    )
    doubted = connection.execute(
        update(TOUCHPOINT)
        .where(held, _SENDING)
        .values(
            state=str(State.IN_DOUBT),
            reason=str(Reason.INTERRUPTED),
            settled_at=literal(now, UtcDateTime),
            **_RELEASED,
        )
    )
    return int(given_back.rowcount), int(doubted.rowcount)

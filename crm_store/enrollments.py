"""Customers in campaigns: being looked at when due, woken before, and leaving."""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Select,
    String,
    Update,
    and_,
    bindparam,
    func,
    select,
    update,
)

from crm_store.asked import KEPT, Asked
from crm_store.columns import moment_given, unindexed
from crm_store.literals import is_word
from crm_store.locks import in_order, taken_in_order
from crm_store.models.campaign import Enrollment, EnrollmentStatus
from crm_store.models.club import Club
from crm_store.models.event import Event
from crm_store.models.touchpoint import Touchpoint
from crm_store.occasions import OF_CLUB
from crm_store.reasons import UNREACHED
from crm_store.scope import CUSTOMER, MEMBERSHIP, is_of_club
from crm_store.tables import table_of

ENROLLMENT = table_of(Enrollment)
_CLUB, _EVENT, _TOUCHPOINT = table_of(Club), table_of(Event), table_of(Touchpoint)
LOOK_AGAIN = timedelta(hours=1)
"""When to look again at what waits for something that nobody announces: the end of a pause, the
fate of a message that another channel may have to stand in for."""
IS_ACTIVE = is_word(ENROLLMENT.c.status, EnrollmentStatus.ACTIVE)
CAMPAIGN = unindexed(ENROLLMENT.c.campaign)
"""The campaign of one who is active: by an index of it SQLite would go through all who ever were in
the campaign. So it goes through those who are active, or due, who are few."""
OF_CAMPAIGN = bindparam("of_campaign", type_=String) == CAMPAIGN


def of_enrollments(columns: Iterable[ColumnElement[Any]]) -> Select[Any]:
    """A SELECT over enrollments with their customer and, where there is one, their membership."""
    return select(*columns).select_from(_WITH_CUSTOMER)


_WITH_CUSTOMER: FromClause = ENROLLMENT.join(
    CUSTOMER, CUSTOMER.c.id == ENROLLMENT.c.customer_id
).outerjoin(MEMBERSHIP, MEMBERSHIP.c.id == ENROLLMENT.c.membership_id)


class DueEnrollment(NamedTuple):
    """An enrollment that has to be looked at, with what its times depend on."""

    id: int
    version_id: int
    customer_id: int
    occurrence: str
    anchor_on: date | None
    anchor_at: datetime | None
    entered_at: datetime
    exits_from: datetime | None
    timezone: str
    """The customer's own, else the club's."""
    term_starts_on: date | None
    term_ends_on: date | None


def campaigns_due(connection: Connection, now: datetime) -> set[str]:
    """The campaigns, of whatever club, in which an enrollment wants to be looked at."""
    return set(connection.execute(_CAMPAIGNS_DUE, {"now": now}).scalars())


# Statements of the hot path are built once: SQLAlchemy then finds the compiled form by identity.
_NOW = moment_given("now")
_IS_DUE = (IS_ACTIVE, ENROLLMENT.c.next_at <= _NOW)
_CAMPAIGNS_DUE = select(CAMPAIGN).where(*_IS_DUE).distinct()
_DUE = (
    of_enrollments(
        (
            ENROLLMENT.c.id,
            ENROLLMENT.c.version_id,
            ENROLLMENT.c.customer_id,
            ENROLLMENT.c.occurrence,
            ENROLLMENT.c.anchor_on,
            ENROLLMENT.c.anchor_at,
            ENROLLMENT.c.entered_at,
            ENROLLMENT.c.exits_from,
            func.coalesce(func.nullif(CUSTOMER.c.timezone, ""), _CLUB.c.timezone),
            MEMBERSHIP.c.starts_on,
            MEMBERSHIP.c.ends_on,
        )
    )
    .join(_CLUB, _CLUB.c.id == CUSTOMER.c.club_id)
    .where(
        *_IS_DUE,
        OF_CAMPAIGN,
        OF_CLUB,
    )
    # With the campaign, which is the same in all, it is the order of the index: so a batch of a
    # hundred thousand who are due at one moment is found without putting them in order.
    .order_by(ENROLLMENT.c.next_at, ENROLLMENT.c.campaign, ENROLLMENT.c.id)
    .limit(bindparam("most"))
)


def due(
    connection: Connection, club_id: int, campaign: str, now: datetime, limit: int
) -> tuple[list[DueEnrollment], bool]:
    """A club's active enrollments in a campaign whose time to be looked at has come.

    All are of one version of it, and the caller's until the transaction ends. Also returns
    whether there may be more.
    """
    asked = {"club": club_id, "of_campaign": campaign, "now": now, "most": limit}
    first = [DueEnrollment(*row) for row in connection.execute(_DUE, asked)]
    mine = [one for one in first if one.version_id == first[0].version_id]
    is_more = len(first) == limit or len(mine) < len(first)
    if not mine or connection.dialect.name == "sqlite":
        return mine, is_more
    held = in_order(connection, ENROLLMENT, ENROLLMENT.c.id.in_([one.id for one in mine]))
    # Whoever had some of them until now may have looked at them: they are not due any more.
    still_due = connection.execute(_DUE.where(held), asked)
    return [DueEnrollment(*row) for row in still_due], is_more


def matching(
    connection: Connection, enrollment_ids: Sequence[int], condition: Asked[ColumnElement[bool]]
) -> set[int]:
    """Those of the enrollments for which the condition holds."""
    asked = {"enrollments": enrollment_ids, **condition.values}
    return set(connection.execute(_matching(condition.sql), asked).scalars())


@lru_cache(KEPT)
def _matching(condition: ColumnElement[bool]) -> Select[Any]:
    return _AMONG.where(condition)


_AMONG = of_enrollments((ENROLLMENT.c.id,)).where(
    ENROLLMENT.c.id.in_(bindparam("enrollments", expanding=True))
)


def wake(connection: Connection, who: Asked[ColumnElement[bool]], now: datetime) -> int:
    """Have `advance` look at some enrollments now. Returns how many."""
    woken = taken_in_order(connection, ENROLLMENT, who)
    done = connection.execute(_waking(woken.sql), {**woken.values, "now": now})
    return int(done.rowcount)


@lru_cache(KEPT)
def _waking(who: ColumnElement[bool]) -> Update:
    return update(ENROLLMENT).where(who).values(next_at=_NOW)


def wake_moved_terms(connection: Connection, now: datetime) -> int:
    """Have `advance` look at enrollments whose term now ends on another day."""
    return wake(connection, Asked(_OF_MOVED_TERM, {}), now)


def wake_for_exit(
    connection: Connection,
    campaign: str,
    event_ids: Sequence[int],
    exit_on: Sequence[str],
    now: datetime,
) -> None:
    """Have `advance` look now at those in the campaign whom one of these exit events concerns."""
    asked = {"of_campaign": campaign, "exits": event_ids, "exit_on": exit_on}
    wake(connection, Asked(_LEAVING, asked), now)


def wake_refused(connection: Connection, club_id: int, campaign: str, now: datetime) -> int:
    """Have `advance` look now at those of a club whose message a channel could not take.

    They were to be looked at within the hour: who waits for longer waits for something else.
    """
    asked = {"club": club_id, "of_campaign": campaign, "now": now, "by_then": now + LOOK_AGAIN}
    return wake(connection, Asked(_REFUSED, asked), now)


_OF_MOVED_TERM = and_(
    IS_ACTIVE,
    ENROLLMENT.c.anchor_on
    != select(MEMBERSHIP.c.ends_on)
    .where(MEMBERSHIP.c.id == ENROLLMENT.c.membership_id)
    .scalar_subquery(),
)
_LEAVING = and_(
    IS_ACTIVE,
    ENROLLMENT.c.campaign == bindparam("of_campaign"),
    ENROLLMENT.c.customer_id.in_(
        select(_EVENT.c.customer_id).where(
            _EVENT.c.id.in_(bindparam("exits", expanding=True)),
            _EVENT.c.name.in_(bindparam("exit_on", expanding=True)),
        )
    ),
)
_REFUSED = and_(
    IS_ACTIVE,
    OF_CAMPAIGN,
    is_of_club(ENROLLMENT, bindparam("club")),
    ENROLLMENT.c.next_at > _NOW,
    ENROLLMENT.c.next_at <= moment_given("by_then"),
    select(_TOUCHPOINT.c.id)
    .where(
        _TOUCHPOINT.c.enrollment_id == ENROLLMENT.c.id,
        _TOUCHPOINT.c.reason.in_([str(reason) for reason in UNREACHED]),
    )
    .exists(),
)


def move_to(
    connection: Connection, club_id: int, campaign: str, version_id: int, now: datetime
) -> None:
    """Move who of a club is in a campaign under another version to this one.

    `advance` looks at them then.
    """
    behind = in_order(
        connection,
        ENROLLMENT,
        IS_ACTIVE,
        ENROLLMENT.c.campaign == campaign,
        ENROLLMENT.c.version_id != version_id,
        is_of_club(ENROLLMENT, club_id),
    )
    connection.execute(update(ENROLLMENT).where(behind).values(version_id=version_id, next_at=now))


class Progress(NamedTuple):
    """What a look at an enrollment came to."""

    id: int
    status: EnrollmentStatus
    next_at: datetime | None
    exits_from: datetime
    goal_until: datetime | None
    anchor_on: date | None
    end_reason: str | None = None


_KEEP_PROGRESS = (
    update(ENROLLMENT)
    .where(ENROLLMENT.c.id == bindparam("of_id"))
    .values(
        status=bindparam("new_status"),
        next_at=bindparam("new_next_at"),
        exits_from=bindparam("new_exits_from"),
        goal_until=bindparam("new_goal_until"),
        anchor_on=bindparam("new_anchor_on"),
        end_reason=bindparam("new_end_reason"),
        ended_at=bindparam("new_ended_at"),
    )
)


def keep_progress(connection: Connection, looked_at: Sequence[Progress], now: datetime) -> None:
    """Write down what a look at each enrollment came to: the caller has them from `due`."""
    if not looked_at:
        return
    connection.execute(
        _KEEP_PROGRESS,
        [
            {
                "of_id": one.id,
                "new_status": str(one.status),
                "new_next_at": one.next_at,
                "new_exits_from": one.exits_from,
                "new_goal_until": one.goal_until,
                "new_anchor_on": one.anchor_on,
                "new_end_reason": one.end_reason,
                "new_ended_at": None if one.status == EnrollmentStatus.ACTIVE else now,
            }
            for one in looked_at
        ],
    )


def waiting(connection: Connection, club_id: int, campaigns: Collection[str]) -> dict[str, int]:
    """By campaign: how many of a club are in it with steps to come; none where it is not named."""
    asked = {"club": club_id, "campaigns": list(campaigns)}
    rows = connection.execute(_WAITING, asked)
    return {row[0]: row[1] for row in rows}


def waiting_elsewhere(
    connection: Connection, club_id: int, campaigns: Collection[str]
) -> dict[str, int]:
    """The same of every campaign but those named."""
    asked = {"club": club_id, "campaigns": list(campaigns)}
    rows = connection.execute(_WAITING_ELSEWHERE, asked)
    return {row[0]: row[1] for row in rows}


def _count_inside(which: ColumnElement[bool]) -> Select[Any]:
    return (
        select(CAMPAIGN, func.count())
        .select_from(ENROLLMENT.join(CUSTOMER, CUSTOMER.c.id == ENROLLMENT.c.customer_id))
        .where(IS_ACTIVE, which, OF_CLUB)
        .group_by(CAMPAIGN)
    )


_NAMED = CAMPAIGN.in_(bindparam("campaigns", expanding=True))
_WAITING = _count_inside(_NAMED)
_WAITING_ELSEWHERE = _count_inside(~_NAMED).order_by(CAMPAIGN)

"""Foresight's queries: what is due next, what counts as sent unsent, and what was decided."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    and_,
    bindparam,
    func,
    insert,
    or_,
    select,
    union,
    update,
)

from crm_store.admission import Among
from crm_store.asked import Asked
from crm_store.columns import moment_given
from crm_store.enrollments import ENROLLMENT, IS_ACTIVE
from crm_store.event_facts import Told, keep_facts
from crm_store.inserting import insert_new
from crm_store.literals import is_word
from crm_store.models.activity import Visit
from crm_store.models.campaign import CampaignVersion
from crm_store.models.event import Event
from crm_store.models.membership import Membership, MembershipStatus
from crm_store.models.touchpoint import State
from crm_store.occasions import Occasions
from crm_store.scope import CUSTOMER
from crm_store.tables import table_of
from crm_store.touchpoints import TOUCHPOINT

WEEKS_52 = timedelta(weeks=52)
"""A year to the weekday: people have their days."""
_EVENT, _MEMBERSHIP, _VISIT = table_of(Event), table_of(Membership), table_of(Visit)
_VERSION = table_of(CampaignVersion)

_PLANNED = is_word(TOUCHPOINT.c.state, State.PLANNED)
_QUEUED = is_word(TOUCHPOINT.c.state, State.QUEUED)


# Asked once a moment, and built once: SQLAlchemy then finds the compiled form by identity.
_NEXT_DUE = select(
    select(func.min(ENROLLMENT.c.next_at)).where(IS_ACTIVE).scalar_subquery(),
    select(func.min(TOUCHPOINT.c.due_at)).where(_PLANNED).scalar_subquery(),
    select(func.min(_EVENT.c.occurred_at)).where(_EVENT.c.handled_at.is_(None)).scalar_subquery(),
)
_NOW = moment_given("now")
_CAMPAIGNS_DUE = union(
    select(ENROLLMENT.c.campaign).where(IS_ACTIVE, ENROLLMENT.c.next_at <= _NOW).distinct(),
    select(TOUCHPOINT.c.campaign).where(_PLANNED, TOUCHPOINT.c.due_at <= _NOW).distinct(),
    select(TOUCHPOINT.c.campaign).where(_QUEUED, TOUCHPOINT.c.not_before <= _NOW).distinct(),
)


def next_due(connection: Connection) -> datetime | None:
    """The next moment at which something wants to be looked at.

    An enrollment, a planned touchpoint, or an event that is dated later than the clock stands.
    """
    found = connection.execute(_NEXT_DUE).one()
    return min((moment for moment in found if moment is not None), default=None)


def next_visit(connection: Connection, now: datetime) -> datetime | None:
    """The next moment at which somebody comes."""
    comes: datetime | None = connection.scalar(_NEXT_VISIT, {"now": now})
    return comes


def comes_between(connection: Connection, since: datetime, until: datetime) -> bool:
    """Whether anybody comes in (`since`, `until`]."""
    asked = {"seen_since": since, "seen_by": until}
    return connection.execute(_COMES, asked).first() is not None


def newest_event(connection: Connection) -> int:
    """The id of the event that was recorded last; 0 when there is none."""
    return connection.scalar(_NEWEST_EVENT) or 0


def told_of(after_event: int) -> Among:
    """The customers of whom an event after this one tells."""
    return Asked(_TOLD_OF, {"after_event": after_event})


def seen(since: datetime, now: datetime, after_event: int) -> Among:
    """The customers who came in (`since`, `now`], or of whom an event after this one tells."""
    return Asked(_SEEN, {"seen_since": since, "seen_by": now, "after_event": after_event})


_NEXT_VISIT = select(func.min(_VISIT.c.visited_at)).where(_VISIT.c.visited_at > _NOW)
_NEWEST_EVENT = select(func.max(_EVENT.c.id))
_VISITORS = select(_VISIT.c.customer_id).where(
    _VISIT.c.visited_at > moment_given("seen_since"),
    _VISIT.c.visited_at <= moment_given("seen_by"),
)
_COMES = _VISITORS.limit(1)
_TOLD_OF = select(_EVENT.c.customer_id).where(_EVENT.c.id > bindparam("after_event"))
_SEEN = union(_VISITORS, _TOLD_OF)


def campaigns_due(connection: Connection, now: datetime) -> set[str]:
    """The campaigns in which something is due: to be looked at, planned, or queued."""
    return set(connection.execute(_CAMPAIGNS_DUE, {"now": now}).scalars())


def anything_queued(connection: Connection) -> bool:
    """Whether a touchpoint waits that could not leave when its time came."""
    return connection.execute(select(TOUCHPOINT.c.id).where(_QUEUED).limit(1)).first() is not None


_ACCEPT = (
    update(TOUCHPOINT)
    .where(
        TOUCHPOINT.c.id.in_(bindparam("ids", expanding=True)),
        TOUCHPOINT.c.claim_token == bindparam("token"),
    )
    .values(
        state=str(State.ACCEPTED),
        reason=None,
        sent_at=moment_given("at"),
        settled_at=moment_given("at"),
        attempts=TOUCHPOINT.c.attempts + 1,
        claim_token=None,
        lease_until=None,
    )
)


def accept_claimed(connection: Connection, ids: Sequence[int], token: str, now: datetime) -> None:
    """On a scratch store: claimed touchpoints count as handed over and accepted."""
    if ids:
        connection.execute(_ACCEPT, {"ids": list(ids), "token": token, "at": now})


def come_as_before(connection: Connection, since: datetime, until: datetime) -> int:
    """On a scratch store: everyone comes until `until` as 52 weeks before. Returns how many times.

    The visits are there at once: whoever asks at a moment does not see those after it.
    """
    made = 0
    while since < until:
        year_ago, part = since - WEEKS_52, min(until, since + WEEKS_52)
        past = select(
            _VISIT.c.customer_id,
            # The fixed-width text that SQLite keeps moments as.
            func.strftime("%Y-%m-%d %H:%M:%f000", _VISIT.c.visited_at, "+364 days"),
        ).where(_VISIT.c.visited_at > year_ago, _VISIT.c.visited_at <= part - WEEKS_52)
        columns = ["customer_id", "visited_at"]
        statement = insert_new(connection, _VISIT).from_select(columns, past)
        made += connection.execute(
            statement, execution_options={"preserve_rowcount": True}
        ).rowcount
        since = part
    return made


def record_all(
    connection: Connection,
    customer_ids: Sequence[int],
    name: str,
    data: dict[str, Any],
    source_id: str,
    at: datetime,
) -> None:
    """On a scratch store: the same event happens to many customers at one moment."""
    connection.execute(
        insert(_EVENT),
        [
            {
                "customer_id": one,
                "name": name,
                "data": data,
                "source": "simulation",
                "source_id": f"{source_id}:{one}",
                "occurred_at": at,
                "recorded_at": at,
            }
            for one in customer_ids
        ],
    )
    for one in customer_ids:
        keep_facts(connection, name, Told(one, data, f"{source_id}:{one}", at, at))


def renew_terms(connection: Connection, customer_ids: Sequence[int], now: datetime) -> None:
    """On a scratch store: the latest term of each customer is followed by one like it."""
    later = _MEMBERSHIP.alias("later")
    is_latest = ~(
        select(later.c.id)
        .where(
            later.c.customer_id == _MEMBERSHIP.c.customer_id,
            later.c.ends_on > _MEMBERSHIP.c.ends_on,
        )
        .exists()
    )
    terms = connection.execute(
        select(_MEMBERSHIP).where(_MEMBERSHIP.c.customer_id.in_(customer_ids), is_latest)
    ).mappings()
    rows = [
        {
            **{name: term[name] for name in ("customer_id", "ref", "plan", "auto_renew")},
            "starts_on": term["ends_on"] + timedelta(days=1),
            "ends_on": term["ends_on"] + (term["ends_on"] - term["starts_on"]) + timedelta(days=1),
            "status": str(MembershipStatus.ACTIVE),
            "created_at": now,
            "updated_at": now,
        }
        for term in terms
    ]
    if rows:
        connection.execute(insert_new(connection, _MEMBERSHIP), rows)


@dataclass(frozen=True)
class Decision:
    """A touchpoint about which something was decided."""

    campaign: str
    step: str
    variant: str
    channel: str
    state: str
    reason: str | None
    customer_ref: str
    at: datetime
    """When it left or was settled; of one that waits, when it is tried next."""


def decisions_between(
    connection: Connection, club_id: int, begin: datetime, end: datetime
) -> list[Decision]:
    """What left or was settled in [`begin`, `end`), and what then still waits for a reason."""
    settled = func.coalesce(TOUCHPOINT.c.sent_at, TOUCHPOINT.c.settled_at)
    waits = and_(or_(_PLANNED, _QUEUED), TOUCHPOINT.c.reason.is_not(None))
    rows = connection.execute(
        select(
            TOUCHPOINT.c.campaign,
            TOUCHPOINT.c.step,
            TOUCHPOINT.c.variant,
            TOUCHPOINT.c.channel,
            TOUCHPOINT.c.state,
            TOUCHPOINT.c.reason,
            CUSTOMER.c.ref,
            func.coalesce(settled, TOUCHPOINT.c.not_before),
        )
        .join(CUSTOMER, CUSTOMER.c.id == TOUCHPOINT.c.customer_id)
        .where(CUSTOMER.c.club_id == club_id, or_(and_(settled >= begin, settled < end), waits))
        .order_by(TOUCHPOINT.c.campaign, TOUCHPOINT.c.due_at, TOUCHPOINT.c.id)
    )
    return [Decision(*row) for row in rows]


def not_admitted(connection: Connection, campaign: str, occasions: Occasions) -> int:
    """How many have this occasion and are not in the campaign for it."""
    outside = _outside(campaign, occasions).subquery()
    query = select(func.count()).select_from(outside)
    return connection.execute(query, occasions.values).scalar_one()


def anchors_outside(
    connection: Connection, campaign: str, occasions: Occasions
) -> list[date | datetime]:
    """The days or moments of the occasions for which nobody is in the campaign."""
    rows = connection.execute(_outside(campaign, occasions), occasions.values)
    return [row.anchor_at or row.anchor_on for row in rows]


def _outside(campaign: str, occasions: Occasions) -> Select[Any]:
    mine = occasions.sql.selected_columns
    entered = (
        select(ENROLLMENT.c.id)
        .where(
            ENROLLMENT.c.campaign == campaign,
            ENROLLMENT.c.customer_id == mine.customer_id,
            ENROLLMENT.c.occurrence == mine.occurrence,
        )
        .exists()
    )
    return occasions.sql.where(~entered)


def newest_versions(connection: Connection) -> dict[str, tuple[int, str]]:
    """By campaign: the number and the digest of its newest version."""
    rows = connection.execute(
        select(_VERSION.c.campaign, _VERSION.c.version, _VERSION.c.digest).order_by(
            _VERSION.c.version
        )
    )
    return {row.campaign: (row.version, row.digest) for row in rows}


def in_flight(connection: Connection, club_id: int, campaign: str) -> list[tuple[int, int]]:
    """(enrollment, number of its version) of everyone who has steps to come."""
    rows = connection.execute(
        select(ENROLLMENT.c.id, _VERSION.c.version)
        .join(_VERSION, _VERSION.c.id == ENROLLMENT.c.version_id)
        .join(CUSTOMER, CUSTOMER.c.id == ENROLLMENT.c.customer_id)
        .where(IS_ACTIVE, ENROLLMENT.c.campaign == campaign, CUSTOMER.c.club_id == club_id)
    )
    return [(row.id, row.version) for row in rows]

"""Recording events, and the inbox from which the intake takes them."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, bindparam, select, update

from crm_store.columns import moment_given
from crm_store.event_facts import Told, keep_facts
from crm_store.happenings import after_messages, latest_by_name
from crm_store.inserting import insert_new
from crm_store.models.event import Event
from crm_store.models.touchpoint import Touchpoint
from crm_store.tables import table_of

_EVENT, _TOUCHPOINT = table_of(Event), table_of(Touchpoint)


def record(
    connection: Connection,
    *,
    customer_id: int,
    name: str,
    data: dict[str, Any] | None = None,
    source: str,
    source_id: str | None = None,
    occurred_at: datetime,
    now: datetime,
) -> int | None:
    """Write an event down; return its id, or `None` when this delivery is already known.

    What the event says of her is kept with it: a `stage_changed` moves her, a `visit_recorded` is
    a visit. Raises `UsageError` when its data lacks what its name promises.
    """
    source_id = source_id or uuid4().hex
    made = connection.execute(
        insert_new(connection, _EVENT)
        .values(
            customer_id=customer_id,
            name=name,
            data=data or {},
            source=source,
            source_id=source_id,
            occurred_at=occurred_at,
            recorded_at=now,
        )
        .returning(_EVENT.c.id)
    ).scalar_one_or_none()
    if made is not None:
        keep_facts(connection, name, Told(customer_id, data or {}, source_id, occurred_at, now))
    return made


def record_all(
    connection: Connection, events: Sequence[Mapping[str, Any]], now: datetime
) -> set[tuple[str, str]]:
    """Write many events down with one statement; (source, source id) of those that are new.

    Each has the columns of an event. Only for names that say nothing that is kept elsewhere.
    """
    if not events:
        return set()
    made = connection.execute(
        insert_new(connection, _EVENT).returning(_EVENT.c.source, _EVENT.c.source_id),
        [{**event, "recorded_at": now} for event in events],
    )
    return {(source, source_id) for source, source_id in made}


def take_unhandled(connection: Connection, *, limit: int, now: datetime) -> list[tuple[int, str]]:
    """Mark the oldest unhandled events as handled; return their (id, name).

    One that is dated later than `now` waits for its moment: until then nobody is let in for it.
    The caller works in the same transaction or right after it. Nothing is lost when it dies in
    between: the sweep admits by what happened, not by this mark.
    """
    taken = connection.execute(_TAKE, {"most": limit, "now": now})
    return sorted((row.id, row.name) for row in taken)


# Built once, as the intake asks five times a second.
_NOW = moment_given("now")
# An alias: a subquery over the updated table itself would be taken as correlated to it.
_CANDIDATE = _EVENT.alias("candidate")
_OLDEST = (
    select(_CANDIDATE.c.id)
    .where(_CANDIDATE.c.handled_at.is_(None), _CANDIDATE.c.occurred_at <= _NOW)
    .order_by(_CANDIDATE.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
    # A CTE: PostgreSQL may run a locking subquery once per row, past its LIMIT.
    .cte("oldest")
)
_TAKE = (
    update(_EVENT)
    .where(_EVENT.c.id.in_(select(_OLDEST.c.id)))
    .values(handled_at=_NOW)
    .returning(_EVENT.c.id, _EVENT.c.name)
)
_WAITS = (
    select(_EVENT.c.id).where(_EVENT.c.handled_at.is_(None), _EVENT.c.occurred_at <= _NOW).limit(1)
)


def has_unhandled(connection: Connection, now: datetime) -> bool:
    """Whether the inbox holds anything to be handled now: one look into a small index."""
    return connection.execute(_WAITS, {"now": now}).first() is not None


def is_recorded(connection: Connection, name: str) -> bool:
    """Whether any event has this name."""
    query = select(_EVENT.c.id).where(_EVENT.c.name == name).limit(1)
    return connection.execute(query).first() is not None


def latest_by_customer(
    connection: Connection, customer_ids: Sequence[int], names: Sequence[str]
) -> dict[int, datetime]:
    """When the latest event of any of these names happened to each customer."""
    latest: dict[int, datetime] = {}
    for query, asked in latest_by_name(customer_ids, names):
        for customer_id, moment in connection.execute(query, asked):
            latest[customer_id] = max(moment, latest.get(customer_id, moment))
    return latest


def answered(
    connection: Connection, touchpoint_ids: Sequence[int], name: str, within: timedelta
) -> set[int]:
    """The touchpoints after whose message the event came, no later than `within`."""
    if not touchpoint_ids:
        return set()
    rows = connection.execute(after_messages(touchpoint_ids, name))
    return {row.id for row in rows if row.happened_at <= row.sent_at + within}

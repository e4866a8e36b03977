"""The inbox: putting in what arrives, taking it out to be read, and saying what became of it.

A message is safe once `receive` has committed: then its sender may hear 2xx. Whoever takes it
holds it for a while; if he dies, it is there for the next. So a reader may meet a message twice,
and does nothing the second time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, bindparam, delete, func, select, update

from crm_store.columns import UtcDateTime
from crm_store.inserting import insert_new
from crm_store.locks import in_order
from crm_store.models.inbox import InboundMessage
from crm_store.tables import table_of

_INBOX = table_of(InboundMessage)

HOLD = timedelta(minutes=5)
"""How long a message belongs to whoever took it."""
KEEP_HANDLED = timedelta(days=30)
"""How long a handled message's id is remembered; the longest that any sender repeats is far less.
What a later replay says is known as an event by then."""


@dataclass(frozen=True)
class Arrival:
    """A verified message on its way in; see `InboundMessage` for what each part means."""

    source: str
    source_id: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Taken:
    """A message in the hands of its reader."""

    id: int
    source: str
    source_id: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    attempts: int
    """This one included."""


def receive(connection: Connection, club_id: int, arrival: Arrival, now: datetime) -> bool:
    """Put one message in; False when it is here already: a replay."""
    return receive_all(connection, club_id, [arrival], now) == [True]


def receive_all(
    connection: Connection, club_id: int, arrivals: Sequence[Arrival], now: datetime
) -> list[bool]:
    """Put messages in with one statement; for each, whether it is new."""
    if not arrivals:
        return []
    made = connection.execute(
        insert_new(connection, _INBOX).returning(_INBOX.c.source, _INBOX.c.source_id),
        [
            {
                "club_id": club_id,
                "source": one.source,
                "source_id": one.source_id,
                "headers": dict(one.headers),
                "body": one.body,
                "received_at": now,
                "not_before": now,
                "attempts": 0,
            }
            for one in arrivals
        ],
    )
    new = {(source, source_id) for source, source_id in made}
    # The same message twice in one batch: the first of them is the new one.
    answers = []
    for one in arrivals:
        answers.append((one.source, one.source_id) in new)
        new.discard((one.source, one.source_id))
    return answers


def has_waiting(connection: Connection, club_id: int, now: datetime) -> bool:
    """Whether anything waits to be read: one look into a small index."""
    query = select(_INBOX.c.id).where(*_waiting(club_id, now)).limit(1)
    return connection.execute(query).first() is not None


def take(connection: Connection, club_id: int, *, limit: int, now: datetime) -> list[Taken]:
    """The oldest waiting messages; until `now + HOLD` nobody else can take them.

    Commit before reading them: then a message that kills its reader is not met for ever.
    """
    oldest = (
        select(_INBOX.c.id)
        .where(*_waiting(club_id, now))
        .order_by(_INBOX.c.not_before, _INBOX.c.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
        # A CTE: PostgreSQL may run a locking subquery once per row, past its LIMIT.
        .cte("oldest")
    )
    rows = connection.execute(
        update(_INBOX)
        .where(_INBOX.c.id.in_(select(oldest.c.id)))
        .values(not_before=now + HOLD, attempts=_INBOX.c.attempts + 1)
        .returning(
            _INBOX.c.id,
            _INBOX.c.source,
            _INBOX.c.source_id,
            _INBOX.c.headers,
            _INBOX.c.body,
            _INBOX.c.received_at,
            _INBOX.c.attempts,
        )
    )
    return sorted((Taken(*row) for row in rows), key=lambda one: one.id)


def _waiting(club_id: int, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        _INBOX.c.club_id == club_id,
        _INBOX.c.handled_at.is_(None),
        _INBOX.c.not_before <= now,
    )


def settle(connection: Connection, ids: Sequence[int], now: datetime) -> None:
    """These were read, and what they said is in the store: in this transaction, or before it."""
    if ids:
        read = in_order(connection, _INBOX, _INBOX.c.id.in_(ids))
        connection.execute(
            update(_INBOX).where(read).values(handled_at=now, failure=None, body=b"", headers={})
        )


_FAIL = (
    update(_INBOX)
    .where(_INBOX.c.id == bindparam("of_id"), _INBOX.c.handled_at.is_(None))
    .values(handled_at=bindparam("at", type_=UtcDateTime), failure=bindparam("why"))
)


def fail(connection: Connection, reasons: Mapping[int, str], now: datetime) -> None:
    """These cannot be used, by id for this reason; they stay for people to look at."""
    if reasons:
        rows = [{"of_id": one, "at": now, "why": why[:300]} for one, why in reasons.items()]
        connection.execute(_FAIL, rows)


def put_back(connection: Connection, ids: Sequence[int], not_before: datetime) -> None:
    """These are to be tried again from `not_before` on."""
    _wait(connection, ids, not_before, _INBOX.c.attempts)


def give_back(connection: Connection, ids: Sequence[int], not_before: datetime) -> None:
    """The same for messages that could not be tried, for no fault of theirs: it was no attempt."""
    _wait(connection, ids, not_before, _INBOX.c.attempts - 1)


def _wait(
    connection: Connection,
    ids: Sequence[int],
    not_before: datetime,
    attempts: ColumnElement[int],
) -> None:
    if ids:
        unread = in_order(connection, _INBOX, _INBOX.c.id.in_(ids), _INBOX.c.handled_at.is_(None))
        connection.execute(
            update(_INBOX).where(unread).values(not_before=not_before, attempts=attempts)
        )


@dataclass(frozen=True)
class Failed:
    """A message that could not be used. What it said is kept, and not shown: it may be personal."""

    id: int
    source: str
    received_at: datetime
    attempts: int
    failure: str


def failed(connection: Connection, club_id: int) -> list[Failed]:
    """Those that could not be used, the latest first."""
    rows = connection.execute(
        select(
            _INBOX.c.id,
            _INBOX.c.source,
            _INBOX.c.received_at,
            _INBOX.c.attempts,
            _INBOX.c.failure,
        )
        .where(_INBOX.c.club_id == club_id, _INBOX.c.failure.is_not(None))
        .order_by(_INBOX.c.id.desc())
    )
    return [Failed(*row) for row in rows]


def count_waiting(connection: Connection, club_id: int) -> int:
    """How many are still to be read."""
    waiting = select(func.count()).where(_INBOX.c.club_id == club_id, _INBOX.c.handled_at.is_(None))
    return connection.execute(waiting).scalar_one()


def count_failed(connection: Connection) -> int:
    """How many of any club could not be used."""
    return connection.execute(
        select(func.count()).where(_INBOX.c.failure.is_not(None))
    ).scalar_one()


def read_again(connection: Connection, club_id: int, ids: Sequence[int], now: datetime) -> int:
    """Let failed messages be read once more, as if they had just come in; how many there were."""
    unused = (_INBOX.c.club_id == club_id, _INBOX.c.failure.is_not(None), _INBOX.c.id.in_(ids))
    done = connection.execute(
        update(_INBOX)
        .where(in_order(connection, _INBOX, *unused))
        .values(handled_at=None, failure=None, attempts=0, not_before=now)
    )
    return done.rowcount


def forget(connection: Connection, now: datetime) -> int:
    """Drop what was handled, or failed, longer than `KEEP_HANDLED` ago; how many."""
    old = in_order(connection, _INBOX, _INBOX.c.handled_at < now - KEEP_HANDLED)
    return connection.execute(delete(_INBOX).where(old)).rowcount

"""Writing a batch of membership terms: new ones, renewals, changes and cancellations."""

from collections.abc import Mapping, Sequence
from datetime import date
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from crm_store.event_names import MEMBERSHIP_CANCELLED, MEMBERSHIP_RENEWED
from crm_store.imports.batch import SOURCE, Incoming, Outcome, Purpose
from crm_store.imports.whose import with_customers
from crm_store.inserting import insert_into, insert_new
from crm_store.models.event import Event
from crm_store.models.membership import Membership, MembershipStatus
from crm_store.tables import table_of

_MEMBERSHIP, _EVENT = table_of(Membership), table_of(Event)
_CHANGING = ("ref", "plan", "starts_on", "ends_on", "auto_renew", "status")

Key = tuple[int, str, date]
"""Customer, reference of the membership, first day of the term."""
Span = tuple[date, date]
"""The latest first day and the latest last day of some terms."""


def store_memberships(
    connection: Connection, rows: Sequence[Incoming], purpose: Purpose, *, dry_run: bool
) -> Outcome:
    """Compare a batch (each term at most once) with the store, and write the difference."""
    outcome = Outcome()
    whose = with_customers(connection, rows, purpose, outcome)
    customers = [customer_id for customer_id, _row in whose]
    known = _known(connection, customers)
    by_end = {(*key[:2], term["plan"], term["ends_on"]): term for key, term in known.items()}
    by_span = {_span(term): term for term in known.values()}
    latest = _latest_before(connection, customers, purpose)
    furthest: dict[int, date] = {}
    for customer_id, incoming in whose:
        end = incoming.values["ends_on"]
        furthest[customer_id] = max(end, furthest.get(customer_id, end))
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    events: list[dict[str, Any]] = []
    for customer_id, incoming in whose:
        row = _row(customer_id, incoming, purpose)
        if row["ends_on"] < row["starts_on"]:
            outcome.refused[incoming.line] = ("ends_on", "The term ends before it starts.")
            continue
        key = (customer_id, row["ref"])
        # With the same plan and the same end it is the known term, its first day put right.
        before = known.get((*key, row["starts_on"])) or by_end.get(
            (*key, row["plan"], row["ends_on"])
        )
        before = before or _same_span(row, by_span)
        if before is None:
            new.append(row)
            spans = [latest.get(key)]
            if row["ends_on"] == furthest[customer_id]:
                spans.append(latest.get(customer_id))
            if _renews(row, spans):
                events.append(_event(MEMBERSHIP_RENEWED, row, purpose))
            continue
        after = {name: incoming.values.get(name, before[name]) for name in _CHANGING}
        if all(before[name] == value for name, value in after.items()):
            outcome.unchanged += 1
            continue
        changed.append({"key": before["id"], "updated_at": purpose.now} | after)
        if MembershipStatus.CANCELLED == after["status"] != before["status"]:
            events.append(_event(MEMBERSHIP_CANCELLED, row | after, purpose))
    outcome.added, outcome.updated = len(new), len(changed)
    if not dry_run:
        _write(connection, new, changed, events)
    return outcome


def _row(customer_id: int, incoming: Incoming, purpose: Purpose) -> dict[str, Any]:
    values = incoming.values
    return {
        "customer_id": customer_id,
        # A file without references knows one membership of a customer at a time.
        "ref": values.get("ref", _unnamed(customer_id)),
        "plan": values["plan"],
        "starts_on": values["starts_on"],
        "ends_on": values["ends_on"],
        "auto_renew": values.get("auto_renew", False),
        "status": values.get("status", MembershipStatus.ACTIVE.value),
        "created_at": purpose.now,
        "updated_at": purpose.now,
    }


def _unnamed(customer_id: int) -> str:
    return f"customer:{customer_id}"


def _span(term: Mapping[str, Any]) -> tuple[Any, ...]:
    return (term["customer_id"], term["plan"], term["starts_on"], term["ends_on"])


def _same_span(
    row: Mapping[str, Any], by_span: dict[tuple[Any, ...], dict[str, Any]]
) -> dict[str, Any] | None:
    """The known term of the same plan and days, where only one of the two has a reference.

    A club that adds the column to its export later must not have every term twice: each would
    bring the same message.
    """
    found = by_span.get(_span(row))
    if found is None or _unnamed(row["customer_id"]) not in (found["ref"], row["ref"]):
        return None
    return by_span.pop(_span(row))


def _known(connection: Connection, customers: Sequence[int]) -> dict[Key, dict[str, Any]]:
    found = connection.execute(select(_MEMBERSHIP).where(_MEMBERSHIP.c.customer_id.in_(customers)))
    return {(row.customer_id, row.ref, row.starts_on): dict(row._mapping) for row in found}


def _latest_before(
    connection: Connection, customers: Sequence[int], purpose: Purpose
) -> dict[int | tuple[int, str], Span]:
    """The span of each membership, and of each customer, as known before this import began.

    The terms of one file do not renew each other: that is history, and nobody renewed today.
    """
    found = connection.execute(
        select(
            _MEMBERSHIP.c.customer_id,
            _MEMBERSHIP.c.ref,
            func.max(_MEMBERSHIP.c.starts_on),
            func.max(_MEMBERSHIP.c.ends_on),
        )
        .where(_MEMBERSHIP.c.customer_id.in_(customers), _MEMBERSHIP.c.created_at < purpose.now)
        .group_by(_MEMBERSHIP.c.customer_id, _MEMBERSHIP.c.ref)
    )
    spans: dict[int | tuple[int, str], Span] = {}
    for customer_id, ref, start, end in found:
        spans[customer_id, ref] = (start, end)
        last_start, last_end = spans.get(customer_id, (start, end))
        spans[customer_id] = (max(start, last_start), max(end, last_end))
    return spans


def _renews(row: dict[str, Any], spans: Sequence[Span | None]) -> bool:
    """Whether a new term begins and ends after all of its membership, or all of the customer's.

    Many programs give every contract a reference of its own: there a renewal looks like another
    membership. A term that was called off renews nothing.
    """
    return row["status"] != MembershipStatus.CANCELLED and any(
        span is not None and row["starts_on"] > span[0] and row["ends_on"] > span[1]
        for span in spans
    )


def _event(name: str, row: dict[str, Any], purpose: Purpose) -> dict[str, Any]:
    return {
        "customer_id": row["customer_id"],
        "name": name,
        "data": {"ref": row["ref"], "plan": row["plan"], "ends_on": row["ends_on"].isoformat()},
        "source": SOURCE,
        "source_id": f"{name}:{row['customer_id']}:{row['ref']}:{row['starts_on']}",
        "occurred_at": purpose.now,
        "recorded_at": purpose.now,
    }


def _write(
    connection: Connection,
    new: Sequence[dict[str, Any]],
    changed: Sequence[dict[str, Any]],
    events: Sequence[dict[str, Any]],
) -> None:
    # In the order of unique keys and ids: see `crm_store.locks`.
    if new:
        statement = insert_into(connection, _MEMBERSHIP)
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=["customer_id", "ref", "starts_on"],
                set_={name: statement.excluded[name] for name in (*_CHANGING, "updated_at")},
            ),
            sorted(new, key=itemgetter("customer_id", "ref", "starts_on")),
        )
    if changed:
        names = (*_CHANGING, "updated_at")
        connection.execute(
            update(_MEMBERSHIP)
            .where(_MEMBERSHIP.c.id == bindparam("key"))
            .values({name: bindparam(name) for name in names}),
            sorted(changed, key=itemgetter("key")),
        )
    if events:
        events = sorted(events, key=itemgetter("source_id"))
        connection.execute(insert_new(connection, _EVENT), events)

"""Writing a batch of customers: new ones, changes, tags, consent, and moves between stages.

An empty cell says nothing: what is known stays. Tags are added, never taken away.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from crm_store.catalogue.field import Catalogue
from crm_store.catalogue.values import NameOfCustomer, OfCustomer
from crm_store.event_names import STAGE_CHANGED
from crm_store.imports.batch import SOURCE, Incoming, Outcome, Purpose
from crm_store.imports.permission import (
    Answer,
    answers,
    close_addresses,
    closed_addresses,
    is_news,
    says_of_permission,
    stored_answers,
    write_answers,
)
from crm_store.inserting import insert_into, insert_new
from crm_store.locks import Lock, hold
from crm_store.models.consent import Reach
from crm_store.models.customer import Customer, CustomerTag
from crm_store.models.event import Event
from crm_store.suppressions import suppressions
from crm_store.tables import table_of

_CUSTOMER, _TAG, _EVENT = table_of(Customer), table_of(CustomerTag), table_of(Event)


@dataclass(frozen=True)
class Change:
    """What a row brings of one customer: her columns before and after, and what is new."""

    before: dict[str, Any] | None
    """As stored; None when she is new."""
    after: dict[str, Any]
    tags: list[str]
    answers: list[Answer]
    closed: set[tuple[str, str]]
    """(channel, address) pairs to suppress."""

    @property
    def ref(self) -> str:
        return str(self.after["ref"])

    @property
    def differs(self) -> bool:
        """Whether a column of a known customer has another value."""
        before = self.before
        return before is not None and any(
            before[name] != value for name, value in self.after.items() if name != "updated_at"
        )

    @property
    def moved(self) -> bool:
        """Whether she went from one stage to another."""
        before = self.before
        return before is not None and before["stage_changed_at"] != self.after["stage_changed_at"]


def plain_columns(catalogue: Catalogue) -> list[str]:
    """The columns of `customer` that a file may fill, as the catalogue names them."""
    return [
        field.value.column
        for field in catalogue
        if isinstance(field.value, OfCustomer | NameOfCustomer)
    ]


def custom_keys(catalogue: Catalogue) -> list[str]:
    """The keys of the club's own fields."""
    return [
        field.name.removeprefix("custom.")
        for field in catalogue
        if field.name.startswith("custom.")
    ]


def store_customers(
    connection: Connection, rows: Sequence[Incoming], purpose: Purpose, *, dry_run: bool
) -> Outcome:
    """Compare a batch (each reference at most once) with the store, and write the difference."""
    if not dry_run and any(map(says_of_permission, rows)):
        hold(connection, Lock.PERMISSION)
    changes = _changes(connection, rows, purpose)
    outcome = Outcome()
    for change in changes:
        if change.before is None:
            outcome.added += 1
        elif change.differs or change.tags or change.answers or change.closed:
            outcome.updated += 1
        else:
            outcome.unchanged += 1
    if not dry_run:
        _write(connection, changes, purpose)
    return outcome


def _changes(connection: Connection, rows: Sequence[Incoming], purpose: Purpose) -> list[Change]:
    known = _known(connection, rows, purpose)
    ids = [row["id"] for row in known.values()]
    tagged = _stored_tags(connection, ids)
    said = stored_answers(connection, ids)
    closing = {
        row.line: closed_addresses(row.values, known.get(row.values["ref"], {})) for row in rows
    }
    closed = {
        address
        for address, found in suppressions(connection, set().union(*closing.values())).items()
        if found.reach == Reach.EVERYTHING
    }
    changes = []
    for row in rows:
        before = known.get(row.values["ref"])
        key = before["id"] if before else None
        given = answers(row.values, f"{purpose.file}, line {row.line}")
        changes.append(
            Change(
                before,
                _after(row.values, before or {}, purpose),
                [tag for tag in row.values.get("tags", ()) if (key, tag) not in tagged],
                [answer for answer in given if is_news(answer, said.get((key, answer.channel)))],
                closing[row.line] - closed,
            )
        )
    return changes


def _known(
    connection: Connection, rows: Sequence[Incoming], purpose: Purpose
) -> dict[str, dict[str, Any]]:
    """The customers of a batch that are there already, locked until it is written."""
    found = connection.execute(
        select(_CUSTOMER)
        .where(
            _CUSTOMER.c.club_id == purpose.club_id,
            _CUSTOMER.c.ref.in_([row.values["ref"] for row in rows]),
        )
        .order_by(_CUSTOMER.c.id)
        .with_for_update(key_share=True)
    )
    return {row.ref: dict(row._mapping) for row in found}


def _stored_tags(connection: Connection, customer_ids: Sequence[int]) -> set[tuple[int, str]]:
    found = connection.execute(
        select(_TAG.c.customer_id, _TAG.c.tag).where(_TAG.c.customer_id.in_(customer_ids))
    )
    return {(row.customer_id, row.tag) for row in found}


def _after(
    values: Mapping[str, Any], before: Mapping[str, Any], purpose: Purpose
) -> dict[str, Any]:
    """Her row as it should be after the import."""
    row = {name: values.get(name, before.get(name)) for name in plain_columns(purpose.catalogue)}
    row["first_name"], row["last_name"] = row["first_name"] or "", row["last_name"] or ""
    own = {key: values[key] for key in custom_keys(purpose.catalogue) if key in values}
    row["custom"] = {**before.get("custom", {}), **own}
    moved = bool(before) and _moved(before, row)
    row["stage_changed_at"] = purpose.now if moved else before.get("stage_changed_at")
    row["updated_at"] = purpose.now
    return row


def _moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """To learn the stage of someone who had none is no move."""
    place = ("pipeline", "stage")
    return bool(before["stage"]) and any(before[name] != after[name] for name in place)


def _write(connection: Connection, changes: Sequence[Change], purpose: Purpose) -> None:
    changes = sorted(changes, key=lambda one: one.ref)  # the order of new rows' unique key
    known = {change.ref: int(change.before["id"]) for change in changes if change.before}
    new = _insert(connection, [one.after for one in changes if one.before is None], purpose)
    ids = known | new
    _update(connection, [one.after | {"key": ids[one.ref]} for one in changes if one.differs])
    moves = [_move(one, ids[one.ref], purpose) for one in changes if one.moved]
    if moves:
        moves.sort(key=itemgetter("source_id"))
        connection.execute(insert_new(connection, _EVENT), moves)
    tags = [{"customer_id": ids[one.ref], "tag": tag} for one in changes for tag in one.tags]
    if tags:
        connection.execute(insert_new(connection, _TAG), tags)
    given = [(ids[one.ref], answer) for one in changes for answer in one.answers]
    write_answers(connection, given, purpose.now)
    close_addresses(connection, set().union(*(one.closed for one in changes)), purpose.now)


def _insert(
    connection: Connection, rows: Sequence[dict[str, Any]], purpose: Purpose
) -> dict[str, int]:
    if not rows:
        return {}
    statement = insert_into(connection, _CUSTOMER)
    # Another process may have brought the same customer since we looked: then this is news of her.
    upsert = statement.on_conflict_do_update(
        index_elements=["club_id", "ref"],
        set_={name: statement.excluded[name] for name in rows[0] if name != "ref"},
    ).returning(_CUSTOMER.c.ref, _CUSTOMER.c.id)
    full = [row | {"club_id": purpose.club_id, "created_at": purpose.now} for row in rows]
    return {row.ref: row.id for row in connection.execute(upsert, full)}


def _update(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        names = [name for name in rows[0] if name not in ("key", "ref")]
        connection.execute(
            update(_CUSTOMER)
            .where(_CUSTOMER.c.id == bindparam("key"))
            .values({name: bindparam(name) for name in names}),
            [{name: row[name] for name in ("key", *names)} for row in rows],
        )


def _move(change: Change, customer_id: int, purpose: Purpose) -> dict[str, Any]:
    before, after = change.before or {}, change.after
    return {
        "customer_id": customer_id,
        "name": STAGE_CHANGED,
        "data": {"pipeline": after["pipeline"], "from": before["stage"], "to": after["stage"]},
        "source": SOURCE,
        # A move is known by the moment of the one before it: she may go the same way twice.
        "source_id": f"stage:{customer_id}:{before['stage_changed_at'] or 'first'}",
        "occurred_at": purpose.now,
        "recorded_at": purpose.now,
    }

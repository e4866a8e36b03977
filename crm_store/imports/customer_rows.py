"""Writing a batch of customers: new ones, changes, tags, consent, and moves between stages.

An empty cell says nothing: what is known stays. Tags are added, never taken away.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, select, update

from crm_store.catalogue.field import Catalogue
from crm_store.events import STAGE_CHANGED
from crm_store.imports.batch import SOURCE, Incoming, Outcome, Purpose
from crm_store.imports.permission import (
    answers,
    close_addresses,
    closed_addresses,
    is_news,
    stored_answers,
    stored_closed,
    write_answers,
)
from crm_store.inserting import insert_into, insert_new
from crm_store.models.customer import Customer, CustomerTag
from crm_store.models.event import Event
from crm_store.tables import table_of

_CUSTOMER, _TAG, _EVENT = table_of(Customer), table_of(CustomerTag), table_of(Event)

Known = Mapping[str, dict[str, Any]]
"""A customer's row by her reference."""


def plain_columns(catalogue: Catalogue) -> list[str]:
    """The columns of `customer` that a file may fill, as the catalogue names them."""
    names = (field.name.removeprefix("customer.") for field in catalogue)
    return [name for name in names if name in _CUSTOMER.c]


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
    known = _known(connection, rows, purpose)
    ids = {ref: int(row["id"]) for ref, row in known.items()}
    wanted = {row.values["ref"]: _wanted(row, known, purpose) for row in rows}
    tags = _new_tags(connection, rows, ids)
    said = {
        row.values["ref"]: answers(row.values, f"{purpose.file}, line {row.line}") for row in rows
    }
    stored = stored_answers(connection, ids.values())
    news = {
        ref: [
            answer
            for answer in given
            if is_news(answer, stored.get((ids.get(ref, 0), answer.channel)))
        ]
        for ref, given in said.items()
    }
    closed = {
        row.values["ref"]: closed_addresses(row.values, known.get(row.values["ref"], {}))
        for row in rows
    }
    all_closed = set().union(*closed.values())
    open_still = all_closed - stored_closed(connection, all_closed)

    changed = {ref for ref in known if _differs(wanted[ref], known[ref])}
    touched = {ref for ref in known if tags[ref] or news[ref] or closed[ref] & open_still}
    outcome = Outcome(added=len(rows) - len(known), updated=len(changed | touched))
    outcome.unchanged = len(rows) - outcome.added - outcome.updated
    if dry_run:
        return outcome
    new = [row for ref, row in wanted.items() if ref not in known]
    ids |= _insert(connection, new, purpose)
    _update(connection, [wanted[ref] | {"key": ids[ref]} for ref in changed])
    _record_moves(connection, [(known[ref], wanted[ref]) for ref in changed], purpose)
    pairs = [{"customer_id": ids[ref], "tag": tag} for ref, found in tags.items() for tag in found]
    if pairs:
        connection.execute(insert_new(connection, _TAG), pairs)
    given = [(ids[ref], answer) for ref, found in news.items() for answer in found]
    write_answers(connection, given, purpose.now)
    close_addresses(connection, open_still, purpose.now)
    return outcome


def _known(connection: Connection, rows: Sequence[Incoming], purpose: Purpose) -> Known:
    found = connection.execute(
        select(_CUSTOMER).where(
            _CUSTOMER.c.club_id == purpose.club_id,
            _CUSTOMER.c.ref.in_([row.values["ref"] for row in rows]),
        )
    )
    return {row.ref: dict(row._mapping) for row in found}


def _wanted(incoming: Incoming, known: Known, purpose: Purpose) -> dict[str, Any]:
    """Her row as it should be after the import."""
    values = incoming.values
    before = known.get(values["ref"], {})
    names = plain_columns(purpose.catalogue)
    row = {name: values.get(name, before.get(name)) for name in names}
    row["first_name"], row["last_name"] = row["first_name"] or "", row["last_name"] or ""
    own = {key: values[key] for key in custom_keys(purpose.catalogue) if key in values}
    row["custom"] = {**before.get("custom", {}), **own}
    row["stage_changed_at"] = before.get("stage_changed_at")
    if before and _moved(before, row):
        row["stage_changed_at"] = purpose.now
    row["updated_at"] = purpose.now
    return row


def _differs(wanted: dict[str, Any], before: dict[str, Any]) -> bool:
    return any(before[name] != value for name, value in wanted.items() if name != "updated_at")


def _moved(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    """Whether her stage changed. To learn the stage of someone who had none is no change."""
    place = ("pipeline", "stage")
    return bool(before["stage"]) and any(before[name] != after[name] for name in place)


def _new_tags(
    connection: Connection, rows: Sequence[Incoming], ids: Mapping[str, int]
) -> dict[str, list[str]]:
    stored = connection.execute(
        select(_TAG.c.customer_id, _TAG.c.tag).where(_TAG.c.customer_id.in_(list(ids.values())))
    )
    has = {(row.customer_id, row.tag) for row in stored}
    return {
        ref: [tag for tag in row.values.get("tags", ()) if (ids.get(ref), tag) not in has]
        for row in rows
        for ref in [row.values["ref"]]
    }


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


def _record_moves(
    connection: Connection,
    changes: Sequence[tuple[dict[str, Any], dict[str, Any]]],
    purpose: Purpose,
) -> None:
    events = [
        {
            "customer_id": before["id"],
            "name": STAGE_CHANGED,
            "data": {"pipeline": after["pipeline"], "from": before["stage"], "to": after["stage"]},
            "source": SOURCE,
            # A move is known by the moment of the one before it: she may go the same way twice.
            "source_id": f"stage:{before['id']}:{before['stage_changed_at'] or 'first'}",
            "occurred_at": purpose.now,
            "recorded_at": purpose.now,
        }
        for before, after in changes
        if _moved(before, after)
    ]
    if events:
        connection.execute(insert_new(connection, _EVENT), events)

"""Which installation a store belongs to, and whether it is the store that it left."""

from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, or_, select, text, update

from crm_store.database import Store
from crm_store.inserting import insert_into
from crm_store.models.operation import LedgerHome
from crm_store.tables import table_of

_HOME = table_of(LedgerHome)

COPIED = "this database is a copy of another, whose messages would be sent twice"
REPLACED = "this database is not the one that this installation has sent from"


def fingerprint(store: Store, connection: Connection) -> str:
    """Where the database physically is: SQLite's device and inode, PostgreSQL's cluster and oid."""
    if store.is_sqlite:
        stat = Path(store.engine.url.database or "").stat()
        return f"{stat.st_dev}:{stat.st_ino}"
    oid = connection.scalar(text("SELECT oid FROM pg_database WHERE datname = current_database()"))
    may_ask = connection.scalar(
        text("SELECT has_function_privilege('pg_control_system()', 'EXECUTE')")
    )
    cluster = (
        connection.scalar(text("SELECT system_identifier FROM pg_control_system()"))
        if may_ask
        else ""
    )
    return f"{cluster}:{oid}"


REHEARSED = (
    "this database holds a rehearsal, and what was rehearsed counts as sent: go live with a fresh"
    " one, named by `database:` in club.yaml"
)
LIVE = (
    "this database is a live one, and what is rehearsed in it would count as sent: rehearse in"
    " another, named by `database:` in club.yaml"
)


def suspicion(
    store: Store, connection: Connection, home: str, batches: int, mode: str
) -> str | None:
    """Why this store should not be sent from unasked; `None` when all is well.

    `home` and `batches` are what the installation remembers; a new one has claimed no batch.
    `mode` is ``rehearsal`` or ``live``.
    """
    here = fingerprint(store, connection)
    rows = connection.execute(select(_HOME)).all()
    known = {row.home: row for row in rows}
    if any(row.fingerprint != here for row in rows):
        return COPIED
    if home not in known and batches == 0:
        # On PostgreSQL one more worker; a SQLite file has one home.
        return COPIED if rows and store.is_sqlite else None
    if home not in known:
        return REPLACED
    if known[home].batches < batches:
        behind = batches - known[home].batches
        return f"this database was put back to an earlier state: {behind} batches are missing"
    if any(row.batches and row.mode != mode for row in rows):
        return REHEARSED if mode == "live" else LIVE
    return None


def settle_in(store: Store, connection: Connection, home: str, mode: str, now: datetime) -> int:
    """Make the store this installation's; its count of batches so far."""
    here = fingerprint(store, connection)
    is_new = or_(_HOME.c.fingerprint != here, _HOME.c.mode != mode)
    connection.execute(update(_HOME).where(is_new).values(fingerprint=here, mode=mode))
    statement = insert_into(connection, _HOME).values(
        home=home, batches=0, mode=mode, fingerprint=here, seen_at=now
    )
    connection.execute(
        statement.on_conflict_do_update(index_elements=["home"], set_={"seen_at": now})
    )
    batches: int = connection.execute(
        select(_HOME.c.batches).where(_HOME.c.home == home)
    ).scalar_one()
    return batches


def count_batch(connection: Connection, home: str) -> int:
    """One more batch, in the transaction that claims it; the new count."""
    batches: int = connection.execute(
        update(_HOME)
        .where(_HOME.c.home == home)
        .values(batches=_HOME.c.batches + 1)
        .returning(_HOME.c.batches)
    ).scalar_one()
    return batches

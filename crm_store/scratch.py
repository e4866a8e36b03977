"""Scratch stores: an empty one, or a copy of the real one, to try things out on.

A scratch store is a SQLite file that nobody misses: it is not durable, and it is fast. A copy holds
customers' addresses: whoever makes one removes it.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Table, TableClause, column, event, func, insert, select, table

from crm_store.database import Store, keys_of, open_store, reachable
from crm_store.errors import EnvironmentUnready
from crm_store.keys import KeyRing
from crm_store.models.all import MODELS, metadata
from crm_store.models.campaign import CampaignVersion
from crm_store.models.club import Club
from crm_store.schema import is_current, upgrade
from crm_store.scope import CUSTOMER
from crm_store.tables import table_of

_OF_NOBODY = (table_of(Club), table_of(CampaignVersion))
_AT_ONCE = 5_000
"""Rows on their way from PostgreSQL at a time."""


def empty_scratch(path: Path, keys: KeyRing) -> Store:
    """A new store at `path` with every table and no row."""
    store = _open(path, keys)
    metadata.create_all(store.engine)
    return store


def forget_everybody(store: Store) -> None:
    """Take every row out of a scratch store but those of the club and of its campaigns.

    The next one who tries something finds it new.
    """
    pooled = store.engine.raw_connection()
    try:
        driver = pooled.driver_connection
        assert isinstance(driver, sqlite3.Connection)  # noqa: S101 - a scratch store is SQLite
        # At one go: each by itself costs more than all of them.
        driver.executescript(f"BEGIN; {_FORGET} COMMIT;")
    finally:
        pooled.close()


def copy_to_scratch(store: Store, path: Path) -> Store:
    """A copy of everything in `store`, as it is at one moment, at `path`. `store` is not changed.

    A SQLite store is copied as a file, by SQLite's own backup, while others may write to it; a
    PostgreSQL one row by row from one snapshot. Raises `EnvironmentUnready` for a PostgreSQL
    schema that this program does not speak.
    """
    with reachable():
        with store.read() as connection:
            keys = keys_of(connection)
        if store.is_sqlite:
            _back_up(store, path)
            scratch = _open(path, keys)
            upgrade(scratch)
            return scratch
        if not is_current(store):
            raise EnvironmentUnready(
                "The database's schema is not the one that this Sampark speaks.",
                "Bring it up to date with any command that works on it, such as: sampark sweep",
            )
        scratch = empty_scratch(path, keys)
        _copy_rows(store, scratch)
        return scratch


def file_of(scratch: Store) -> Path:
    """The file in which a scratch store is kept."""
    return Path(scratch.engine.url.database or "")


@dataclass(frozen=True)
class Part:
    """Every `of`-th customer: those whose id leaves `number` over."""

    number: int
    of: int


def copy_part(whole: Path, path: Path, keys: KeyRing, part: Part) -> Store:
    """A copy at `path` of the scratch store at `whole`: a part of its customers, and all of theirs.

    What belongs to no customer, such as a club or a suppressed address, is in every part.
    """
    scratch = empty_scratch(path, keys)
    with closing(sqlite3.connect(path, isolation_level=None)) as target:
        target.execute("PRAGMA synchronous=OFF")
        target.execute("ATTACH ? AS whole", [str(whole)])
        target.execute("BEGIN")
        for model in _tables():
            columns = [column.name for column in model.c if column.computed is None]
            theirs = select(*(_whole(model).c[name] for name in columns)).where(*_of(part, model))
            copied = insert(model).from_select(columns, theirs)
            target.execute(
                str(copied.compile(scratch.engine, compile_kwargs={"literal_binds": True}))
            )
        target.execute("COMMIT")
    return scratch


def _of(part: Part, model: Table) -> Iterator[ColumnElement[bool]]:
    """What the rows of a table must fulfil to belong to the part."""
    rows = _whole(model)
    if model is CUSTOMER:
        yield rows.c.id % part.of == part.number
    elif "customer_id" in rows.c:
        # Where it may be empty, the row is about a customer who was erased.
        yield func.coalesce(rows.c.customer_id, part.number) % part.of == part.number
    else:
        for key in model.foreign_keys:
            owner = key.column.table
            if "customer_id" in owner.c:
                theirs = select(_whole(owner).c.id).where(*_of(part, owner))
                yield rows.c[key.parent.name].in_(theirs)


@cache
def _whole(model: Table) -> TableClause:
    """The table of this name in the store that is attached as `whole`."""
    return table(model.name, *(column(one.name) for one in model.c), schema="whole")


def _open(path: Path, keys: KeyRing) -> Store:
    store = open_store(f"sqlite:///{path}", keys=keys)

    @event.listens_for(store.engine, "connect")
    def _hurry(connection: Any, _record: Any) -> None:
        for pragma in ("synchronous=OFF", "wal_autocheckpoint=20000", "foreign_keys=OFF"):
            connection.execute(f"PRAGMA {pragma}")

    return store


def _back_up(store: Store, path: Path) -> None:
    pooled = store.engine.raw_connection()
    try:
        source = pooled.driver_connection
        assert isinstance(source, sqlite3.Connection)  # noqa: S101 - the store is SQLite
        with closing(sqlite3.connect(path)) as target:
            source.backup(target)
    finally:
        pooled.close()


def _copy_rows(store: Store, scratch: Store) -> None:
    snapshot = store.engine.connect().execution_options(isolation_level="REPEATABLE READ")
    with snapshot as source, scratch.write() as target:
        for table in _tables():
            # What the database computes cannot be written.
            columns = [one for one in table.c if one.computed is None]
            rows = source.execute(
                select(*columns), execution_options={"yield_per": _AT_ONCE}
            ).mappings()
            for part in rows.partitions():
                target.execute(insert(table), [dict(row) for row in part])


def _tables() -> list[Table]:
    """Every table, each behind those that it refers to."""
    ours = {table_of(model) for model in MODELS}
    return [table for table in metadata.sorted_tables if table in ours]


_FORGET = " ".join(f"{table.delete()};" for table in reversed(_tables()) if table not in _OF_NOBODY)

"""Scratch stores: an empty one, or a copy of the real one, to try things out on.

A scratch store is a SQLite file that nobody misses: it is not durable, and it is fast. A copy holds
customers' addresses: whoever makes one removes it.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy import Table, event, insert, select

from crm_store.database import Store, keys_of, open_store, reachable
from crm_store.errors import EnvironmentUnready
from crm_store.keys import KeyRing
from crm_store.models.all import MODELS, metadata
from crm_store.models.campaign import CampaignVersion
from crm_store.models.club import Club
from crm_store.schema import is_current, upgrade
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
    with store.write() as connection:
        for table in reversed(_tables()):
            if table not in _OF_NOBODY:
                connection.execute(table.delete())


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
            columns = [column for column in table.c if column.computed is None]
            rows = source.execute(
                select(*columns), execution_options={"yield_per": _AT_ONCE}
            ).mappings()
            for part in rows.partitions():
                target.execute(insert(table), [dict(row) for row in part])


def _tables() -> list[Table]:
    """Every table, each behind those that it refers to."""
    ours = {table_of(model) for model in MODELS}
    return [table for table in metadata.sorted_tables if table in ours]

"""Locks between processes that no row stands for. On SQLite a writer is alone anyway."""

from enum import IntEnum

from sqlalchemy import Connection, func, select


class Lock(IntEnum):
    """What is locked; the numbers are fixed, for PostgreSQL knows only them."""

    SCHEMA = 0x5A4D5041
    """Bringing the schema up to date."""
    PERMISSION = 0x5A4D5042
    """Setting `sending` (shared, many at once) against taking permission away (alone)."""


def hold(connection: Connection, lock: Lock, *, shared: bool = False) -> None:
    """Wait for the lock and hold it until the transaction ends."""
    if connection.dialect.name == "sqlite":
        return
    take = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
    connection.execute(select(take(int(lock))))

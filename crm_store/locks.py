"""Locks between processes, and the one order in which a transaction takes what it changes.

On PostgreSQL a transaction keeps every row that it has changed until it ends, and whoever wants the
row waits. Two that wait for each other are a deadlock, and the database breaks one of them off. So
whoever waits does it in this order:

1. a `Lock` of this room, before any row;
2. enrollments, then touchpoints, then customers, then all that hangs on a customer; the inbox last;
3. of one table the rows by their id (`in_order`), new ones by their unique key.

What can be left for another time is not waited for: a claim, a lease, a provider's report pass over
the rows that somebody has. A transaction that is broken off all the same is run again by
`Store.transact`.

On SQLite a writer is alone anyway.
"""

from enum import IntEnum
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    any_,
    bindparam,
    func,
    literal,
    select,
)

from crm_store.asked import KEPT, Asked


class Lock(IntEnum):
    """What is locked that no row stands for; PostgreSQL knows only the numbers: they are fixed."""

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


def in_order(
    connection: Connection, table: Table, *conditions: ColumnElement[bool], pass_over: bool = False
) -> ColumnElement[bool]:
    """Lock the rows that meet the conditions, by id; returns what is true of these rows alone.

    To be asked before a change of several rows, which takes them as it finds them. With `pass_over`
    those that somebody else has are left out, not waited for. On SQLite it asks nothing.
    """
    if connection.dialect.name == "sqlite":
        return and_(*conditions)
    rows = _in_order(table, and_(*conditions), pass_over=pass_over)
    ids = list(connection.execute(rows).scalars())
    return table.c.id == any_(literal(ids, ARRAY(table.c.id.type)))


def taken_in_order(
    connection: Connection, table: Table, rows: Asked[ColumnElement[bool]]
) -> Asked[ColumnElement[bool]]:
    """As `in_order`, for what is asked again and again."""
    if connection.dialect.name == "sqlite":
        return rows
    locking = _in_order_again(table, rows.sql)
    ids = list(connection.execute(locking, rows.values).scalars())
    return Asked(_taken(table), {"taken": ids})


@lru_cache(KEPT)
def _in_order_again(table: Table, rows: ColumnElement[bool]) -> Select[Any]:
    return _in_order(table, rows)


@cache
def _taken(table: Table) -> ColumnElement[bool]:
    return table.c.id == any_(bindparam("taken", type_=ARRAY(table.c.id.type)))


def _in_order(table: Table, rows: ColumnElement[bool], *, pass_over: bool = False) -> Select[Any]:
    return (
        select(table.c.id)
        .where(rows)
        .order_by(table.c.id)
        # As an UPDATE takes them: who only refers to such a row does not wait.
        .with_for_update(key_share=True, skip_locked=pass_over, of=table)
    )

"""Seeing on PostgreSQL that somebody waits for a lock."""

import time

from sqlalchemy import text

from crm_store.database import Store

_WAITING = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def until_waiting(store: Store, number: int) -> None:
    """Wait until so many transactions wait for a lock; fails after ten seconds."""
    given_up = time.monotonic() + 10
    with store.read() as connection:
        while connection.execute(_WAITING).scalar_one() != number:
            assert time.monotonic() < given_up, "nobody waits"
            connection.rollback()  # the view stands still within a transaction
            time.sleep(0.01)

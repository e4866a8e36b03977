"""Writers on SQLite: one at a time, the next as soon as there is room, and nobody for ever."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from time import monotonic

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from crm_store.database import Store, open_store
from crm_store.errors import EnvironmentUnready

WRITERS, TURNS = 4, 20


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = open_store(f"sqlite:///{tmp_path / 'club.db'}")
    with store.write() as connection:
        connection.execute(text("CREATE TABLE counter (n INTEGER)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))
    return store


def busy_timeout(store: Store) -> int:
    with store.read() as connection:
        return int(connection.execute(text("PRAGMA busy_timeout")).scalar_one())


def test_writers_take_turns_and_none_overwrites_another(store: Store) -> None:
    def count() -> None:
        for _ in range(TURNS):
            with store.write() as connection:
                n = connection.execute(text("SELECT n FROM counter")).scalar_one()
                connection.execute(text("UPDATE counter SET n = :n"), {"n": n + 1})

    writers = [threading.Thread(target=count) for _ in range(WRITERS)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    with store.read() as connection:
        assert connection.execute(text("SELECT n FROM counter")).scalar_one() == WRITERS * TURNS


def test_a_lock_that_is_never_freed_ends_in_an_error(store: Store, tmp_path: Path) -> None:
    impatient = store.impatient(0.06)
    with closing(sqlite3.connect(tmp_path / "club.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        began = monotonic()
        with pytest.raises(OperationalError, match="database is locked"), impatient.write():
            pass
        assert monotonic() - began >= 0.06
    with impatient.write():  # the lock is free, and the connection as patient as before
        pass
    assert busy_timeout(impatient) == 60
    impatient.close()


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_ledger_that_would_not_last_is_refused(url: str) -> None:
    with pytest.raises(EnvironmentUnready, match="names no file"):
        open_store(url)


def test_what_is_wrong_otherwise_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "club.db"
    path.write_bytes(b"no database" * 500)
    with pytest.raises(Exception, match="not a database"), open_store(f"sqlite:///{path}").write():
        pass

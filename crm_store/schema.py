"""The database's schema: bringing it to the version that this program speaks."""

from pathlib import Path

from sqlalchemy import Connection, inspect, text

from crm_store.database import Store, reachable
from crm_store.errors import EnvironmentUnready
from crm_store.locks import Lock, hold

MIGRATIONS = Path(__file__).parent / "migrations"


def head() -> str:
    """The newest revision; a migration's file is named after its revision."""
    # Asking Alembic would cost the second that its import takes, on every start.
    return max(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def current(store: Store) -> str | None:
    """The revision that the database is at; None for an empty database."""
    with reachable(), store.read() as connection:
        return _revision(connection)


def is_current(store: Store) -> bool:
    """Whether the database is at the newest revision."""
    return current(store) == head()


def upgrade(store: Store) -> None:
    """Bring the database to the newest revision, in one transaction.

    Two processes may call it at once: the second waits, and finds nothing to do. Raises
    `EnvironmentUnready` when the database cannot be reached or is newer than the program.
    """
    if is_current(store):
        return
    with reachable(), store.write() as connection:
        hold(connection, Lock.SCHEMA)
        before = _revision(connection)
        if before == head():
            return
        if before is not None and before > head():
            raise EnvironmentUnready(
                f"The database is at schema {before}; this Sampark knows schemas up to {head()}.",
                "Use the newer Sampark that the database was last opened with.",
            )
        _migrate(connection)


def _migrate(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config(attributes={"connection": connection})
    # Alembic reads this through configparser, to which a percent sign means interpolation.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision

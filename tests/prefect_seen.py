"""What a Prefect server knows of our runs, read from its own database file."""

import json
import sqlite3
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class PrefectSeen:
    """The server's home folder, and what happened since this was made."""

    home: Path
    api: str
    since: str = field(default="")

    def flow_runs(self) -> dict[str, tuple[str, str]]:
        """By name: the name and the message of the final state."""
        query = """select run.name, run.state_name, state.message from flow_run run
            join flow_run_state state on run.state_id = state.id where run.created > ?"""
        return {name: (state, message) for name, state, message in self._rows(query)}

    def tags(self, name: str) -> set[str]:
        """The tags of a run."""
        query = "select tags from flow_run where created > ? and name = ?"
        return set(json.loads(self._rows(query, name)[0][0]))

    def task_runs(self) -> list[str]:
        """The names of batches; they are written down some seconds after they ran."""
        query = "select name from task_run where created > ? and name like 'batch%'"
        deadline = time.monotonic() + 20
        while not (rows := self._rows(query)) and time.monotonic() < deadline:
            time.sleep(0.2)
        return sorted(name for (name,) in rows)

    def table(self, key: str) -> list[dict[str, Any]]:
        """The newest table under a key."""
        query = "select data from artifact where created > ? and key = ? order by created desc"
        return list(json.loads(json.loads(self._rows(query, key)[0][0])))

    def holds(self, word: str) -> bool:
        """Whether the word stands anywhere in the server's files."""
        files = [path for path in self.home.rglob("*") if path.is_file()]
        assert any(path.name == "prefect.db" for path in files)
        return any(word.encode() in path.read_bytes() for path in files)

    def _rows(self, query: str, *values: str) -> list[Any]:
        with sqlite3.connect(self.home / "prefect.db") as database:
            return database.execute(query, (self.since, *values)).fetchall()

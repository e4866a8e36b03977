"""One `sampark up` to a club's folder: a lock that others can read.

The lock is the operating system's: it is gone when its holder is, however that went. Beside it
lies what other commands in the folder want to know of the running one.
"""

import fcntl
import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from crm_store.errors import EnvironmentUnready


@dataclass(frozen=True)
class Running:
    """A `sampark up` at work in the folder."""

    pid: int
    prefect_api: str
    """The URL of its Prefect server's API."""


@contextmanager
def only_one(state_folder: Path, running: Running) -> Iterator[None]:
    """Hold the folder. Raises `EnvironmentUnready` when another process does."""
    state_folder.mkdir(parents=True, exist_ok=True)
    with (state_folder / "up.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            other = _note(state_folder)
            raise EnvironmentUnready(
                f"`sampark up` is running for this folder already{other and f' ({other.pid})'}.",
                "Stop that one first.",
            ) from error
        note = state_folder / "up.json"
        note.write_text(json.dumps(asdict(running)), encoding="utf-8")
        try:
            yield
        finally:
            note.unlink(missing_ok=True)


def running_up(state_folder: Path) -> Running | None:
    """The `sampark up` of this folder, if one runs."""
    try:
        lock = (state_folder / "up.lock").open()
    except FileNotFoundError:
        return None
    with lock, suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    return _note(state_folder)


def _note(state_folder: Path) -> Running | None:
    try:
        return Running(**json.loads((state_folder / "up.json").read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None

"""What this installation remembers of its ledger, beside the database.

A database that is put back from a backup does not know what was sent since; a copy of it would
send everything a second time. Both start paused and say so. The memory is a small file in the
club's own folder: the home's id and the number of batches claimed.
"""

import json
import os
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Connection

from crm_store.database import Store
from crm_store.ledger_home import count_batch, settle_in, suspicion
from crm_store.models.operation import EVERYTHING
from crm_store.pauses import pause


class LedgerMark:
    """The memory of one installation. Several processes of it may count; the file never lags
    behind by more than the batches under way, and never runs ahead."""

    def __init__(self, file: Path, home: str) -> None:
        self._file = file
        self._home = home

    def count(self, connection: Connection) -> int:
        """One more batch, in the transaction that claims it."""
        return count_batch(connection, self._home)

    def note(self, batches: int) -> None:
        """Remember the count once its transaction is committed."""
        _write(self._file, self._home, batches)


def open_mark(store: Store, file: Path, now: datetime, mode: str = "rehearsal") -> LedgerMark:
    """The installation's memory of this store.

    When the store is not the one that the installation left, or has sent in the other mode,
    everything is paused first.
    """
    _clear_up(file)
    home, batches = _remembered(file)

    def settle(connection: Connection) -> int:
        doubt = suspicion(store, connection, home, batches, mode)
        if doubt is not None:
            pause(connection, EVERYTHING, doubt, now)
        return settle_in(store, connection, home, mode, now)

    count = store.transact(settle)
    _write(file, home, count)
    return LedgerMark(file, home)


def misgiving(store: Store, file: Path, mode: str) -> str | None:
    """Why `open_mark` would pause everything; `None` when it would not. Nothing is changed."""
    home, batches = _read(file) or ("", 0)
    with store.read() as connection:
        return suspicion(store, connection, home, batches, mode)


def _remembered(file: Path) -> tuple[str, int]:
    """The home and its count; a new home is on the disk before the store hears of it.

    Processes that start together, and one that follows another killed in between, so are all of
    one home. Two homes would look like a copy.
    """
    if known := _read(file):
        return known
    unfinished = _unfinished(file, uuid4().hex, 0)
    try:
        file.hardlink_to(unfinished)
    except FileExistsError:  # another process was first, or what is there cannot be read
        if _read(file) is None:
            unfinished.replace(file)
    unfinished.unlink(missing_ok=True)
    return _remembered(file)


def _read(file: Path) -> tuple[str, int] | None:
    try:
        memory = json.loads(file.read_text(encoding="utf-8"))
        return str(memory["home"]), int(memory["batches"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _write(file: Path, home: str, batches: int) -> None:
    _unfinished(file, home, batches).replace(file)


def _unfinished(file: Path, home: str, batches: int) -> Path:
    """The memory beside its place: whole before it is there."""
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f"{file.name}.{os.getpid()}-{uuid4().hex[:8]}")
    with unfinished.open("w", encoding="utf-8") as opened:
        json.dump({"home": home, "batches": batches}, opened)
        opened.flush()
        os.fsync(opened.fileno())  # else a loss of power may leave an empty file in its place
    return unfinished


def _clear_up(file: Path) -> None:
    """Take away what processes that were killed have left unfinished."""
    for left in file.parent.glob(f"{file.name}.*-*"):
        pid = left.name.removeprefix(f"{file.name}.").partition("-")[0]
        if pid.isdecimal() and not _is_alive(int(pid)):
            left.unlink(missing_ok=True)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it is somebody else's, and alive
    return True

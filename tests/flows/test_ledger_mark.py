"""A store put back or copied starts paused; the one that was left goes on."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from engines import LEADS, Workshop, workshop
from making import NOW, make_customer, make_event, rows_of
from sqlalchemy import event

from crm_store.database import Store, open_store
from crm_store.models.operation import LedgerHome
from crm_store.pauses import pauses, resume
from flows.ledger_mark import LedgerMark, misgiving, open_mark
from flows.prepare import prepare
from flows.sweep import plan_sweep


def database(store: Store) -> Path:
    return Path(str(store.engine.url.database))


def reasons(store: Store) -> list[str]:
    with store.read() as connection:
        return [one.reason for one in pauses(connection)]


async def work_a_day(club: Workshop, mark: LedgerMark) -> None:
    """One lead, one batch, counted."""
    club.campaign(LEADS)
    make_event(club.store, make_customer(club.store))
    engine = replace(club.engine, mark=mark)
    club.engine = engine
    await club.sweep()
    assert prepare(engine, plan_sweep(engine, club.files).running[0]) is None


async def test_the_store_that_was_left_goes_on(sqlite_store: Store, tmp_path: Path) -> None:
    memory = tmp_path / "ledger.json"
    async with workshop(sqlite_store, tmp_path / "club") as club:
        await work_a_day(club, open_mark(sqlite_store, memory, club.clock()))
        open_mark(sqlite_store, memory, club.clock())
    assert reasons(sqlite_store) == []
    assert len(club.accepted_ids()) == 1


async def test_a_backup_put_back_in_place_sends_nothing_until_resumed(
    sqlite_store: Store, tmp_path: Path
) -> None:
    memory = tmp_path / "ledger.json"
    async with workshop(sqlite_store, tmp_path / "club") as club:
        mark = open_mark(sqlite_store, memory, club.clock())
        sqlite_store.close()  # the write-ahead log goes into the file
        backup = database(sqlite_store).read_bytes()
        await work_a_day(club, mark)
        sqlite_store.close()
        with database(sqlite_store).open("r+b") as file:  # the same inode, as `cp` writes
            file.write(backup)
            file.truncate()
        make_event(club.store, make_customer(club.store))
        open_mark(sqlite_store, memory, club.clock())
        assert "1 batches are missing" in reasons(sqlite_store)[0]
        report = await club.sweep()
        assert (report.campaigns[0].due, report.campaigns[0].by_state()) == (1, {})
        assert report.campaigns[0].paused == reasons(sqlite_store)[0]
        with sqlite_store.write() as connection:
            resume(connection, "*")
        assert (await club.sweep()).campaigns[0].by_state() == {"accepted": 1}


def test_a_copied_file_starts_paused(sqlite_store: Store, tmp_path: Path) -> None:
    open_mark(sqlite_store, tmp_path / "ledger.json", NOW)
    sqlite_store.close()
    shutil.copy(database(sqlite_store), tmp_path / "copy.db")
    shutil.copy(tmp_path / "ledger.json", tmp_path / "copied-ledger.json")
    copy = open_store(f"sqlite:///{tmp_path / 'copy.db'}")
    foretold = misgiving(copy, tmp_path / "copied-ledger.json", "rehearsal")
    assert reasons(copy) == []
    open_mark(copy, tmp_path / "copied-ledger.json", NOW)
    assert "copy" in reasons(copy)[0]
    assert reasons(copy) == [foretold]
    assert misgiving(copy, tmp_path / "copied-ledger.json", "rehearsal") is None
    copy.close()


def test_a_memory_that_was_lost_is_no_reason_to_send_twice(
    sqlite_store: Store, tmp_path: Path
) -> None:
    memory = tmp_path / "ledger.json"
    open_mark(sqlite_store, memory, NOW)
    memory.unlink()
    open_mark(sqlite_store, memory, NOW)
    assert len(reasons(sqlite_store)) == 1


def test_a_first_start_that_was_killed_half_way_is_no_copy(store: Store, tmp_path: Path) -> None:
    """The memory is written, and the store knows nothing of it yet."""
    memory = tmp_path / "ledger.json"

    @event.listens_for(store.engine, "begin", once=True)
    def _killed(_connection: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        open_mark(store, memory, NOW)
    open_mark(store, memory, NOW)
    assert reasons(store) == []


def test_processes_that_start_together_are_one_installation(store: Store, tmp_path: Path) -> None:
    memory = tmp_path / "state" / "ledger.json"
    with ThreadPoolExecutor(8) as processes:
        list(processes.map(lambda _: open_mark(store, memory, NOW), range(8)))
    assert reasons(store) == []
    assert len(rows_of(store, LedgerHome, "home")) == 1


def test_what_a_killed_process_left_unfinished_is_cleared_up(store: Store, tmp_path: Path) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    file = tmp_path / "ledger.json"
    left, under_way = (file.with_name(f"{file.name}.{pid}-0a1b") for pid in (gone.pid, os.getpid()))
    for one in (left, under_way):
        one.write_text("{")
    open_mark(store, file, NOW)
    assert (left.exists(), under_way.exists()) == (False, True)

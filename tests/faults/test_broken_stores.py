"""A store that is locked, cut off or full, and clocks that jump: it costs time and doubts only."""

import sqlite3
import threading
import time
from datetime import timedelta

import psycopg
import pytest
from faults.club import add_leads
from faults.driver import PAST_THE_LEASE, Driver
from sqlalchemy.engine import make_url

LEADS = 150
MINUTE = timedelta(minutes=1)


@pytest.fixture
def lite(driver: Driver) -> Driver:
    """A driver over SQLite."""
    if not driver.site.database.startswith("sqlite"):
        pytest.skip("a fault of SQLite's")
    return driver


@pytest.fixture
def postgres(driver: Driver) -> Driver:
    """A driver over PostgreSQL."""
    if driver.site.database.startswith("sqlite"):
        pytest.skip("a fault of PostgreSQL's")
    return driver


def assert_right(driver: Driver, *, workers: int) -> None:
    """Nothing is lost or doubled; what the fault left in doubt is what was under way."""
    found = driver.drain()
    assert found.is_right, found
    assert found.accepted + found.in_doubt == found.due
    assert found.in_doubt <= workers * driver.site.concurrency


def test_another_program_holds_the_lock(lite: Driver) -> None:
    add_leads(lite.site, LEADS)
    midway = threading.Event()
    worker = lite.start(on_dot=lambda n: n == 20 and midway.set(), settings={"busy_timeout": 100})
    assert midway.wait(20)
    holder = sqlite3.connect(str(make_url(lite.site.database).database), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    time.sleep(1.5)
    holder.execute("ROLLBACK")
    holder.close()
    lite.ended(worker)
    assert_right(lite, workers=1)


def test_the_disk_is_full(lite: Driver) -> None:
    add_leads(lite.site, LEADS)
    with sqlite3.connect(str(make_url(lite.site.database).database)) as connection:
        [pages] = connection.execute("PRAGMA page_count").fetchone()
    for room in (2, 6, 10, 14):
        lite.ended(lite.start(settings={"max_page_count": pages + room}))
    assert lite.figures.failures > 0
    assert_right(lite, workers=lite.figures.failures)


def test_the_server_cuts_every_connection(postgres: Driver) -> None:
    add_leads(postgres.site, LEADS)
    url = make_url(postgres.site.database).set(drivername="postgresql")
    cuts = (5, 40, 41, 90, 160)

    def cut(number: int) -> None:
        if number in cuts:
            with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )

    for _ in cuts:
        postgres.ended(postgres.start(on_dot=cut))
        postgres.site.clock.turn(PAST_THE_LEASE)
    assert_right(postgres, workers=len(cuts))


@pytest.mark.parametrize("jump", [21 * MINUTE, 180 * MINUTE, -60 * MINUTE], ids=str)
def test_the_clock_jumps_under_two_workers(driver: Driver, jump: timedelta) -> None:
    add_leads(driver.site, LEADS)

    def turn(number: int) -> None:
        if number == 20:
            driver.site.clock.turn(jump)

    first, second = driver.start(on_dot=turn), driver.start()
    for worker in (first, second):
        driver.ended(worker)
    assert driver.figures.failures == 0
    assert_right(driver, workers=2)

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


ON_SQLITE = pytest.mark.parametrize("store", ["sqlite"], indirect=True)
ON_POSTGRES = pytest.mark.parametrize("store", ["postgres"], indirect=True)


def assert_right(driver: Driver, *, workers: int) -> None:
    """Nothing is lost or doubled; what the fault left in doubt is what was under way."""
    found = driver.drain()
    assert found.is_right, found
    assert found.accepted + found.in_doubt == found.due
    assert found.in_doubt <= workers * driver.site.concurrency


@ON_SQLITE
def test_another_program_holds_the_lock(driver: Driver) -> None:
    add_leads(driver.site, LEADS)
    midway = threading.Event()

    def on_dot(number: int) -> None:
        if number == 20:
            midway.set()

    worker = driver.start(on_dot=on_dot, settings={"busy_timeout": 100})
    assert midway.wait(20)
    holder = sqlite3.connect(str(make_url(driver.site.database).database), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    time.sleep(1.5)
    holder.execute("ROLLBACK")
    holder.close()
    driver.ended(worker)
    assert_right(driver, workers=1)


@ON_SQLITE
def test_the_disk_is_full(driver: Driver) -> None:
    add_leads(driver.site, LEADS)
    with sqlite3.connect(str(make_url(driver.site.database).database)) as connection:
        [pages] = connection.execute("PRAGMA page_count").fetchone()
    for room in (2, 6, 10, 14):
        driver.ended(driver.start(settings={"max_page_count": pages + room}))
    assert driver.figures.failures > 0
    assert_right(driver, workers=driver.figures.failures)


@ON_POSTGRES
def test_the_server_cuts_every_connection(driver: Driver) -> None:
    add_leads(driver.site, LEADS)
    url = make_url(driver.site.database).set(drivername="postgresql")
    cuts = (5, 40, 41, 90, 160)

    def cut(number: int) -> None:
        if number in cuts:
            with psycopg.connect(url.render_as_string(hide_password=False)) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )

    for _ in cuts:
        driver.ended(driver.start(on_dot=cut))
        driver.site.clock.turn(PAST_THE_LEASE)
    assert_right(driver, workers=len(cuts))


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

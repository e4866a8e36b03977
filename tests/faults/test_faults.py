"""The ledger under kill -9: nothing lost, nothing doubled, and every doubt counted.

A quick, seeded cut of what `make faults` runs at length.
"""

from pathlib import Path

import pytest
from faults.boundaries import Boundary
from faults.club import RESENT, build_site
from faults.conftest import driver_of
from faults.driver import Driver
from faults.mutants import MUTANTS

from crm_store.database import Store

PERHAPS_TAKEN = (Boundary.AFTER_SENDING, Boundary.AFTER_DOT, Boundary.AFTER_REPLY)


def test_killed_everywhere_it_neither_loses_nor_doubles(driver: Driver) -> None:
    driver.kill_many(kills=20, sends=400)
    found = driver.drain()
    assert driver.figures.failures == 0
    assert found.is_right, found
    assert found.accepted + found.in_doubt == found.due
    assert found.in_doubt <= driver.figures.killed * driver.site.sessions


def test_what_is_sent_again_out_of_doubt_is_flagged_and_bears_the_same_id(
    store: Store, tmp_path: Path
) -> None:
    url = store.engine.url.render_as_string(hide_password=False)
    with driver_of(build_site(url, tmp_path, RESENT)) as driver:
        driver.kill_many(kills=8, sends=160, at=PERHAPS_TAKEN)
        found = driver.drain()
    assert driver.figures.failures == 0
    assert found.is_right, found
    assert 0 < found.taken_again <= found.resent
    assert found.resent <= driver.figures.killed * driver.site.concurrency


def test_two_schedulers_and_four_workers_do_everything_once(driver: Driver) -> None:
    driver.crowd(schedulers=2, workers=4, leads=120, minutes=60)
    found = driver.drain()
    assert driver.figures.failures == 0
    assert found.is_right, found
    assert found.accepted == found.due == 240


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_audit_finds_out_engines_that_are_wrong(driver: Driver, mutant: str) -> None:
    driver.kill_many(
        kills=2, sends=80, at=[Boundary.AFTER_DOT, Boundary.AFTER_REPLY], mutant=mutant
    )
    found = driver.drain(mutant)
    if mutant == "records_as_it_fetches":
        assert found.lost > 0
    else:
        assert found.doubled > 0

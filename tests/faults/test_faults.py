"""The ledger under kill -9: nothing lost, nothing doubled, and every doubt counted.

A quick, seeded cut of what `make faults` runs at length. The seed fixes who is killed where; the
machine's own timing does the rest.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.boundaries import Boundary
from faults.club import Site, build_site
from faults.driver import Driver
from faults.mutants import MUTANTS
from faults.smtp_recorder import Recorder

from crm_store.database import Store

SEED = 20261122


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Site:
    """A club of its own, on each of the two databases."""
    return build_site(store.engine.url.render_as_string(hide_password=False), tmp_path)


@pytest.fixture
def driver(site: Site) -> Iterator[Driver]:
    """A driver with a mail server that remembers."""
    with Recorder(site.folder / "taken.jsonl", SEED) as recorder:
        yield Driver(site, recorder, SEED)


def test_killed_everywhere_it_neither_loses_nor_doubles(driver: Driver) -> None:
    driver.kill_many(kills=28, sends=600)
    found = driver.drain()
    assert set(driver.figures.kills) == set(Boundary)
    assert driver.figures.failures == 0
    assert (found.lost, found.doubled, found.taken_not_recorded) == (0, 0, 0), found
    assert found.accepted + found.in_doubt == found.due
    assert found.in_doubt <= driver.figures.killed * driver.site.concurrency


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_audit_finds_out_engines_that_are_wrong(driver: Driver, mutant: str) -> None:
    driver.kill_many(
        kills=4, sends=200, at=[Boundary.AFTER_DOT, Boundary.AFTER_REPLY], mutant=mutant
    )
    found = driver.drain(mutant)
    if mutant == "records_as_it_fetches":
        assert found.lost > 0
    else:
        assert found.doubled > 0

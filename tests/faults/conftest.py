"""A club on each of the two databases, and a driver over it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from faults.club import Site, build_site
from faults.driver import Driver
from faults.smtp_recorder import Recorder

from crm_store.database import Store

SEED = 20261122
"""It fixes who is killed where; the machine's own timing does the rest."""


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Site:
    """A club of its own."""
    return build_site(store.engine.url.render_as_string(hide_password=False), tmp_path)


@pytest.fixture
def driver(site: Site) -> Iterator[Driver]:
    """A driver with a mail server that remembers."""
    with driver_of(site) as made:
        yield made


@contextmanager
def driver_of(site: Site) -> Iterator[Driver]:
    """A driver with a mail server that remembers."""
    with (
        Recorder(site.folder / "taken.jsonl", SEED) as recorder,
        Driver(site, recorder, SEED) as driver,
    ):
        yield driver

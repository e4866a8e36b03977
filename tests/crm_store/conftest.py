"""What the tests of the store begin with."""

from pathlib import Path

import pytest
from import_office import Office
from making import make_customer, make_enrollment, make_version

from crm_store.database import Store


@pytest.fixture
def enrolled(store: Store) -> tuple[int, int]:
    """A customer and her enrollment."""
    customer = make_customer(store)
    return customer, make_enrollment(store, customer, make_version(store))


@pytest.fixture
def office(store: Store, tmp_path: Path) -> Office:
    return Office(store, tmp_path)


@pytest.fixture
def sqlite_office(sqlite_store: Store, tmp_path: Path) -> Office:
    return Office(sqlite_store, tmp_path)

"""A club at work, on each of the two databases."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from engines import Workshop, workshop

from crm_store.database import Store


@pytest_asyncio.fixture
async def club(store: Store, tmp_path: Path) -> AsyncIterator[Workshop]:
    """A club with templates, catchers and an empty store."""
    async with workshop(store, tmp_path / "club") as made:
        yield made


@pytest_asyncio.fixture
async def lite_club(sqlite_store: Store, tmp_path: Path) -> AsyncIterator[Workshop]:
    """The same on SQLite alone, for what does not differ between the two."""
    async with workshop(sqlite_store, tmp_path / "club") as made:
        yield made

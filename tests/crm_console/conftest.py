"""A club made by `sampark init`, and the command line called within this process."""

import json
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from lead_reception import NAMES, SECRET, Reception, opened
from typer.testing import CliRunner

from crm_console.cli import app
from crm_console.new_club import ClubFacts, make_club
from crm_store.database import Store

Call = Callable[..., Result]


@pytest.fixture(scope="session")
def made_club(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A club as `init` makes it; never changed."""
    folder = tmp_path_factory.mktemp("made") / "lotus"
    make_club(folder, ClubFacts.of("Lotus Fitness", "Asia/Kolkata", "IN", ("en", "hi")))
    return folder


@pytest.fixture
def club(made_club: Path, tmp_path: Path) -> Path:
    """A club of the test's own."""
    return Path(shutil.copytree(made_club, tmp_path / "lotus"))


@pytest.fixture
def sampark(club: Path) -> Call:
    """Call a command in the club; an exit code other than the expected one fails."""

    def call(*args: str, exit_code: int = 0) -> Result:
        result = CliRunner().invoke(app, ["--project", str(club), *args])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == exit_code, result.output
        return result

    return call


@pytest.fixture
def answer(sampark: Call) -> Callable[..., Any]:
    """Call a command with `--json`; what it answered."""
    return lambda *args, **expected: json.loads(sampark(*args, "--json", **expected).stdout)


@pytest.fixture
async def reception(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Reception]:
    for name in NAMES:
        monkeypatch.setenv(f"SAMPARK_FORMS__{name.upper()}__SECRET", SECRET)
    monkeypatch.setenv("SAMPARK_FORMS__FACEBOOK__VERIFY_TOKEN", "verify me")
    monkeypatch.setenv("SAMPARK_FORMS__FACEBOOK__TOKEN", "the page's token")
    async with opened(sqlite_store, tmp_path) as found:
        yield found

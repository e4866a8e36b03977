"""Commands that only read files load little and leave nothing behind."""

import subprocess
import sys
from pathlib import Path

import pytest

REPORT = """
import sys
from crm_console.cli import app
try:
    app(sys.argv[1:], prog_name="sampark")
except SystemExit as end:
    assert not end.code, end.code
heavy = {name.split(".")[0] for name in sys.modules} & set("%s".split())
assert not heavy, heavy
"""

GATEWAY = """
SAMPARK_CHANNELS__SMS__PROVIDER=gateway
SAMPARK_CHANNELS__SMS__URL=https://gateway.example/send/{to}
"""
"""A channel whose settings are checked as well."""


def run(club: Path, forbidden: str, *args: str) -> None:
    command = [sys.executable, "-c", REPORT % forbidden, "--project", str(club), *args]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("args", [["--help"], ["sweep", "--help"], ["--version"]])
def test_help_loads_next_to_nothing(club: Path, args: list[str]) -> None:
    run(club, "prefect sqlalchemy sqlmodel jinja2 yaml fastapi httpx asyncio", *args)


@pytest.mark.parametrize(
    "args",
    [
        ["check"],
        ["check", "--json"],
        ["preview", "membership-renewal", "heads_up"],
        ["preview", "membership-renewal", "offer", "--lang", "hi"],
    ],
)
def test_reading_files_loads_no_prefect_no_server_no_client_and_no_database(
    club: Path, args: list[str]
) -> None:
    (club / ".env").write_text(GATEWAY)
    before = sorted(path for path in club.rglob("*"))
    heavy = "prefect sqlalchemy sqlmodel alembic fastapi uvicorn httpx aiosmtpd aiosmtplib"
    run(club, f"{heavy} cryptography phonenumbers", *args)
    assert sorted(path for path in club.rglob("*")) == before


def test_playing_tests_loads_no_prefect_and_no_server(club: Path) -> None:
    birthday = str(club / "campaigns" / "birthday.yaml")
    run(club, "prefect alembic fastapi uvicorn aiosmtpd", "test", birthday)

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


def run(club: Path, forbidden: str, *args: str) -> None:
    command = [sys.executable, "-c", REPORT % forbidden, "--project", str(club), *args]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("args", [["--help"], ["sweep", "--help"], ["--version"]])
def test_help_loads_neither_prefect_nor_a_database(club: Path, args: list[str]) -> None:
    run(club, "prefect sqlalchemy sqlmodel jinja2 fastapi httpx", *args)


@pytest.mark.parametrize(
    "args",
    [
        ["check"],
        ["check", "--json"],
        ["preview", "membership-renewal", "heads_up"],
        ["preview", "membership-renewal", "offer", "--lang", "hi"],
    ],
)
def test_reading_files_needs_no_prefect_no_server_and_no_database(
    club: Path, args: list[str]
) -> None:
    before = sorted(path for path in club.rglob("*"))
    run(club, "prefect fastapi aiosmtpd", *args)
    assert sorted(path for path in club.rglob("*")) == before

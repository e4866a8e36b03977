"""Commands that only read files load little and leave nothing behind."""

import ast
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


READ = """
import sys
from collections import Counter
from pathlib import Path
from crm_console.cli import app
read = Counter()
def note(event, args):
    if event == "open" and str(args[0]).startswith(sys.argv[2]) and Path(args[0]).is_file():
        read[str(args[0]).removeprefix(sys.argv[2])] += 1
sys.addaudithook(note)
try:
    app(sys.argv[1:], prog_name="sampark")
except SystemExit as end:
    assert not end.code, end.code
sys.stderr.write(repr(dict(read)))
"""


def files_read(club: Path, *args: str) -> dict[str, int]:
    """How often each file of the club is opened."""
    command = [sys.executable, "-c", READ, "--project", str(club), *args]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    read: dict[str, int] = ast.literal_eval(done.stderr.splitlines()[-1])
    return read


def test_check_reads_every_file_once(club: Path) -> None:
    read = files_read(club, "check", "--json")
    messages = {f"/{one.relative_to(club)}" for one in club.glob("templates/*/*/**/*.*")}
    assert messages <= read.keys()
    # A layout is another one in each language.
    assert {name for name, times in read.items() if times > 1} == {"/templates/layouts/club.mjml"}
    assert read["/templates/layouts/club.mjml"] == len({one.split("/")[2] for one in messages})


def test_preview_reads_the_messages_of_its_campaign_only(club: Path) -> None:
    read = files_read(club, "preview", "birthday", "greeting", "--json")
    messages = {one for one in read if one.startswith("/templates/") and "/layouts/" not in one}
    assert messages
    assert all("/birthday/" in one for one in messages)


def test_playing_tests_loads_no_prefect_and_no_server(club: Path) -> None:
    birthday = str(club / "campaigns" / "birthday.yaml")
    run(club, "prefect alembic fastapi uvicorn aiosmtpd", "test", birthday)

"""`sampark bounces`: from a file, from a pipe, and where there is no mailbox to read."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from bounce_letters import ASHA, OURS, bounce, letter
from click.testing import Result
from making import NOW, make_customer, make_enrollment, make_touchpoint, make_version, rows_of
from typer.testing import CliRunner

from crm_console.cli import app
from crm_store.models.touchpoint import Touchpoint
from flows.clock import wall_clock
from flows.project import open_club, open_project

GONE = bounce("550 5.1.1 User unknown", "5.1.1")


@pytest.fixture
def written(club: Path) -> None:
    """The club has sent Asha a message."""
    with open_club(open_project(club), wall_clock) as (store, club_id):
        customer = make_customer(store, club_id=club_id, ref="M-7", email=ASHA)
        version = make_version(store)
        enrollment = make_enrollment(store, customer, version)
        sent = NOW - timedelta(hours=1)
        make_touchpoint(
            store,
            customer,
            enrollment,
            version_id=version,
            state="accepted",
            sent_at=sent,
            settled_at=sent,
            message_id=OURS,
        )


def states(club: Path) -> list[tuple[Any, ...]]:
    with open_club(open_project(club), wall_clock) as (store, _):
        return rows_of(store, Touchpoint, "state", "reason")


def test_a_file_is_read_and_told(
    written: None, answer: Callable[..., Any], club: Path, tmp_path: Path
) -> None:
    back, hello = tmp_path / "back.eml", tmp_path / "hello.eml"
    back.write_bytes(GONE)
    hello.write_bytes(letter("Subject: Hello", body="Hi!", sender=ASHA))
    told = answer("bounces", str(back), str(hello))["mails"]
    assert [one["mail"] for one in told] == [str(back), str(hello)]
    assert told[1]["facts"] == []
    (fact,) = told[0]["facts"]
    assert (fact["verdict"], fact["recipient"], fact["status"]) == ("hard_bounce", ASHA, "5.1.1")
    (done,) = fact["done"]
    assert done.pop("touchpoint") is not None
    assert done == {
        "customer": "M-7",
        "event": "email_bounced",
        "state": "bounced",
        "suppressed": True,
    }
    assert states(club) == [("bounced", "hard_bounce")]


def test_a_piped_mail_as_a_table(written: None, club: Path) -> None:
    result = CliRunner().invoke(app, ["--project", str(club), "bounces", "-"], input=GONE)
    assert result.exit_code == 0, result.output
    assert "M-7: touchpoint" in result.stdout
    assert "not written to again" in result.stdout
    assert "1 mail, 1 of them about messages: hard_bounce 1." in result.stderr
    assert states(club) == [("bounced", "hard_bounce")]


def test_a_mail_about_nobody_elses_message_does_nothing(
    answer: Callable[..., Any], tmp_path: Path
) -> None:
    stray = tmp_path / "stray.eml"
    stray.write_bytes(GONE)
    (fact,) = answer("bounces", str(stray))["mails"][0]["facts"]
    assert (fact["verdict"], fact["done"]) == ("hard_bounce", [])


@pytest.mark.parametrize(
    ("args", "exit_code", "told"),
    [
        (["no-such-file.eml"], 2, "No such file"),
        ([], 1, "No mailbox for bounces is named"),
    ],
)
def test_what_cannot_be_read(
    args: list[str], exit_code: int, told: str, sampark: Callable[..., Result]
) -> None:
    assert told in sampark("bounces", *args, exit_code=exit_code).stderr


def test_a_rehearsal_leaves_the_mailbox_alone(sampark: Callable[..., Result], club: Path) -> None:
    settings = club / "club.yaml"
    settings.write_text(settings.read_text() + "\nbounces: {maildir: back}\n")
    assert "left alone" in sampark("bounces", exit_code=1).stderr

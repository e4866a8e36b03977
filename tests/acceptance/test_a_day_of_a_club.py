"""A marketer's first day, through the real program: files in, messages out, each once."""

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from acceptance_files import MEMBERS, TERMS

from crm_messaging.rehearsal.caught import CaughtMail

AS_OF = "2026-11-22 11:00"
"""Club time. It is Asha's birthday, and 30 days before the annual terms end."""


@pytest.fixture(scope="module")
def filled_club(
    made_club: Path, tmp_path_factory: pytest.TempPathFactory, program: Callable[[Path], Any]
) -> Path:
    """The club with three members, one row of each file refused; never changed."""
    folder = Path(shutil.copytree(made_club, tmp_path_factory.mktemp("filled") / "lotus"))
    for kind, file, text in (
        ("customers", "members.csv", MEMBERS),
        ("memberships", "terms.csv", TERMS),
    ):
        (folder / file).write_text(text, encoding="utf-8")
        refused = program(folder)("import", kind, file, exit_code=4)
        assert f"{file}.rejected.csv" in refused.stderr
    return folder


@pytest.fixture
def filled(filled_club: Path, club: Path) -> Path:
    """The test's own club, with its members. Nothing was sent from it: then a copy may not send."""
    return Path(shutil.copytree(filled_club, club, dirs_exist_ok=True))


@dataclass(frozen=True)
class Swept:
    """A club after the day's sweep. Tests only look at it, or repeat the sweep."""

    folder: Path
    run: Callable[..., Any]
    report: Any

    def ask(self, *args: str) -> Any:
        return json.loads(self.run(*args, "--json").stdout)

    def caught(self) -> CaughtMail:
        return CaughtMail(self.folder / ".sampark" / "caught")


@pytest.fixture(scope="module")
def swept(
    filled_club: Path, tmp_path_factory: pytest.TempPathFactory, program: Callable[[Path], Any]
) -> Swept:
    folder = Path(shutil.copytree(filled_club, tmp_path_factory.mktemp("swept") / "lotus"))
    run = program(folder)
    return Swept(folder, run, json.loads(run("sweep", "--as-of", AS_OF, "--json").stdout))


def by_campaign(report: Any) -> dict[str, Any]:
    return {one["campaign"]: one for one in report["campaigns"]}


def test_who_is_due_gets_her_message_and_nobody_else(swept: Swept) -> None:
    assert by_campaign(swept.report)["birthday"]["by_state"] == {"accepted": 1}
    renewals = by_campaign(swept.report)["membership-renewal"]
    assert renewals["admitted"] == 3
    assert renewals["by_state"] == {"accepted": 2, "suppressed": 1}
    assert renewals["by_reason"] == {"suppressed": {"opted_out": 1}}
    emails = swept.caught().newest(channel="email")
    assert sorted((one.recipient, one.language) for one in emails) == [
        ("asha@example.org", "hi"),
        ("asha@example.org", "hi"),
        ("neha@example.org", "en"),
    ]


def test_the_same_sweep_again_sends_nothing(swept: Swept) -> None:
    before = swept.caught().count()
    again = swept.ask("sweep", "--as-of", AS_OF)
    assert (again["admitted"], again["accepted"]) == (0, 0)
    assert swept.caught().count() == before


def test_the_ledger_and_the_catchers_agree(swept: Swept) -> None:
    caught = swept.caught()
    accepted = sorted(one["message_id"] for one in swept.ask("touchpoints", "--state", "accepted"))
    headers = [dict(caught.get(one.key).headers) for one in caught.newest()]
    assert sorted(one["Message-ID"] for one in headers) == accepted
    assert len(accepted) == swept.report["accepted"] == 3


def test_why_tells_what_was_sent_and_what_was_not(swept: Swept) -> None:
    asha = swept.run("why", "asha@example.org").stdout
    assert "entered Sun 22 Nov 2026, 11:00: the annual membership ends on Tue 22 Dec 2026" in asha
    assert "sent Sun 22 Nov 2026, 11:00, and accepted" in asha
    assert "waits for Tue 15 Dec 2026, 10:30" in asha
    ravi = swept.run("why", "M-2", "membership-renewal").stdout
    assert "Opted out of email" in ravi
    assert "not sent (suppressed), due Sun 22 Nov 2026, 10:30: the customer opted out" in ravi
    told = swept.ask("why", "M-2", "birthday")
    assert told["enrollments"] == []
    assert [one["has_occasion"] for one in told["not_in"]] == [False]


def test_an_event_ends_a_campaign(
    filled: Path, sampark: Callable[..., Any], answer: Callable[..., Any], caught: CaughtMail
) -> None:
    sampark("sweep", "--as-of", AS_OF, "--campaign", "membership-renewal")
    before = caught.count()
    sampark("event", "membership_renewed", "--customer", "M-3")
    later = answer("sweep", "--as-of", "2026-12-15 11:00", "--campaign", "membership-renewal")
    assert by_campaign(later)["membership-renewal"]["by_state"] == {"accepted": 2}
    assert caught.count() == before + 2
    (trail,) = answer("why", "M-3", "membership-renewal")["enrollments"]
    assert trail["status"] == "exited"


def test_a_paused_club_says_so_and_goes_on_when_told(
    filled: Path, sampark: Callable[..., Any], answer: Callable[..., Any], caught: CaughtMail
) -> None:
    only = ("--as-of", AS_OF, "--campaign", "birthday")
    sampark("pause", "birthday", "--reason", "the new text is not ready")
    paused = sampark("sweep", *only, exit_code=4)
    assert "birthday is paused and sends nothing: the new text is not ready." in paused.stderr
    assert caught.count() == 0
    assert answer("resume", "birthday")["changed"]
    assert answer("sweep", *only)["accepted"] == 1


def test_a_broken_campaign_stops_alone_and_loudly(
    filled: Path, sampark: Callable[..., Any], caught: CaughtMail
) -> None:
    path = filled / "campaigns/birthday.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("topic:", "toppic:"), "utf-8")
    told = sampark("sweep", "--as-of", AS_OF, exit_code=4)
    assert "birthday (disabled)" in told.stdout
    assert "campaigns/birthday.yaml:11:1: [birthday] unknown key `toppic`" in told.stderr
    assert caught.count() == 2


@pytest.mark.parametrize(
    ("args", "exit_code", "told"),
    [
        (["sweep", "--campaign", "birthdy"], 1, "Did you mean `birthday`?"),
        (["sweep", "--as-of", "soon"], 2, "soon is no moment"),
        (["touchpoints", "--state", "sent"], 2, "There is no state sent"),
        (["why", "M-77"], 1, "No customer"),
        (["why"], 2, "Missing argument"),
        (["import", "members", "club.yaml"], 2, "Import customers, memberships"),
        (["import", "customers", "missing.csv"], 2, "does not exist"),
        (["--project", "/nowhere", "sweep"], 1, "sampark init"),
    ],
)
def test_a_wrong_call_gets_one_clear_answer(
    args: list[str], exit_code: int, told: str, sampark: Callable[..., Any]
) -> None:
    assert told in sampark(*args, exit_code=exit_code).stderr


def test_a_live_sweep_does_not_run_ahead(club: Path, sampark: Callable[..., Any]) -> None:
    settings = club / "club.yaml"
    text = settings.read_text(encoding="utf-8")
    settings.write_text(text.replace("mode: rehearsal", "mode: live"), encoding="utf-8")
    refused = sampark("sweep", "--as-of", "2999-01-01", exit_code=2)
    assert "cannot run ahead" in refused.stderr
    assert not (club / "sampark.db").exists()

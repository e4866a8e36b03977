"""What people get wrong in their first hour, and what they are told."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from crm_console.cli import app
from flows.ledger_mark import open_mark
from flows.project import open_club, open_project

Sampark = Callable[..., Result]

NOW = datetime(2026, 11, 22, tzinfo=UTC)

MEMBERS = "Member No,First Name,Preferred Language,Colour,Score\nM-1,Günther,de,red,high\n"
TERMS = "Member No,Plan,Start Date,End Date\nM-1,yearly,2025-12-23,2026-12-22\n"


@pytest.fixture
def member(sampark: Sampark, tmp_path: Path) -> str:
    (tmp_path / "members.csv").write_text(MEMBERS, encoding="utf-8")
    told = sampark("import", "customers", str(tmp_path / "members.csv"))
    said = " ".join(told.stderr.split())
    assert "Nothing was read from: Colour. To say what one of them is: --column NAME=" in said
    assert "Nothing was read from: Score. Sampark works that out by itself." in said
    assert 'import with --column FIELD="Score"' in said
    return "M-1"


def test_a_plan_that_no_campaign_can_name_is_told(
    sampark: Sampark, member: str, tmp_path: Path
) -> None:
    (tmp_path / "terms.csv").write_text(TERMS, encoding="utf-8")
    told = sampark("import", "memberships", str(tmp_path / "terms.csv"))
    assert "the plan yearly of 1 row: add it to `plans:`" in " ".join(told.stderr.split())
    said = sampark("why", member, "membership-renewal").stdout
    assert "membership-renewal: it is not for the plan yearly" in said


def test_a_plan_in_other_letters_is_told_before_it_is_in(
    sampark: Sampark, member: str, tmp_path: Path
) -> None:
    second = f"{member},ANNUAL,2026-12-23,2027-12-22\n"
    (tmp_path / "terms.csv").write_text(TERMS.replace("yearly", "Annual") + second * 2)
    said = sampark("import", "memberships", str(tmp_path / "terms.csv"), "--dry-run", exit_code=4)
    told = " ".join(said.stderr.split())
    for plan in ("Annual", "ANNUAL"):
        assert f"the plan {plan} of 1 row: did you mean `annual`? Mend the file and" in told


def test_a_dry_run_writes_nothing_and_a_mended_file_stays(sampark: Sampark, tmp_path: Path) -> None:
    file, rejected = tmp_path / "members.csv", tmp_path / "members.csv.rejected.csv"
    file.write_text("ref,phone\n" + "".join(f"M-{number},1\n" for number in range(7)))
    dry = sampark("import", "customers", str(file), "--dry-run", exit_code=4)
    assert "line 6: phone" in dry.stderr
    assert "line 7" not in dry.stderr
    assert "and 2 more" in dry.stderr
    assert "nothing written" in dry.stderr
    assert not rejected.exists()

    told = sampark("import", "customers", str(file), exit_code=4)
    assert "members.csv.rejected.csv" in told.stderr
    mended = rejected.read_text("utf-8-sig").replace("M-0,1,", "M-0,98765 43210,")
    rejected.write_text(mended)
    told = sampark("import", "customers", str(file), exit_code=4)
    assert "members.csv.rejected-2.csv" in told.stderr
    assert "members.csv.rejected.csv was there before, and stays as it is." in told.stderr
    assert rejected.read_text() == mended
    assert "1 new" in sampark("import", "customers", str(rejected), exit_code=4).stdout


def test_rejected_rows_that_cannot_be_written_are_told(sampark: Sampark, tmp_path: Path) -> None:
    file = tmp_path / f"{'m' * 245}.csv"
    file.write_text("ref,phone\nM-1,1\nM-2,98765 43210\n")
    told = sampark("import", "customers", str(file), exit_code=1).stderr
    assert "1 row was rejected" in told
    assert "The others are in." in told


def test_a_language_that_the_club_lacks_is_told(sampark: Sampark, member: str) -> None:
    said = sampark("why", member).stdout
    assert "The language is de; where a message lacks it, en." in said


def test_a_leads_misspelt_field_is_told(sampark: Sampark) -> None:
    data = '{"first_nam": "Kiran", "form": "autumn"}'
    told = sampark("event", "lead_created", "--customer", "L-7", "--data", data).stderr
    assert "Nothing was read from first_nam. Did you mean first_name?" in told
    assert "form" not in told


def test_what_is_paused_is_told_wherever_one_asks(sampark: Sampark, answer: Any) -> None:
    sampark("pause", "birthday", "--reason", "a wrong word")
    sampark("pause")
    found = [one["text"] for one in answer("doctor")["findings"] if one["what"] == "paused"]
    assert found == ["birthday: a wrong word", "everything: paused by hand"]
    assert "It waits all the same" in sampark("resume", "trial").stderr
    assert "birthday has a pause of its own: sampark resume birthday" in sampark("resume").stderr
    assert sampark("resume", "birthday").stderr == ""


def test_a_campaign_that_nobody_knows_has_no_empty_ledger(sampark: Sampark) -> None:
    told = sampark("touchpoints", "--campaign", "brithday", exit_code=1).stderr
    assert "Did you mean `birthday`?" in told
    assert "0 touchpoints" in sampark("touchpoints", "--campaign", "birthday").stderr


def test_a_page_goes_into_no_folder_that_is_not_there(sampark: Sampark, tmp_path: Path) -> None:
    folder = tmp_path / "nonexistent"
    step = ("preview", "membership-renewal", "heads_up")
    told = sampark(*step, "--html", str(folder / "x.html"), exit_code=2).stderr
    assert f"There is no folder {folder}." in told
    assert not folder.exists()
    told = sampark(*step, "--html", str(tmp_path), exit_code=2).stderr
    assert "is a directory" in " ".join(told.replace("│", "").split())


def test_a_command_is_told_as_it_is_typed(sampark: Sampark) -> None:
    assert "\n`sampark token list`" in sampark("token", "revoke", "nosuch", exit_code=1).stderr


def test_a_text_message_has_no_page(sampark: Sampark, tmp_path: Path) -> None:
    page = tmp_path / "page.html"
    told = sampark("preview", "membership-renewal", "offer", "--html", str(page)).stderr
    assert "has no page" in told
    assert not page.exists()


def test_a_folder_without_a_club_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(app, ["check"])
    assert told.exit_code == 1
    assert f"There is no club.yaml in {tmp_path.resolve()}." in told.stderr


def test_a_project_without_a_folder_is_called_wrongly() -> None:
    told = CliRunner().invoke(app, ["check", "--project"])
    assert told.exit_code == 2
    assert "--project needs a folder behind it" in told.stderr


def test_a_broken_campaign_goes_by_its_own_name(sampark: Sampark, club: Path, member: str) -> None:
    (club / "campaigns/draft.yaml").write_text("campaign: come-back\nnmae: Come back\n")
    assert "come-back is broken and does not run" in sampark("why", member, "come-back").stdout


def test_one_campaign_is_checked_and_tested_by_its_name_too(sampark: Sampark) -> None:
    assert "1 campaign" in sampark("check", "birthday").stderr
    assert "birthday: a member gets an e-mail" in sampark("test", "birthday").stdout
    for command in ("check", "test"):
        assert "Did you mean `birthday`?" in sampark(command, "brithday", exit_code=2).stderr


@pytest.mark.parametrize("command", ["doubt", "inbox"])
def test_a_list_is_not_asked_for_by_an_id(sampark: Sampark, command: str) -> None:
    told = " ".join(sampark(command, "list", exit_code=2).stderr.replace("│", "").split())
    assert "list is no id. Without one, the command lists them." in told


def test_a_new_clubs_campaigns_are_new_in_one_sentence(sampark: Sampark, member: str) -> None:
    told = " ".join(sampark("plan").stdout.split())
    assert "25 campaigns are new, and nobody is in them yet: adaptation, anniversary," in told
    assert "is new:" not in told


def test_what_a_strange_heading_could_be_is_told(sampark: Sampark, tmp_path: Path) -> None:
    file = tmp_path / "members.csv"
    file.write_text("Member No,Name,Email ID,Mobile No\nM-1,Asha,asha@example.org,98765 43210\n")
    told = " ".join(sampark("import", "customers", str(file)).stderr.split())
    assert "Nothing was read from: Name. To say" in told
    assert "where NAME is one of: first_name, last_name, language," in told
    again = sampark("import", "customers", str(file), "--column", "first_name=Name")
    assert "1 changed" in again.stdout


def test_a_column_that_must_be_there_is_told_with_other_names(
    sampark: Sampark, tmp_path: Path
) -> None:
    file = tmp_path / "purchases.csv"
    file.write_text("Member No,Item,Amount,Date\nM-1,Shake,250,2026-11-20\n")
    told = " ".join(sampark("import", "purchases", str(file), exit_code=2).stderr.split())
    assert "no column for ref (invoice, invoice no, receipt, receipt no); it has: Member" in told


def test_a_rehearsals_database_is_found_before_it_goes_live(
    club: Path, member: str, answer: Any
) -> None:
    project = open_project(club)
    with open_club(project, lambda: NOW) as (store, _):
        mark = open_mark(store, project.ledger_memory, NOW)
        mark.note(store.transact(mark.count))
    assert "ledger" not in {one["what"] for one in answer("doctor")["findings"]}
    settings = club / "club.yaml"
    text = settings.read_text(encoding="utf-8").replace("mode: rehearsal\n", "mode: live\n")
    settings.write_text(text, encoding="utf-8")
    for _ in range(2):
        found = {one["what"]: one for one in answer("doctor", exit_code=3)["findings"]}
        assert "this database holds a rehearsal" in found["ledger"]["text"]
        assert "paused" not in found


def test_an_event_of_a_broken_campaign_is_not_called_misspelt(
    sampark: Sampark, club: Path, member: str
) -> None:
    path = club / "campaigns/payment-failed.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("topic:", "toppic:"), "utf-8")
    told = sampark("event", "payment_failed", "--customer", member).stderr
    assert "What it means to payment-failed is not known, being broken: sampark check" in told
    assert "Did you mean" not in told
    assert (
        "It concerns: first-visit."
        in sampark("event", "visit_recorded", "--customer", member).stderr
    )


@pytest.mark.parametrize(
    ("right", "wrong", "told"),
    [
        ("country: IN", "country: India", "`India` cannot be a country; write its two letters"),
        ("currency: INR", "currency: Rs", "`Rs` cannot be a currency; write its three letters"),
        ('"#0f6b5c"', "green", '`green` cannot be a colour; write it as "#0f6b5c", in quotes'),
        ("mode: rehearsal", "bounces: {maildir: /x, folder: é}\nmode: rehearsal",
         "`folder` does not fit; it has to match"),
    ],
)  # fmt: skip
def test_a_code_that_is_none(
    sampark: Sampark, club: Path, right: str, wrong: str, told: str
) -> None:
    path = club / "club.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(right, wrong, 1), "utf-8")
    assert told in sampark("check", exit_code=1).stdout

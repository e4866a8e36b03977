"""`sampark check`: every error, one to a line, where editors jump to."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

LINE = re.compile(r"^[\w./-]+:\d+:\d+: .+", re.MULTILINE)


def spoil(path: Path, before: str, after: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert before in text
    path.write_text(text.replace(before, after, 1), encoding="utf-8")


def test_the_starter_has_nothing_to_mend(sampark: Callable[..., Result]) -> None:
    result = sampark("check")
    assert result.stdout == ""
    assert "nothing to mend" in result.stderr


def test_errors_of_all_files_are_told_at_once(sampark: Callable[..., Result], club: Path) -> None:
    spoil(club / "campaigns/birthday.yaml", "topic: greetings", "topic: greetigns")
    spoil(club / "campaigns/trial.yaml", "email: trial/confirmation", "email: trial/confirm")
    spoil(club / "templates/hi/email/renewal/heads_up.md", "club.phone", "club.fone")
    result = sampark("check", exit_code=1)
    lines = result.stdout.splitlines()
    assert all(LINE.match(line) for line in lines), result.stdout
    assert [line.split(":")[0] for line in lines] == [
        "campaigns/birthday.yaml",
        "templates/hi/email/renewal/heads_up.md",
        "campaigns/trial.yaml",
    ]
    assert "did you mean `greetings`?" in lines[0]
    assert "3 problems in 3 files." in result.stderr


def test_settings_are_checked_first(answer: Callable[..., Any], club: Path) -> None:
    spoil(club / "club.yaml", "timezone: Asia/Kolkata", "timezone: Asia/Kolkatta")
    told = answer("check", exit_code=1)
    assert told["files"] == ["club.yaml"]
    (problem,) = told["problems"]
    assert problem["file"] == "club.yaml"
    lines = (club / "club.yaml").read_text(encoding="utf-8").splitlines()
    assert "timezone: Asia/Kolkatta" in lines[problem["line"] - 1]
    assert set(problem) == {"file", "line", "column", "message", "fix", "campaign", "severity"}


def test_one_file_can_be_checked_alone(answer: Callable[..., Any], club: Path) -> None:
    spoil(club / "campaigns/birthday.yaml", "topic: greetings", "topic: greetigns")
    told = answer("check", str(club / "campaigns/trial.yaml"))
    assert told == {"files": ["club.yaml", "campaigns/trial.yaml"], "problems": []}


@pytest.mark.parametrize("topic", ["greetings", "greetigns"])
@pytest.mark.parametrize("which", ["birthday", "campaigns/birthday.yaml"])
def test_one_campaign_is_told_what_it_is_told_among_all(
    which: str,
    topic: str,
    answer: Callable[..., Any],
    club: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(club)
    is_broken = topic != "greetings"
    spoil(club / "campaigns/birthday.yaml", "topic: greetings", f"topic: {topic}")
    spoil(club / "templates/en/email/birthday/greeting.md", ' or "friend"', "")
    (club / "templates/en/sms/renewal/plain.txt").write_text("Dear {{ customer.first_name }}")
    spoil(club / "campaigns/birthday.yaml", "\nsteps:", f"\npause_while: {NEVER}\nsteps:")
    everything = answer("check", exit_code=int(is_broken))["problems"]
    own = [one for one in everything if one["file"] != "templates/en/sms/renewal/plain.txt"]
    assert len(own) == len(everything) - 1 == 2 + is_broken
    assert answer("check", which, exit_code=int(is_broken))["problems"] == own
    answer("check", which, "--strict", exit_code=1)


def test_one_campaign_owes_a_way_out_as_all_do(answer: Callable[..., Any], club: Path) -> None:
    layout = club / "templates/layouts/club.mjml"
    layout.write_text(layout.read_text().replace("message.unsubscribe_url", "club.website"))
    told = answer("check", "birthday")["problems"]
    assert ["no link to unsubscribe" in one["message"] for one in told] == [True]


def test_one_campaign_is_one(sampark: Callable[..., Result]) -> None:
    told = sampark("check", "birthday").stderr
    assert told == "club.yaml and 1 campaign with its messages: nothing to mend.\n"


@pytest.mark.parametrize("which", ["birthday", "birthday.yaml"])
def test_a_campaign_of_a_wrong_name_is_found_by_its_file(
    which: str, sampark: Callable[..., Result], club: Path
) -> None:
    spoil(club / "campaigns/birthday.yaml", "campaign: birthday", "campaign: My Birthday")
    told = sampark("check", which, exit_code=1).stdout
    assert "`My Birthday` cannot be a campaign's name" in told


def test_a_template_that_no_campaign_uses_yet_is_checked_too(
    sampark: Callable[..., Result], club: Path
) -> None:
    (club / "templates/en/sms/renewal/draft.txt").write_text("{{ customer.fist_name }}")
    result = sampark("check", exit_code=1)
    assert result.stdout.startswith("templates/en/sms/renewal/draft.txt:1:")


def test_a_path_that_is_no_campaign_is_refused(sampark: Callable[..., Result], club: Path) -> None:
    result = sampark("check", str(club / "README.md"), exit_code=2)
    assert "is no campaign of this club" in result.stderr


def test_outside_a_club_one_is_told_where_to_go(
    sampark: Callable[..., Result], tmp_path: Path
) -> None:
    result = sampark("--project", str(tmp_path), "check", "--json", exit_code=1)
    error = json.loads(result.stdout)["error"]
    assert "no club.yaml" in error["reason"]
    assert "sampark init" in error["instruction"]


LONG = "{{ customer.first_name or 'friend' }}, " + "come and see us again, " * 14 + "soon"
NEVER = "visits.last_90d > 9 and visits.last_90d < 3"


def warned(club: Path) -> None:
    """A text message that is too long, and a condition that is never true."""
    (club / "templates/en/sms/renewal/plain.txt").write_text(LONG, encoding="utf-8")
    path = club / "campaigns/birthday.yaml"
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub("(?m)^where: .*", f"where: {NEVER}", text), encoding="utf-8")


def test_a_warning_is_told_and_is_no_error(sampark: Callable[..., Result], club: Path) -> None:
    warned(club)
    result = sampark("check")
    condition, long = result.stdout.splitlines()
    assert re.match(
        r"campaigns/birthday\.yaml:\d+:8: warning: \[birthday\] this condition is never true; ",
        condition,
    )
    assert long == (
        "templates/en/sms/renewal/plain.txt:1:1: warning: with a long name and a long date this "
        "takes 3 segments (339 characters of GSM-7); shorten it by 33 characters, to 2 segments"
    )
    assert "2 warnings" in result.stderr
    sampark("check", "--strict", exit_code=1)


def test_a_link_that_is_sent_as_it_stands_is_told(
    sampark: Callable[..., Result], club: Path
) -> None:
    path = club / "templates/en/email/birthday/greeting.md"
    path.write_text(path.read_text() + "\n[come in](https://club.example/in\n")
    assert sampark("check", "birthday", "--strict", exit_code=1).stdout == (
        f"templates/en/email/birthday/greeting.md:{path.read_text().count(chr(10))}:1: warning: "
        "`[come in](` is made no link: it is sent as it stands; "
        "close the address with `)`; a space in it is `%20`\n"
    )


def test_a_text_that_is_no_longer_than_two_segments_is_no_finding(
    sampark: Callable[..., Result], club: Path
) -> None:
    text = LONG.replace("come and see us again, " * 14, "come and see us again, " * 12)
    (club / "templates/en/sms/renewal/plain.txt").write_text(text, encoding="utf-8")
    assert sampark("check", "--strict").stdout == ""


def test_a_text_that_is_one_character_too_long(sampark: Callable[..., Result], club: Path) -> None:
    text = "a" * (2 * 153 + 1)
    (club / "templates/en/sms/renewal/plain.txt").write_text(text, encoding="utf-8")
    assert "shorten it by 1 character, to 2 segments" in sampark("check").stdout


def test_an_option_that_is_refused_is_told_in_plain_words(sampark: Callable[..., Result]) -> None:
    told = sampark("check", "--format", "x", exit_code=2).stderr
    assert "Invalid value for '--format': 'x' is not one of" in told


def test_github_marks_the_line(
    sampark: Callable[..., Result], club: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As its workflow commands are written, with the file as seen from the repository's root."""
    warned(club)
    spoil(club / "campaigns/trial.yaml", "name: Trial booked", "name: Trial booked\nnmae: 100%")
    monkeypatch.chdir(club.parent)
    first, second, _ = sampark("check", "--format", "github", exit_code=1).stdout.splitlines()
    assert first.startswith("::warning file=lotus/campaigns/birthday.yaml,line=")
    assert re.fullmatch(
        r"::error file=lotus/campaigns/trial\.yaml,line=\d+,col=1::\[trial\] unknown key `nmae`;.*",
        second,
    )


def test_json_tells_errors_and_warnings_apart(answer: Callable[..., Any], club: Path) -> None:
    warned(club)
    assert {one["severity"] for one in answer("check")["problems"]} == {"warning"}
    assert answer("check", "--format", "json") == answer("check")

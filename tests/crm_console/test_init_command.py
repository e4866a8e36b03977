"""`sampark init`: a club that works as it is, and never over somebody's files."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from crm_console.cli import app
from crm_console.new_club import starter_languages
from flows.project import open_project


def init(*args: str) -> Result:
    return CliRunner().invoke(app, ["init", *args])


@pytest.mark.parametrize("languages", [*starter_languages(), "hi,en", "en,hi,ru"])
def test_a_new_club_is_sound_in_any_of_the_starters_languages(
    tmp_path: Path, languages: str
) -> None:
    result = init(str(tmp_path / "club"), "--languages", languages)
    assert result.exit_code == 0, result.output
    project = open_project(tmp_path / "club")
    assert ",".join(project.settings.club.languages) == languages
    assert project.settings.mode == "rehearsal"
    assert [
        [*one.problems, *one.warnings] for one in project.check() if one.problems or one.warnings
    ] == []


def test_a_name_with_signs_that_yaml_knows_stays_a_name(tmp_path: Path) -> None:
    name = 'Йога: "Лотос" # 1'
    assert init(str(tmp_path / "c"), "--name", name, "--country", "ru").exit_code == 0
    club = open_project(tmp_path / "c").settings.club
    assert (club.name, club.country, club.currency) == (name, "RU", "RUB")


def test_the_editor_schema_knows_the_clubs_own_words(made_club: Path) -> None:
    schema = (made_club / ".sampark/campaign.schema.json").read_text(encoding="utf-8")
    json.loads(schema)
    for word in ("half-year", "renewals", "trial_booked", "renewal/heads_up", "custom.goal"):
        assert word in schema


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (["--timezone", "Asia/Calcuta"], "Asia/Calcutta"),
        (["--country", "XX"], "XX is no country's code"),
        (["--languages", "en,xx"], "no messages in xx"),
        (["--languages", ""], "Choose from en, hi, ru"),
        (["--name", "Lotus\u2028x: y"], "cannot be seen"),
    ],
)
def test_what_the_starter_cannot_serve_is_refused(
    tmp_path: Path, args: list[str], told: str
) -> None:
    result = init(str(tmp_path / "club"), *args)
    assert result.exit_code == 2
    assert told in result.stderr
    assert not (tmp_path / "club").exists()


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    result = init(str(tmp_path / "file" / "club"))
    assert result.exit_code == 2
    assert "cannot be made" in result.stderr


def test_a_folder_in_use_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    result = init(str(tmp_path))
    assert result.exit_code == 2
    assert "is not empty" in result.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_its_settings_for_going_live_are_valid(club: Path, sampark: Callable[..., Result]) -> None:
    settings = club / "club.yaml"
    text = settings.read_text(encoding="utf-8")
    head, tail = text.split("#\n# channels:", 1)
    block, rest = tail.split("\n\n", 1)
    uncommented = "channels:" + block.replace("\n# ", "\n")
    settings.write_text(f"{head}\n{uncommented}\n\n{rest}", encoding="utf-8")
    sampark("check")
    channels = open_project(club).settings.channels
    assert channels.email is not None
    assert channels.sms is not None


def test_each_new_club_has_a_secret_key_of_its_own_that_others_cannot_read(tmp_path: Path) -> None:
    keys = set()
    for name in ("a", "b"):
        assert init(str(tmp_path / name)).exit_code == 0
        assert (tmp_path / name / ".env").stat().st_mode & 0o777 == 0o600
        keys.add(open_project(tmp_path / name).settings.keys().fingerprints)
    assert len(keys) == 2


def test_a_key_that_was_changed_or_lost_is_named_before_anything_is_done(
    club: Path, sampark: Callable[..., Result]
) -> None:
    sampark("touchpoints")
    env = club / ".env"
    old = env.read_text(encoding="utf-8").partition("SAMPARK_SECRET_KEY=")[2].strip()
    for text, told in (
        (f"SAMPARK_SECRET_KEY={'n' * 43}\n", "SAMPARK_SECRET_KEY has changed"),
        ("", "SAMPARK_SECRET_KEY is not set"),
        ("SAMPARK_SECRET_KEY=short\n", "at least 32 characters"),
    ):
        env.write_text(text, encoding="utf-8")
        result = sampark("sweep", "--as-of", "2026-11-22", exit_code=3)
        assert told in " ".join(result.stderr.split())
        assert "short" not in result.stderr
    env.write_text(f"SAMPARK_SECRET_KEY={'n' * 43}\nSAMPARK_SECRET_KEY_PREVIOUS={old}\n")
    sampark("touchpoints")

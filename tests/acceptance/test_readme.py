"""The README is true: its shell lines run, in their order, in an empty folder."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

README = Path(__file__).parents[2] / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language: str) -> list[str]:
    text = README.read_text(encoding="utf-8")
    return [body for found, body in BLOCK.findall(text) if found == language]


def test_its_walk_through_works(tmp_path: Path, environment: dict[str, str]) -> None:
    script = "set -euo pipefail\n" + "\n".join(blocks("bash"))
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "nothing to mend" in done.stderr
    assert "the annual membership ends on Tue 22 Dec 2026" in done.stdout
    assert "the customer opted out" in done.stdout


def test_its_campaign_is_sound(club: Path, sampark: Callable[..., Any]) -> None:
    (campaign,) = blocks("yaml")
    assert yaml.safe_load(campaign)["campaign"] == "membership-renewal"
    (club / "campaigns/membership-renewal.yaml").write_text(campaign, encoding="utf-8")
    sampark("check")


def test_its_links_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README.read_text(encoding="utf-8")):
        assert (README.parent / target).exists(), target


def test_it_names_every_command(environment: dict[str, str]) -> None:
    shown = subprocess.run(
        ["sampark", "--help"],
        env=environment | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    commands = set(re.findall(r"^│ ([a-z]+) ", shown, re.MULTILINE)) - {"sampark"}
    named = set(re.findall(r"^\| `sampark ([a-z]+)", README.read_text("utf-8"), re.MULTILINE))
    assert named == commands

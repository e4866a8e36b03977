"""`sampark export` and `sampark erase`: what is told, what is left, and that it stays so."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

MEMBERS = (
    "ref,first name,email,phone\nM-1,Asha,asha@example.org,9876543210\nM-2,Ravi,r@example.org,\n"
)
Call = Callable[..., Result]


@pytest.fixture
def members(tmp_path: Path, sampark: Call) -> Path:
    path = tmp_path / "members.csv"
    path.write_text(MEMBERS)
    sampark("import", "customers", str(path))
    return path


def test_everything_about_one_customer_and_nobody_else(
    members: Path, sampark: Call, tmp_path: Path
) -> None:
    told = json.loads(sampark("export", "asha@example.org").stdout)
    assert told["customer"]["ref"] == "M-1"
    assert "r@example.org" not in json.dumps(told)
    file = tmp_path / "asha.json"
    sampark("export", "M-1", "--to", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text(encoding="utf-8")) == told
    assert "cannot be made" in sampark("export", "M-1", "--to", str(file), exit_code=2).stderr
    assert members.exists()


def test_an_erasure_is_asked_for_and_survives_the_next_import(
    members: Path, sampark: Call, answer: Callable[..., Any]
) -> None:
    assert "asha@example.org" in sampark("export", "M-1").stdout
    sampark("erase", "M-1", exit_code=1)  # nobody said yes
    done = answer("erase", "M-1", "--yes")
    assert done["rows"]["customer"] == 1
    sampark("export", "M-1", exit_code=1)
    sampark("import", "customers", str(members))
    told = json.loads(sampark("export", "M-1").stdout)
    assert {one["cause"] for one in told["suppression"]} == {"erasure"}
    assert {one["channel"] for one in told["suppression"]} == {"email", "sms"}
    assert "Nobody" not in sampark("why", "M-1").stdout

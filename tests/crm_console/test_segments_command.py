"""`sampark segments`: names, numbers, words; and what is wrong in the file."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

SEGMENTS = """\
segments:
  - name: hot
    where: customer.score >= 10
    description: Leads to call today
  - {name: vips, where: '"vip" in customer.tags'}
"""
SCORES = 'rules: [{where: customer.source == "web", points: 10}]\n'
CUSTOMERS = "Member No,First Name,Source,Tags\nM-1,Asha,web,vip\nM-2,Ravi,web,\nM-3,Kiran,,\n"


def test_segments_are_counted(club: Path, answer: Callable[..., Any]) -> None:
    (club / "segments.yaml").write_text(SEGMENTS, encoding="utf-8")
    (club / "scores.yaml").write_text(SCORES, encoding="utf-8")
    (club / "members.csv").write_text(CUSTOMERS, encoding="utf-8")
    answer("import", "customers", str(club / "members.csv"))
    assert answer("segments") == {
        "segments": [
            {
                "name": "hot",
                "customers": 2,
                "where": "customer.score >= 10",
                "description": "Leads to call today",
            },
            {"name": "vips", "customers": 1, "where": '"vip" in customer.tags', "description": ""},
        ],
        "problems": [],
    }


def test_what_is_wrong_is_told_by_check_and_by_segments(
    club: Path, sampark: Callable[..., Any], answer: Callable[..., Any]
) -> None:
    (club / "segments.yaml").write_text(SEGMENTS.replace("tags", "tag"), encoding="utf-8")
    (club / "scores.yaml").write_text("rules: [{points: 1}]", encoding="utf-8")
    found = answer("segments", exit_code=1)
    assert [one["name"] for one in found["segments"]] == []
    assert "unknown field `customer.score`" in str(found["problems"])
    printed = sampark("check", exit_code=1).stdout
    assert "scores.yaml:1:9: the rule says for what" in printed
    assert "segments.yaml:5:35: unknown field `customer.tag`" in printed

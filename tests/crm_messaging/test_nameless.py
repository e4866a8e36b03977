"""Who has no name would get nothing: `check` says so before."""

from pathlib import Path

import pytest
from template_folder import library

from crm_messaging.nameless import needs_a_name

HEAD = '---\nsubject: "Hello"\n---\n'


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("Hi {{ customer.first_name }}", ["1:7"]),
        ("Hi\n{{ customer.first_name | title }}, {{ customer.last_name }}", ["2:39", "2:4"]),
        ("{{ customer.first_name or 'there' }}, {{ customer.first_name }}", ["1:42"]),
        ("{{ customer.first_name or 'there' }} {{ event.amount | money }}", []),
        ("{{ customer.first_name | default('there') }} {{ event.at | time }}", []),
        ("{% if customer.first_name %}{{ customer.first_name }}{% else %}Hi{% endif %}", []),
        ("Until {{ membership.ends_on | date }}", []),
        ("{{ customer.frist_name }}", []),
        ("{{ customer.first_name }} {{ event.word | money }} {{ event.word | date }}", ["1:4"]),
    ],
)
@pytest.mark.parametrize(("channel", "ending", "head"), [("sms", "txt", ""), ("email", "md", HEAD)])
def test_a_bare_name_is_found_where_it_stands(
    tmp_path: Path, text: str, places: list[str], channel: str, ending: str, head: str
) -> None:
    file = f"en/{channel}/a/b.{ending}"
    found = needs_a_name(library(tmp_path, {file: head + text}, ("en", "hi")), channel, "a/b")
    lines = head.count("\n")
    assert sorted(f"{one.line - lines}:{one.column}" for one in found) == places
    assert all(one.file == f"templates/{file}" for one in found)
    assert all('or "..." }}' in one.fix for one in found)

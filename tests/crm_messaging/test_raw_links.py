"""A link that Markdown does not take for one is found before customers read its brackets."""

from pathlib import Path

import pytest
from template_folder import library

from crm_messaging.raw_links import links_that_are_none

HEAD = '---\nsubject: "Hello"\n---\n'


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("Now [renew](https://club.example/renew", ["1:5"]),
        ("Now [renew](https://club.example/renew and come back.\n\nYes", ["1:5"]),
        ("Hi,\n[re\nnew](https://club.example/a b)", ["2:1"]),
        ("[{{ customer.first_name or 'x' }}]({{ club.website }}/renew", ["1:1"]),
        ("{% if visits.total > 3 %}\n\n[renew](https://a.example\n\n{% endif %}", ["3:1"]),
        ("[a](https://a.example) [b](https://b.example", ["1:24"]),
        ("[renew](https://club.example/renew)", []),
        ("[renew]({{ club.website }}/renew?n={{ customer.first_name or 'x' }})", []),
        ('[renew](https://club.example/renew "button")', []),
        ("[renew](https://club.example/a_(b))", []),
        ("[renew](\nhttps://club.example/renew\n)", []),
        ("See [1] (the rules)", []),
        ("[renew]({{ club.webbsite }}/", []),
    ],
)
def test_a_link_that_does_not_end_is_found_where_it_begins(
    tmp_path: Path, text: str, places: list[str]
) -> None:
    file = "en/email/a/b.md"
    found = links_that_are_none(library(tmp_path, {file: HEAD + text}, ("en", "hi")), "a/b")
    lines = HEAD.count("\n")
    assert [f"{one.line - lines}:{one.column}" for one in found] == places
    assert all(one.file == f"templates/{file}" for one in found)

"""What `check` asks of a club before it may write to many: an address, a link, a way out."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

LIVE = ("mode: rehearsal", "mode: live")
ADDRESS = ("address: 12 MG Road, Pune", "address: ''")
PAGES = ("sweep:\n", "public: {base_url: https://go.lotusclub.in}\n\nsweep:\n")
NO_LINK = "{% if message.unsubscribe_url %}"


def change(file: Path, *changes: tuple[str, str]) -> None:
    text = file.read_text(encoding="utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    file.write_text(text, encoding="utf-8")


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ((), []),
        ((ADDRESS,), []),
        ((LIVE, PAGES), []),
        ((LIVE, PAGES, ADDRESS), ["no postal address"]),
        ((LIVE,), ["links in messages would begin with http://127.0.0.1:4280"]),
        ((LIVE, (PAGES[0], PAGES[1].replace("https", "http"))), ["http://go.lotusclub.in"]),
    ],
)
def test_what_a_club_says_of_itself(
    club: Path, answer: Callable[..., Any], changes: tuple[tuple[str, str], ...], told: list[str]
) -> None:
    change(club / "club.yaml", *changes)
    found = answer("check", exit_code=1 if told else 0)["problems"]
    assert [one["severity"] for one in found] == ["error" for _ in told]
    for one, words in zip(found, told, strict=True):
        assert words in one["message"]
        assert (one["file"], one["line"] > 0) == ("club.yaml", True)


def test_a_marketing_mail_without_a_way_out(club: Path, answer: Callable[..., Any]) -> None:
    layout = club / "templates" / "layouts" / "club.mjml"
    text = layout.read_text(encoding="utf-8")
    start, end = text.index(NO_LINK), text.index("{% endif %}", text.index(NO_LINK))
    layout.write_text(text[:start] + text[end + len("{% endif %}") :], encoding="utf-8")
    found = answer("check")["problems"]
    assert found
    assert {one["severity"] for one in found} == {"warning"}
    assert all("has no link to unsubscribe" in one["message"] for one in found)
    change(club / "club.yaml", LIVE, PAGES)
    found = answer("check", exit_code=1)["problems"]
    assert {one["severity"] for one in found} == {"error"}
    change(club / "club.yaml", ("{title: {", "{transactional: true, title: {"))
    assert answer("check")["problems"] == []

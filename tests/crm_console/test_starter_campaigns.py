"""The starter campaigns pass the check and their own tests; so do the campaigns that pages show."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from crm_console.new_club import ClubFacts, make_club, starter_folder, starter_languages
from crm_messaging.compiled import CompiledSms
from crm_messaging.render import render_email, render_sms, values_for
from crm_messaging.sms_segments import count
from crm_messaging.sms_worst import MOST_SEGMENTS
from crm_messaging.template_library import TemplateLibrary
from crm_store.catalogue.field import FieldType
from crm_store.catalogue.standard import catalogue_of
from flows.project import open_project

ROOT = Path(__file__).parents[2]
DESIGN = ROOT.parent / "shared" / "design" / "product.md"
YAML = re.compile(r"^```yaml\n(.*?)^```$", re.MULTILINE | re.DOTALL)
KNOWN_BY_THE_TRIGGER = ("membership.ends_on", "package.remaining", "coupon.code")
FESTIVALS = {"IN": {"seasonal-diwali"}, "RU": {"seasonal-may"}, "GB": set()}


def shown_in(path: Path) -> list[str]:
    """The campaigns that a page shows."""
    if not path.exists():
        pytest.skip(f"there is no {path.name} beside this checkout")
    return [text for text in YAML.findall(path.read_text("utf-8")) if "campaign:" in text]


def test_every_test_of_every_campaign_passes(answer: Callable[..., Any], club: Path) -> None:
    told = answer("test")
    assert [one for one in told["tests"] if not one["passed"]] == []
    assert told["problems"] == []
    tested = {one["campaign"] for one in told["tests"]}
    assert tested == {path.stem for path in (club / "campaigns").iterdir()}


@pytest.mark.parametrize("country", FESTIVALS)
def test_a_club_gets_the_festivals_of_its_country(country: str, tmp_path: Path) -> None:
    facts = ClubFacts.of("Lotus", "Europe/Moscow", country, ("ru",))
    make_club(tmp_path / "club", facts)
    checked = open_project(tmp_path / "club").check()
    assert [str(problem) for one in checked for problem in (*one.problems, *one.warnings)] == []
    seasonal = {one.name for one in checked if one.name.startswith("seasonal-")}
    assert seasonal == FESTIVALS[country] | {"seasonal-new-year"}


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_every_message_is_whole_for_someone_of_whom_little_is_known(channel: str) -> None:
    catalogue = catalogue_of()
    library = TemplateLibrary(starter_folder() / "templates", catalogue, starter_languages())
    for name in library.names(channel):
        for language in starter_languages():
            template = library.load(channel, name, language)
            fields = [library.catalogue[field] for field in template.fields]
            row = {
                one.name: one.example if one.always or one.name in KNOWN_BY_THE_TRIGGER else None
                for one in fields
            } | {one.name: 0 for one in fields if one.always and one.type is FieldType.INTEGER}
            values = values_for(row, language, library.catalogue)
            if isinstance(template, CompiledSms):
                assert count(render_sms(template, values)).segments <= MOST_SEGMENTS
            else:
                assert "None" not in render_email(template, values).text


@pytest.mark.parametrize("page", [DESIGN, ROOT / "README.md"], ids=lambda page: page.name)
def test_the_campaign_that_a_page_shows_passes_check_and_its_own_tests(
    page: Path, club: Path, sampark: Callable[..., Result], answer: Callable[..., Any]
) -> None:
    (campaign,) = shown_in(page)
    path = club / "campaigns" / "membership-renewal.yaml"
    path.write_text(campaign, encoding="utf-8")
    assert sampark("check", "--strict", str(path)).stdout == ""
    played = answer("test", str(path))["tests"]
    assert [one for one in played if not one["passed"]] == []
    assert len(played) == campaign.count("given:")

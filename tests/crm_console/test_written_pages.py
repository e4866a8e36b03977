"""The pages that teach: what they show passes `sampark check`, and they name all there is."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from click.testing import Result

from crm_messaging.template_filters import OFFERED
from crm_store.catalogue.field import FieldType
from crm_store.catalogue.reference import fields_page
from crm_store.catalogue.standard import catalogue_of, custom_field
from triggers.definition import Defaults
from triggers.expression import parse_condition
from triggers.kinds.all import Trigger

DOCS = Path(__file__).parents[2] / "docs"
WRITING = (DOCS / "writing.md").read_text(encoding="utf-8")
BLOCK = re.compile(
    r"`((?:campaigns|templates)/[^`\s]+\.\w+)`:\n\n```\w+\n(.*?)^```", re.MULTILINE | re.DOTALL
)
SHOWN = dict(BLOCK.findall(WRITING))
"""Path in a club's folder → the file that the page shows."""
CONDITIONS_TABLE = re.findall(r"^\| .* \| (`.*`) \|$", WRITING.partition("## Conditions")[2], re.M)
CONDITIONS = [code for cell in CONDITIONS_TABLE for code in re.findall("`(.+?)`", cell)]


def test_what_is_shown_has_nothing_to_mend(sampark: Callable[..., Result], club: Path) -> None:
    assert len(SHOWN) == 3
    for name, shown in SHOWN.items():
        for path in {name, name.replace("/en/", "/hi/")}:
            (club / path).parent.mkdir(exist_ok=True)
            (club / path).write_text(shown, encoding="utf-8")
    sampark("check", "--strict")
    sampark("test", str(club / "campaigns/come-back.yaml"))
    assert "we miss you" in sampark("preview", "come-back", "we_miss_you").stdout
    assert "misses you" in sampark("preview", "come-back", "short").stdout


@pytest.mark.parametrize("condition", CONDITIONS)
def test_each_condition_of_the_table_is_one(condition: str) -> None:
    parse_condition(condition, catalogue_of([custom_field("goal", FieldType.TEXT, "Goal")]))


def test_the_table_of_conditions_is_found() -> None:
    assert "visits.last_90d >= 8" in CONDITIONS


def test_every_trigger_default_and_filter_is_named() -> None:
    triggers = [
        get_args(kind.model_fields["type"].annotation)[0] for kind in get_args(get_args(Trigger)[0])
    ]
    for name in (*triggers, *Defaults.model_fields, *OFFERED):
        assert f"`{name}`" in WRITING or f"`{name}(" in WRITING, name


def test_the_page_of_fields_is_the_catalogue() -> None:
    """Else: python -m crm_store.catalogue.reference > docs/fields.md."""
    assert (DOCS / "fields.md").read_text(encoding="utf-8") == fields_page(catalogue_of())

"""The page of all keys: nothing is missing on it, and every example on it is sound."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from campaign_files import check_one
from reference_files import file_with

from crm_store.catalogue.field import FieldType
from crm_store.catalogue.standard import catalogue_of, custom_field
from triggers.check import checked_model
from triggers.model_reference import Key, Part
from triggers.reference import FILES, page, parts
from triggers.vocabulary import TemplateFinding, Vocabulary
from triggers.yaml_source import read_yaml

PAGE = Path(__file__).parents[2] / "docs" / "campaign-reference.md"
KEYS = [(part, key) for part in parts() for key in part.keys]


class EveryTemplate:
    """A shelf on which any name stands, and is sound."""

    def names(self, channel: str) -> Sequence[str]:
        return [
            "renewal/heads_up",
            "renewal/last_day",
            "renewal/recap",
            "renewal/plain",
            "renewal/offer",
        ]

    def problems(self, channel: str, name: str) -> Sequence[TemplateFinding]:
        return ()

    def fields(self, channel: str, name: str) -> frozenset[str]:
        return frozenset({"coupon.code"} if name == "renewal/offer" else ())

    def places(self, channel: str, name: str, field: str) -> Sequence[tuple[str, int, int]]:
        return ()

    def filled_problems(self, text: str) -> Sequence[TemplateFinding]:
        return ()

    def filled_fields(self, text: str) -> frozenset[str]:
        return frozenset()


VOCABULARY = Vocabulary(
    catalogue=catalogue_of([custom_field("favourite_class", FieldType.TEXT, "Favourite class")]),
    plans=frozenset({"annual"}),
    pipelines={"sales": ("new", "trial", "trial_booked", "lost")},
    topics=("renewals",),
    languages=("en",),
    templates=EveryTemplate(),
    message_channels=("whatsapp",),
    segments=("regulars", "newsletter"),
)


def test_the_page_is_as_the_models_are() -> None:
    """Else: python -m triggers.reference > docs/campaign-reference.md."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_key_is_told() -> None:
    assert [f"{part.model}.{key.name}" for part, key in KEYS if not key.meaning] == []
    assert [f"{part.model}.{key.name}" for part, key in KEYS if not key.has_example] == []
    assert [part.model for part in parts() if not part.about] == []


def test_every_model_of_the_language_is_on_it() -> None:
    models = {
        name
        for model in FILES.values()
        for name in model.model_json_schema(mode="serialization").get("$defs", {})
    }
    assert models <= {part.model for part in parts()}


@pytest.mark.parametrize(
    ("part", "key"), KEYS, ids=[f"{part.model}.{key.name}" for part, key in KEYS]
)
def test_every_example_is_sound(part: Part, key: Key, tmp_path: Path) -> None:
    path = tmp_path / "example.yaml"
    # JSON is YAML.
    text = json.dumps(file_with(part, key), ensure_ascii=False, indent=1)
    assert f'"{key.name}":' in text
    path.write_text(text, encoding="utf-8")
    problems = (
        check_one(path, VOCABULARY).problems
        if part.file == "A campaign"
        else checked_model(FILES[part.file], read_yaml(path), VOCABULARY)[1]
    )
    assert [str(problem) for problem in problems] == [], text

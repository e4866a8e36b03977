"""The page of club.yaml: nothing is missing on it, and no secret is given a place in the file."""

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from flows.reading_settings import SECRETS
from flows.settings import Settings
from flows.settings_reference import page, parts
from flows.settings_schema import settings_schema
from triggers.model_reference import SECRET

PAGE = Path(__file__).parents[2] / "docs" / "club-reference.md"
KEYS = [(part, key) for part in parts() for key in part.keys]


def test_the_page_is_as_the_settings_are() -> None:
    """Else: python -m flows.settings_reference > docs/club-reference.md."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_key_is_told() -> None:
    assert [f"{part.model}.{key.name}" for part, key in KEYS if not key.meaning] == []
    assert [part.model for part in parts() if not part.about] == []


def test_every_part_of_the_settings_is_on_it() -> None:
    definitions = Settings.model_json_schema(mode="serialization")["$defs"]
    models = {name for name, one in definitions.items() if "properties" in one}
    assert models <= {part.model for part in parts()}


GOOD: dict[str, Any] = {
    "club": {"name": "Lotus", "timezone": "Asia/Kolkata", "country": "IN", "languages": ["en"]},
    "topics": {"news": {"title": {"en": "News"}}, "receipts": {"transactional": True}},
    "channels": {
        "email": {
            "from": "hello@lotus.example",
            "smtp": {"host": "smtp.example", "port": 587},
            "limits": {
                "per_second": 50,
                "providers": {"google": {"domains": ["gmail.com"], "at_once": 4}},
            },
        },
        "sms": {"provider": "twilio", "from": "LOTUS", "account": "AC1"},
    },
    "forms": {"trial": {"kind": "hosted", "title": "Come and try"}},
    "sweep": {"every": "5m"},
}


@pytest.mark.parametrize(
    ("said", "is_sound"),
    [
        ({}, True),
        ({"topics": ["news", "receipts"]}, True),
        ({"mode": "alive"}, False),
        ({"sweeps": {"every": "5m"}}, False),
        ({"secret_key": "x" * 40}, False),
        ({"fields": {"goal": {"type": "tags"}}}, False),
        ({"channels": {"sms": {"provider": "twilio", "from": "A", "account": "B", "token": "C"}}},
         False),
        ({"channels": {"email": {"from": "a@b.example"}}}, False),
    ],
)  # fmt: skip
def test_the_editors_schema_agrees_with_the_settings(said: dict[str, Any], is_sound: bool) -> None:
    schema = settings_schema()
    Draft202012Validator.check_schema(schema)
    assert (list(Draft202012Validator(schema).iter_errors(GOOD | said)) == []) == is_sound


def test_secrets_have_their_variables_and_nothing_else_has() -> None:
    secret = {(part.model, key.name) for part, key in KEYS if key.type == SECRET}
    assert secret == {(part.model, key.name) for part, key in KEYS if key.name in SECRETS}
    by_variable = {key.default for _, key in KEYS if key.type == SECRET}
    assert "`SAMPARK_CHANNELS__EMAIL__SMTP__PASSWORD` in `.env`" in by_variable
    assert "`SAMPARK_FORMS__NAME__VERIFY_TOKEN` in `.env`" in by_variable
    assert all(one.startswith("`SAMPARK_") for one in by_variable)

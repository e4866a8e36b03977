"""The page of club.yaml: nothing is missing on it, and no secret is given a place in the file."""

from pathlib import Path

from flows.reading_settings import SECRETS
from flows.settings import Settings
from flows.settings_reference import page, parts
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


def test_secrets_have_their_variables_and_nothing_else_has() -> None:
    secret = {(part.model, key.name) for part, key in KEYS if key.type == SECRET}
    assert secret == {(part.model, key.name) for part, key in KEYS if key.name in SECRETS}
    by_variable = {key.default for _, key in KEYS if key.type == SECRET}
    assert "`SAMPARK_CHANNELS__EMAIL__SMTP__PASSWORD` in `.env`" in by_variable
    assert "`SAMPARK_FORMS__NAME__VERIFY_TOKEN` in `.env`" in by_variable
    assert all(one.startswith("`SAMPARK_") for one in by_variable)

"""The schema that editors use agrees with the checker."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from crm_store.catalogue.field import Catalogue
from triggers.schema import schemas
from triggers.vocabulary import TemplateFinding, Vocabulary
from triggers.yaml_source import read_yaml

CAMPAIGNS = Path(__file__).parents[2] / "campaigns"
GOOD: dict[str, Any] = {
    "campaign": "renewal",
    "name": "Renewal",
    "topic": "renewals",
    "trigger": {"type": "stage_change", "pipeline": "sales", "to": "trial"},
    "where": "not membership.auto_renew",
    "defaults": {"time": "10:30", "quiet_hours": "21:00-10:00", "late": {"grace": "36h"}},
    "steps": [{"id": "a", "at": "-30d", "email": "heads_up", "if": "visits.total > 1"}],
}
STEP = GOOD["steps"][0]


@pytest.fixture(scope="module")
def schema(vocabulary: Vocabulary) -> dict[str, Any]:
    schema = schemas(vocabulary)["campaign"]
    Draft202012Validator.check_schema(schema)
    return schema


def test_it_accepts_a_good_campaign(schema: dict[str, Any]) -> None:
    assert list(Draft202012Validator(schema).iter_errors(GOOD)) == []


@pytest.mark.parametrize(
    "wrong",
    [
        GOOD | {"toppic": "renewals"},
        GOOD | {"topic": "renewal"},
        GOOD | {"trigger": {"type": "membership_expiring", "plans": ["anual"]}},
        GOOD | {"trigger": {"type": "stage_change", "pipeline": "sales", "to": "trail"}},
        GOOD | {"trigger": {"type": "birthdays"}},
        GOOD | {"defaults": {"time": "9:30"}},
        GOOD | {"defaults": {"cap": {"max": 0, "per": "7d"}}},
        GOOD | {"steps": []},
        GOOD | {"steps": [STEP | {"at": "-30 days"}]},
        GOOD | {"steps": [STEP | {"email": "headsup"}]},
        GOOD | {"steps": [STEP | {"sms": "come_again"}]},
        GOOD | {"steps": [{"id": "a", "at": "0d"}]},
    ],
)
def test_it_refuses(wrong: dict[str, Any], schema: dict[str, Any]) -> None:
    assert list(Draft202012Validator(schema).iter_errors(wrong))


def test_it_tells_the_fields_where_a_condition_stands(schema: dict[str, Any]) -> None:
    for condition in (schema["properties"]["where"], schema["$defs"]["Step"]["properties"]["if"]):
        assert "- visits.last_90d: Visits in the last 90 days (integer)" in condition["description"]
        assert "- custom.goal: Training goal (text)" in condition["description"]


def test_every_key_is_described(schema: dict[str, Any]) -> None:
    for name in ("Step", "Defaults", "Cap", "Late", "StageChange", "MembershipExpiring", "NewLead"):
        for key, described in schema["$defs"][name]["properties"].items():
            assert key == "type" or described.get("description"), (name, key)


def test_no_mark_is_left_in_it(schema: dict[str, Any]) -> None:
    assert "x-sampark" not in str(schema)


class NoTemplates:
    """A shelf with nothing on it: then any name has the right shape."""

    def names(self, channel: str) -> Sequence[str]:
        return ()

    def problems(self, channel: str, name: str) -> Sequence[TemplateFinding]:
        return ()

    def fields(self, channel: str, name: str) -> frozenset[str]:
        return frozenset()

    def places(self, channel: str, name: str, field: str) -> Sequence[tuple[str, int, int]]:
        return ()

    def filled_problems(self, text: str) -> Sequence[TemplateFinding]:
        return ()

    def filled_fields(self, text: str) -> frozenset[str]:
        return frozenset()


@pytest.mark.parametrize("path", sorted(CAMPAIGNS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_starter_campaigns_have_its_shape(path: Path, catalogue: Catalogue) -> None:
    vocabulary = Vocabulary(catalogue, None, {}, (), ("en",), NoTemplates())
    schema = schemas(vocabulary)["campaign"]
    errors = Draft202012Validator(schema).iter_errors(read_yaml(path).data)
    assert [error.message for error in errors] == []

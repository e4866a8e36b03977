"""A campaign's definition: kept as JSON and read back, told apart by its digest."""

import json
import re
from datetime import time, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from triggers.definition import CampaignDefinition
from triggers.kinds.anchor import Anchor
from triggers.kinds.stage_change import StageChange
from triggers.offsets import Offset, Unit

LEAST: dict[str, Any] = {
    "campaign": "renewal",
    "name": "Renewal",
    "topic": "renewals",
    "trigger": {"type": "membership_expiring"},
    "steps": [{"id": "heads_up", "at": "-30d", "email": "renewal/heads_up"}],
}
FULL: dict[str, Any] = LEAST | {
    "owner": "retention@club.example",
    "trigger": {"type": "stage_change", "pipeline": "sales", "from": "new", "to": "trial"},
    "where": "visits.total > 3",
    "exit_on": ["membership_renewed", "membership_cancelled"],
    "defaults": {
        "time": "10:30",
        "quiet_hours": "21:00-10:00",
        "cap": {"max": 2, "per": "7d", "else": "skip"},
        "late": {"grace": "2d", "else": "skip"},
    },
    "steps": [
        {"id": "a", "at": "now", "email": "trial/a", "if": "customer.stage is none"},
        {"id": "b", "at": "+1d", "sms": "trial/b", "time": "18:00", "late": {"grace": "2h"}},
    ],
    "tests": [{"name": "x", "given": {"today": "2026-03-01"}, "expect": ["a", "b@2026-03-02"]}],
}


def read(**changes: Any) -> CampaignDefinition:
    return CampaignDefinition.model_validate(LEAST | changes)


@pytest.mark.parametrize("data", [LEAST, FULL], ids=["least", "full"])
def test_it_survives_the_database(data: dict[str, Any]) -> None:
    definition = CampaignDefinition.model_validate(data)
    stored = json.loads(json.dumps(definition.model_dump(mode="json")))
    again = CampaignDefinition.model_validate(stored)
    assert again == definition
    assert again.digest == definition.digest


def test_what_is_left_out() -> None:
    definition = read()
    assert definition.owner == ""
    assert definition.where is None
    assert definition.exit_on == ()
    assert definition.defaults.quiet_hours is None
    assert definition.defaults.cap is None
    assert definition.late_of(definition.steps[0]).grace == timedelta(hours=36)
    assert definition.clock_of(definition.steps[0]) == time(10, 0)
    assert read(trigger={"type": "new_lead"}).clock_of(definition.steps[0]) is None


def test_the_parts_of_a_full_one() -> None:
    definition = CampaignDefinition.model_validate(FULL)
    a, b = definition.steps
    assert definition.act("b").action is b
    assert (a.channel, a.template) == ("email", "trial/a")
    assert (b.channel, b.template) == ("sms", "trial/b")
    assert a.at == Offset(0, Unit.SECONDS)
    assert a.condition == "customer.stage is none"
    assert definition.clock_of(a) == time(10, 30)
    assert definition.clock_of(b) == time(18, 0)
    assert definition.late_of(b).grace == timedelta(hours=2)
    assert isinstance(definition.trigger, StageChange)
    assert definition.trigger.anchor is Anchor.MOMENT
    assert (definition.trigger.from_stage, definition.trigger.to_stage) == ("new", "trial")
    with pytest.raises(KeyError):
        definition.act("c")


@pytest.mark.parametrize(
    "changes",
    [
        {"owner": "someone@else.example"},
        {"tests": [{"name": "another"}]},
        {"defaults": {}},
        {"defaults": {"late": {"grace": "36h", "else": "skip"}}},
        {"steps": [{"email": "renewal/heads_up", "at": "-30d", "id": "heads_up", "if": None}]},
    ],
)
def test_the_same_campaign_has_the_same_digest(changes: dict[str, Any]) -> None:
    assert read(**changes).digest == read().digest


@pytest.mark.parametrize(
    "changes",
    [
        {"campaign": "another"},
        {"topic": "leads"},
        {"where": "visits.total > 3"},
        {"exit_on": ["membership_renewed"]},
        {"trigger": {"type": "membership_expiring", "plans": ["annual"]}},
        {"trigger": {"type": "birthday"}},
        {"defaults": {"time": "10:01"}},
        {"defaults": {"late": {"grace": "35h"}}},
        {"steps": [{"id": "heads_up", "at": "-29d", "email": "renewal/heads_up"}]},
        {"steps": [{"id": "heads_up", "at": "-30d", "sms": "renewal/heads_up"}]},
    ],
)
def test_another_campaign_has_another_digest(changes: dict[str, Any]) -> None:
    assert read(**changes).digest != read().digest


def test_the_digest_is_the_same_for_ever() -> None:
    # A change here would give every campaign of every club a new version.
    expected = "04052ef29873c46ec0b0d623ef1b344b2b564569ab9f43ceb3f46797328071c3"
    assert read().digest == expected


STEP = {"id": "a", "at": "-1d", "email": "a/b"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": []}, "the campaign has no steps"),
        ({"steps": [STEP, STEP]}, "the step id `a` is used twice"),
        ({"steps": [STEP | {"sms": "a/b"}]}, "step `a` has both `email` and `sms`"),
        ({"steps": [{"id": "a", "at": "-1d"}]}, "step `a` does nothing"),
        ({"steps": [STEP | {"email": "../secret"}]}, "`../secret` cannot be a template's name"),
        ({"campaign": "My campaign"}, "`My campaign` cannot be a campaign's name"),
        ({"campaign": "a" * 65}, "cannot be a campaign's name"),
        ({"exit_on": ["Renewed!"]}, "`Renewed!` cannot be an event's name"),
        ({"name": " "}, "the text is empty"),
        (
            {"trigger": {"type": "new_lead"}, "steps": [STEP | {"at": "+2h", "time": "09:00"}]},
            "`time` has no effect beside `at: +2h`",
        ),
    ],
)
def test_a_refusal(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(message)):
        read(**changes)


@pytest.mark.parametrize(
    ("trigger", "offsets", "earliest", "latest"),
    [
        ("new_lead", ["now", "+2h"], timedelta(0), timedelta(hours=2)),
        ("new_lead", ["now", "+3d"], timedelta(0), timedelta(days=3, hours=37)),
        ("birthday", ["-30d", "+3d"], timedelta(days=-30, hours=-15), timedelta(days=3, hours=37)),
        ("birthday", ["+2h"], timedelta(hours=-13), timedelta(hours=39)),
    ],
)
def test_the_span(trigger: str, offsets: list[str], earliest: timedelta, latest: timedelta) -> None:
    steps = [{"id": f"s{index}", "at": at, "email": "a/b"} for index, at in enumerate(offsets)]
    assert read(trigger={"type": trigger}, steps=steps).span() == (earliest, latest)

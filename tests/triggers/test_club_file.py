"""The same words for club.yaml: any model's errors, beside the keys they are about."""

# ruff: noqa: E501 - a table reads best a row a line

from collections.abc import Mapping

import pytest
from pydantic import Field, StrictInt, ValidationError

from triggers.model_problems import problems_of
from triggers.strict_model import StrictModel
from triggers.yaml_source import parse_yaml
from triggers.zones import ZoneName


class Club(StrictModel):
    name: str
    timezone: ZoneName
    live: bool = False


class Port(StrictModel):
    number: StrictInt = Field(default=25, ge=1, le=65535)


class ClubFile(StrictModel):
    club: Club
    pipelines: Mapping[str, tuple[str, ...]] = Field(default_factory=dict)
    ports: Mapping[str, Port] = Field(default_factory=dict)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("club: {name: A, timezone: Asia/Calcuta}", "1:27: unknown time zone `Asia/Calcuta`; did you"
         " mean `Asia/Calcutta`?"),
        ("club: {name: A, timezone: Kolkata}", "1:27: unknown time zone `Kolkata`; did you mean"
         " `Asia/Kolkata`?"),
        ("club: {name: A, timezone: IST}", "1:27: unknown time zone `IST`; "),
        ("club: {name: A, time_zone: UTC}", "1:17: unknown key `time_zone`; did you mean `timezone`?"),
        ("club:\n  name: A", "1:1: `timezone` is missing in `club`; add `timezone:` with a value"),
        ("club: {name: A, timezone: UTC, live: maybe}", "1:38: `live` must be true or false; write"),
        ("club: {name: A, timezone: UTC}\npipelines: {sales: new}", "2:20: `sales` must be a list"),
        ("club: {name: A, timezone: UTC}\npipelines: {sales: [new, 1]}", "2:26: an item of `sales`"),
        ("club: {name: A, timezone: UTC}\nports: {smtp: {nmuber: 1}}", "2:16: unknown key `nmuber`;"
         " did you mean `number`?"),
        ("club: {name: A, timezone: UTC}\nports: {smtp: {number: 99999}}", "2:24: `number` must be at"
         " most 65535"),
    ],
)  # fmt: skip
def test_a_line(text: str, line: str) -> None:
    source = parse_yaml(text, "club.yaml")
    with pytest.raises(ValidationError) as refused:
        ClubFile.model_validate(source.data)
    told = [str(problem) for problem in problems_of(refused.value, source, ClubFile)]
    assert len(told) == 1, told
    assert told[0].startswith(f"club.yaml:{line}")


def test_a_value_from_elsewhere_is_told_at_the_nearest_place() -> None:
    source = parse_yaml("club:\n", "club.yaml")
    with pytest.raises(ValidationError) as refused:
        ClubFile.model_validate({"club": {"timezone": "UTC", "colour": "red"}})
    told = [str(problem) for problem in problems_of(refused.value, source, ClubFile)]
    assert [line.split(";")[0] for line in told] == [
        "club.yaml:1:1: `name` is missing",
        "club.yaml:1:1: unknown key `colour`",
    ]

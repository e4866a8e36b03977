"""The `tests:` of a campaign file: read into cases, every mistake at its place."""

from datetime import date, datetime
from pathlib import Path

import pytest

from crm_store.catalogue.standard import catalogue_of
from triggers.definition import CampaignDefinition
from triggers.offsets import Offset
from triggers.test_cases import Expected, read_tests
from triggers.yaml_source import read_yaml

CAMPAIGN = """\
campaign: renewal
name: Renewal
topic: renewals
trigger: {type: membership_expiring}
steps:
  - {id: month, at: -30d, email: note/one}
  - id: offer
    at: -7d
    split:
      gift: {weight: 1, email: note/one}
      plain: {weight: 1, email: note/two}
tests:
  - name: a test
"""


def read(tmp_path: Path, test: str) -> tuple[list, list[str]]:
    path = tmp_path / "renewal.yaml"
    path.write_text(CAMPAIGN + test)
    source = read_yaml(path, "renewal.yaml")
    definition = CampaignDefinition.model_validate(source.data)
    cases, problems = read_tests(source, definition, catalogue_of())
    return cases, [str(one) for one in problems]


def test_a_whole_case(tmp_path: Path) -> None:
    test = """\
    given:
      today: 2026-03-01
      until: 2026-04-01
      customer: {tags: [vip], birth_date: 1992-02-29, email: null}
      membership: {ends_on: 2026-03-11, auto_renew: true}
      visits: {last_90d: 9}
      events:
        - {at: -8d, name: membership_renewed}
        - {at: 2026-03-02T09:30, name: visited, data: {room: 2}}
        - {at: 2026-03-03, name: visited}
    expect: [month@2026-03-02, offer.gift, offer]
"""
    cases, problems = read(tmp_path, test)
    assert problems == []
    (case,) = cases
    assert (case.file, case.line, case.column) == ("renewal.yaml", 13, 11)
    assert (case.today, case.until) == (date(2026, 3, 1), date(2026, 4, 1))
    assert case.fields == {
        "customer.tags": ["vip"],
        "customer.birth_date": date(1992, 2, 29),
        "customer.email": None,
        "membership.ends_on": date(2026, 3, 11),
        "membership.auto_renew": True,
        "visits.last_90d": 9,
    }
    assert [one.at for one in case.events] == [
        Offset.parse("-8d"),
        datetime(2026, 3, 2, 9, 30),  # noqa: DTZ001 - the club's own clock
        datetime(2026, 3, 3, 12),  # noqa: DTZ001
    ]
    assert case.events[1].data == {"room": 2}
    assert case.expect == [
        Expected("month", date(2026, 3, 2)),
        Expected("offer.gift", None),
        Expected("offer", None),
    ]


WRONG = [
    ("given: {tody: 2026-03-01}", "14:13: [renewal] nothing called `tody` can be given; "
     "did you mean `today`?"),
    ("given: {today: 1 March}", "14:20: [renewal] `1 March` is no date; write it as 2026-03-01"),
    ("given: {customer: {emial: a@b.example}}", "14:24: [renewal] there is no field "
     "`customer.emial`; did you mean `email`?"),
    ("given: {visits: {last_90d: many}}", "14:32: [renewal] `visits.last_90d` must be a whole "
     "number; such as: 11"),
    ("given: {membership: {auto_renew: 1}}", "14:38: [renewal] `membership.auto_renew` must be "
     "true or false; such as: false"),
    ("given: {customer: vip}", "14:23: [renewal] `customer` must be keys with values; write "
     "`customer: {…}` with fields in it"),
    ("given: {events: [{at: soon, name: visited}]}", "14:27: [renewal] `soon` is no moment; "
     "write `-8d` or `+2h` from the anchor, or 2026-03-01T10:00"),
    ("given: {events: [{when: -8d, name: visited}]}", "14:22: [renewal] an event needs `at` and "
     "`name`; write `{at: -8d, name: membership_renewed}`"),
    ("given: {club: {name: Lotus}}", "14:13: [renewal] nothing called `club` can be given; "),
    ("expect: [mont]", "14:14: [renewal] the campaign has no step `mont`; did you mean `month`?"),
    ("expect: [month@tomorrow]", "14:14: [renewal] `tomorrow` is no date; write it as 2026-03-01"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "told"), WRONG, ids=[line for line, _ in WRONG])
def test_each_mistake_is_told_at_its_place(tmp_path: Path, line: str, told: str) -> None:
    cases, problems = read(tmp_path, f"    {line}\n")
    assert cases == []
    (problem,) = problems
    assert problem.startswith(f"renewal.yaml:{told}")

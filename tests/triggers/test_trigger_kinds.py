"""Every kind of trigger as it is written: what is accepted, and each mistake with its place."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import get_args
from zoneinfo import ZoneInfo

import pytest
from campaign_files import check_one, lines
from jsonschema import Draft202012Validator

from triggers.cron import explained, moments
from triggers.definition import CampaignDefinition
from triggers.festivals import festival_days
from triggers.kinds.all import Trigger
from triggers.schema import schemas
from triggers.vocabulary import Vocabulary
from triggers.yaml_source import parse_yaml

CAMPAIGN = """\
campaign: c
name: C
topic: renewals
trigger: {trigger}
steps: [{{id: a, at: 0d, email: heads_up}}]
"""
SOUND = [
    "{type: event, name: payment_failed}",
    "{type: event, name: nps_answered, where: {score: {at_least: 9}}}",
    "{type: event, name: paid, where: {plan: [annual, monthly], first: true, amount: 5}}",
    "{type: event, name: purchase_recorded, where: {amount: {more_than: 5000}, item: belt}}",
    "{type: event, name: visit_recorded}",
    "{type: form, form: trial-signup}",
    "{type: date, field: customer.birth_date, every: year}",
    "{type: date, field: custom.medical_on}",
    "{type: date, field: package.expires_on}",
    "{type: date, holiday: Diwali, country: IN}",
    "{type: date, holiday: diwali (DEEPAVALI), country: IN}",
    "{type: date, holiday: होली, country: IN}",
    "{type: date, holiday: День Победы, country: RU}",
    "{type: date, holiday: Victory Day, country: RU}",
    "{type: inactivity, days: 14}",
    "{type: inactivity, days: 14, never: true}",
    "{type: inactivity, below: 50%}",
    "{type: balance_low, at_most: 2}",
    "{type: balance_low, at_most: 0, package: pt10}",
    "{type: segment_entered, segment: regulars}",
    "{type: segment_left, segment: regulars}",
    '{type: schedule, cron: "0 10 1 * *"}',
    '{type: schedule, cron: "30 9 * * mon", zone: Europe/Moscow, audience: regulars}',
]
MISTAKES = [
    ("{type: evnt, name: paid}", "17: `type` cannot be `evnt`; did you mean `event`?"),
    ("{type: event}", "1: `name` is missing"),
    ("{type: event, name: Paid}", "30: `Paid` cannot be an event's name"),
    ("{type: event, name: lead_creatd}", "30: no event is called `lead_creatd`; did you mean"),
    ("{type: event, name: a, where: {x: []}}", "44: the list is empty"),
    ("{type: event, name: a, where: {x: {}}}", "44: no bound is given"),
    ("{type: event, name: a, where: {x: {at_lest: 5}}}", "45: unknown key `at_lest`; did you mean"),
    ("{type: event, name: a, where: {x: {at_least: '5'}}}", "55: `5` is not a number"),
    ("{type: event, name: visit_recorded, where: {x: 1}}", "57: `visit_recorded` has no `x`"),
    ("{type: event, name: purchase_recorded, where: {amout: 1}}", "64: `purchase_recorded` has no"),
    ("{type: event, name: purchase_recorded, where: {amount: a}}", "65: `amount` of"),
    ("{type: form, form: Trial Signup}", "29: `Trial Signup` cannot be a form's name"),
    ("{type: date}", "10: no date is given; add `field:`"),
    ("{type: date, field: customer.joined}", "30: unknown date field `customer.joined`; did you"),
    ("{type: date, field: customer.stage}", "30: unknown date field `customer.stage`; "),
    ("{type: date, field: visits.last_on}", "30: unknown date field `visits.last_on`; "),
    ("{type: date, field: customer.birth_date}", "30: `customer.birth_date` is long past; add"),
    ("{type: date, field: membership.ends_on, every: year}", "57: `membership.ends_on` has no"),
    ("{type: date, field: customer.joined_on, every: month}", "57: `every` cannot be `month`"),
    ("{type: date, holiday: Diwali}", "10: the holiday has no country; add `country:`"),
    ("{type: date, holiday: Diwally, country: IN}", "32: unknown holiday `Diwally` in IN; did you"),
    ("{type: date, holiday: Победа, country: RU}", "32: unknown holiday `Победа` in RU; did you"),
    ("{type: date, holiday: Diwali, country: XX}", "49: no holidays are known of the country `XX`"),
    ("{type: date, holiday: Holi, country: IN, every: year}", "58: `every` has no effect beside"),
    ("{type: inactivity}", "10: no inactivity is given; add `days:`"),
    ("{type: inactivity, days: 0}", "35: `days` must be at least 1"),
    ("{type: inactivity, days: 14, below: 50%}", "46: both `days` and `below` are given"),
    ("{type: inactivity, below: 0.5}", "36: `0.5` is no share of the mean; write 1% to 99%"),
    ("{type: inactivity, below: 50%, never: true}", "48: `never` has no effect beside `below`"),
    ("{type: balance_low}", "1: `at_most` is missing in `trigger`; add `at_most:`"),
    ("{type: segment_entered, segment: regular}", "43: unknown segment `regular`; did you mean"),
    ("{type: segment_left, segment: never}", "40: unknown segment `never`; choose from `regulars`"),
    ('{type: schedule, cron: "10:00"}', "33: `10:00` is not a schedule; write minute, hour"),
    ('{type: schedule, cron: "0 25 * * *"}', "33: `0 25 * * *` is not a schedule: bad hour"),
    ('{type: schedule, cron: "*/5 * * * *"}', "33: `*/5 * * * *` comes more than once an hour ("),
    ('{type: schedule, cron: "0 0 31 2 *"}', "33: `0 0 31 2 *`"),
    ('{type: schedule, cron: "0 9 * * *", zone: Asia/Kolkatta}', "52: unknown time zone"),
]


@pytest.fixture
def club(vocabulary: Vocabulary) -> Vocabulary:
    return replace(vocabulary, segments=["regulars"])


@pytest.mark.parametrize("trigger", SOUND)
def test_a_sound_trigger(trigger: str, tmp_path: Path, club: Vocabulary) -> None:
    text = CAMPAIGN.format(trigger=trigger)
    path = tmp_path / "c.yaml"
    path.write_text(text, encoding="utf-8")
    checked = check_one(path, club)
    assert checked.definition is not None, [str(one) for one in checked.problems]
    stored = checked.definition.model_dump(mode="json")
    assert CampaignDefinition.model_validate(stored) == checked.definition
    Draft202012Validator(schemas(club)["campaign"]).validate(parse_yaml(text, "c").data)


def test_what_nothing_but_an_event_starts() -> None:
    """A pass looks for such an event before it looks for anybody: each has to name one."""
    kinds = {kind.model_fields["type"].annotation: kind for kind in get_args(get_args(Trigger)[0])}
    by_event = {get_args(word)[0]: kind for word, kind in kinds.items() if kind.by_event_alone}
    assert sorted(by_event) == ["event", "form", "new_lead", "stage_change"]
    assert all(kind.listens_to for kind in by_event.values())


@pytest.mark.parametrize(("trigger", "line"), MISTAKES, ids=[one for one, _ in MISTAKES])
def test_a_mistake(trigger: str, line: str, tmp_path: Path, club: Vocabulary) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(CAMPAIGN.format(trigger=trigger), encoding="utf-8")
    problems = lines(path, check_one(path, club).problems)
    column, _, words = line.partition(": ")
    assert len(problems) == 1, problems
    assert problems[0].startswith(f"4:{column}: [c] {words}"), problems[0]


@pytest.mark.parametrize(
    ("name", "country", "expected"),
    [
        ("Diwali", "IN", ["2026-11-08", "2027-10-29"]),
        ("दिवाली (दीपावली)", "IN", ["2026-11-08", "2027-10-29"]),
        ("दिवाली", "IN", ["2026-11-08", "2027-10-29"]),
        ("Holi", "IN", ["2026-03-04", "2027-03-22"]),
        # Eight days in a row, and one of them Christmas: it begins once.
        ("New Year Holidays", "RU", ["2026-01-01", "2026-01-08", "2027-01-01", "2027-01-08"]),
        ("Новогодние каникулы", "RU", ["2026-01-01", "2026-01-08", "2027-01-01", "2027-01-08"]),
    ],
)
def test_a_festival_moves(name: str, country: str, expected: list[str]) -> None:
    days = festival_days(name, country, date(2026, 1, 1), date(2027, 12, 31))
    assert [day.isoformat() for day in days] == expected


def test_a_year_that_nobody_knows_has_no_festival() -> None:
    assert list(festival_days("Diwali", "IN", date(2070, 1, 1), date(2071, 1, 1))) == []


def test_a_schedule_in_english() -> None:
    assert explained("0 10 1 * *") == "At 10:00 on the first day of every month"


@pytest.mark.parametrize(
    ("cron", "zone", "expected"),
    [
        ("30 2 * * *", "America/New_York", ["03-07 07:30", "03-08 07:00", "03-09 06:30"]),
        ("0 10 * * *", "Asia/Kolkata", ["03-07 04:30", "03-08 04:30", "03-09 04:30"]),
    ],
)
def test_the_clocks_moments(cron: str, zone: str, expected: list[str]) -> None:
    span = datetime(2026, 3, 7, tzinfo=UTC), datetime(2026, 3, 9, 23, tzinfo=UTC)
    found = moments(cron, ZoneInfo(zone), *span)
    assert [moment.strftime("%m-%d %H:%M") for moment in found] == expected

"""`sampark test`: the tests in campaign files, played by the engine."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from flows.foresight.case_play import play_cases
from flows.project import open_project
from triggers.check import CheckedFile
from triggers.test_cases import TestCase, read_tests
from triggers.yaml_source import read_yaml

RENEWAL = """
campaign: renewal
name: Renewal
topic: renewals
trigger: {type: membership_expiring}
where: not membership.auto_renew and "staff" not in customer.tags
exit_on: [membership_renewed]
holdout: 50%
defaults: {time: "10:30", quiet_hours: "21:00-10:00", cap: {max: 1, per: 3d}}
steps:
  - {id: month, at: -30d, email: renewal/heads_up}
  - id: recap
    at: -14d
    choose:
      - {if: visits.last_90d >= 8, email: renewal/recap}
      - {else: , email: renewal/we_can_help}
  - id: offer
    at: -7d
    split:
      gift: {weight: 1, sms: renewal/plain}
      plain: {weight: 99, sms: renewal/last_day}
  - {id: reminder, at: -6d, email: renewal/heads_up, if: customer.language == "hi"}
  - id: last_day
    at: -1d
    sms: renewal/last_day
    fallback: [email]
    wait_for: {event: link_clicked, timeout: 24h}
    on_timeout: {task: {queue: front_desk, title: Call, due: 4h}}
  - {id: mark, at: +1d, update: {add_tags: [lapsed]}}
"""

LEAD = """
campaign: lead
name: Lead
topic: leads
trigger: {type: event, name: payment_failed, where: {attempt: {at_least: 2}}}
steps:
  - {id: now, at: now, email: renewal/heads_up}
"""
INACTIVE = """
campaign: away
name: Away
topic: leads
trigger: {type: inactivity, days: 14}
steps:
  - {id: miss_you, at: +1d, email: renewal/heads_up}
"""

PASSING = [
    (RENEWAL, "every step, on its side of the split and past the holdout", """
        given: {membership: {ends_on: 2026-03-31}, visits: {last_90d: 8}}
        expect: [month@2026-03-01, recap.1@2026-03-17, offer.gift@2026-03-24, last_day@2026-03-30,
                 last_day.timeout@2026-03-31, mark@2026-04-01]"""),
    (RENEWAL, "the other way, and a cap", """
        given: {customer: {language: hi}, membership: {ends_on: 2026-03-31}}
        expect: [month, recap.else, offer@2026-03-24, last_day@2026-03-30, last_day.timeout,
                 mark]"""),
    (RENEWAL, "a stand-in for who has no number", """
        given: {customer: {phone: null}, membership: {ends_on: 2026-03-31}}
        expect: [month, recap, last_day@2026-03-30, last_day.timeout, mark]"""),
    (RENEWAL, "an exit", """
        given: {events: [{at: -8d, name: membership_renewed}]}
        expect: [month, recap]"""),
    (RENEWAL, "until a day", """
        given: {membership: {ends_on: 2026-03-31}, until: 2026-03-17}
        expect: [month, recap]"""),
    (RENEWAL, "in the customer's own zone", """
        given: {customer: {timezone: Pacific/Auckland}, membership: {ends_on: 2026-03-31},
                until: 2026-03-01}
        expect: [month@2026-03-01]"""),
    (LEAD, "the event is made to fit", "expect: [now@2026-03-02]"),
    (LEAD, "or is given", """
        given: {events: [{at: 2026-04-01T10:00, name: payment_failed, data: {attempt: 1}}]}
        expect: []"""),
    (INACTIVE, "an absence", """
        given: {today: 2026-03-01, membership: {ends_on: 2026-12-31}, visits: [2026-02-20]}
        expect: [miss_you@2026-03-07]"""),
]  # fmt: skip


def write(club: Path, campaign: str, name: str, test: str) -> None:
    """The club's only campaign, with this test alone."""
    for old in (club / "campaigns").iterdir():
        old.unlink()
    lines = "".join(f"    {line.strip()}\n" for line in test.strip().splitlines())
    text = f"{campaign}tests:\n  - name: {name}\n{lines}"
    (club / "campaigns" / "one.yaml").write_text(text)


@pytest.mark.parametrize(("campaign", "name", "test"), PASSING, ids=[one[1] for one in PASSING])
def test_a_test_that_holds(
    club: Path, answer: Callable[..., Any], campaign: str, name: str, test: str
) -> None:
    write(club, campaign, name, test)
    (told,) = answer("test")["tests"]
    assert told["differences"] == []
    assert told["passed"]


FAILING = [
    ("another day", "given: {membership: {ends_on: 2026-03-31}, until: 2026-03-17}",
     "[month@2026-03-02, recap]",
     [("month", "2026-03-02", "2026-03-01", "it was due then")]),
    ("a condition", "given: {membership: {ends_on: 2026-03-31}, until: 2026-03-26}",
     "[month, recap, offer, reminder]",
     [("reminder", "yes", None,
       "the step's condition did not hold (customer.language == \"hi\")")]),
    ("a cap", "given: {customer: {language: hi}, membership: {ends_on: 2026-03-31}}",
     "[month, recap, offer, reminder@2026-03-25, last_day, last_day.timeout, mark]",
     [("reminder", "2026-03-25", None, "the limit on messages to one person was reached")]),
    ("another way", "given: {membership: {ends_on: 2026-03-31}, until: 2026-03-17}",
     "[month, recap.1]",
     [("recap.1", "yes", None, "went another way: recap.else"),
      ("recap", None, "2026-03-17", "nothing held it back")]),
    ("an exit", "given: {events: [{at: -8d, name: membership_renewed}]}",
     "[month, recap, offer]",
     [("offer", "yes", None, "the campaign had ended for the customer: an exit event came")]),
    ("nobody enters", "given: {membership: {auto_renew: true}}", "[month]",
     [("month", "yes", None,
       "its occasion has come, but its condition does not hold: not membership.auto_renew")]),
    ("too soon to say", "given: {membership: {ends_on: 2026-03-31}, until: 2026-03-05}",
     "[month, recap]",
     [("recap", "yes", None, "its time had not come when the test ended")]),
    ("joined late", "given: {today: 2026-03-20, membership: {ends_on: 2026-03-31}, "
     "until: 2026-03-21}", "[recap]",
     [("recap", "yes", None, "its time had passed when the customer entered")]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "given", "expect", "differences"), FAILING, ids=[one[0] for one in FAILING]
)
def test_what_differs_and_why(
    club: Path,
    answer: Callable[..., Any],
    name: str,
    given: str,
    expect: str,
    differences: list[tuple[str, str | None, str | None, str]],
) -> None:
    write(club, RENEWAL, name, f"{given}\nexpect: {expect}")
    (told,) = answer("test", exit_code=1)["tests"]
    assert not told["passed"]
    found = [(one["step"], one["expected"], one["got"], one["why"]) for one in told["differences"]]
    assert found == differences


def test_what_a_marketer_sees(club: Path, sampark: Callable[..., Any]) -> None:
    given = "given: {membership: {ends_on: 2026-03-31}, until: 2026-03-24}"
    write(club, RENEWAL, "a month before", f"{given}\nexpect: [month@2026-03-02, offer.gift]")
    shown = sampark("test", exit_code=1)
    assert [line.rstrip() for line in shown.stdout.splitlines()] == [
        "✗ renewal: a month before",
        "  campaigns/one.yaml:31:11",
        "  step   expected    got         because",
        "  month  2026-03-02  2026-03-01  it was due then",
        "  recap  -           2026-03-17  nothing held it back",
        "  All that came: month@2026-03-01, recap@2026-03-17, offer@2026-03-24.",
    ]
    assert shown.stderr.strip() == "1 of 1 test failed."


def test_given_that_contradicts_itself_fails_alone(club: Path, answer: Callable[..., Any]) -> None:
    write(club, RENEWAL, "visits", "given: {visits: {last_7d: 3, last_30d: 2}}\nexpect: []")
    (told,) = answer("test", exit_code=1)["tests"]
    assert told["cannot_be_played"] == "the visits contradict each other: fewer in more days"


def test_a_campaign_is_tested_also_where_no_channel_is_set_up_yet(
    club: Path, answer: Callable[..., Any]
) -> None:
    settings = (club / "club.yaml").read_text()
    (club / "club.yaml").write_text(settings.replace("mode: rehearsal", "mode: live"))
    given = "given: {membership: {ends_on: 2026-03-31}, until: 2026-03-24}"
    write(club, RENEWAL, "a year", f"{given}\nexpect: [month, recap, offer]")
    (told,) = answer("test")["tests"]
    assert told["passed"]


def test_each_case_is_alone_in_the_world(club: Path) -> None:
    """In any order, and by itself, it comes to the same."""
    project = open_project(club)
    some = ("anniversary", "freeze-over", "nps-care", "trial", "visit-milestones", "win-back")
    cases = [
        (file, read_tests(read_yaml(file.path, file.name), file.definition, project.catalogue)[0])
        for file in project.check()
        if file.name in some and file.definition is not None
    ]

    def told(cases: Sequence[tuple[CheckedFile, Sequence[TestCase]]]) -> dict[object, object]:
        return {
            (one.campaign, one.case.name): (one.got, one.differences, one.unfit)
            for one in play_cases(project, cases)
        }

    together = told(cases)
    backwards = told([(file, of_file[::-1]) for file, of_file in reversed(cases)])
    alone = [told([(file, [case])]) for file, of_file in cases for case in of_file]
    assert backwards == together == {key: one for each in alone for key, one in each.items()}
    assert len(together) >= 11


def test_a_broken_file_is_named_and_the_others_are_played(
    club: Path, answer: Callable[..., Any]
) -> None:
    for file in (club / "campaigns").iterdir():
        if file.stem not in ("birthday", "trial"):
            file.unlink()
    (club / "campaigns" / "broken.yaml").write_text("campaign: broken\n")
    told = answer("test", exit_code=1)
    assert {one["campaign"] for one in told["tests"]} == {"birthday", "trial"}
    assert all(one["passed"] for one in told["tests"])
    assert {one["file"] for one in told["problems"]} == {"campaigns/broken.yaml"}


def test_one_file_of_the_club(club: Path, answer: Callable[..., Any]) -> None:
    told = answer("test", str(club / "campaigns" / "birthday.yaml"))
    assert {one["campaign"] for one in told["tests"]} == {"birthday"}


def test_nothing_is_left_behind(club: Path, answer: Callable[..., Any]) -> None:
    before = sorted(club.rglob("*"))
    answer("test", str(club / "campaigns" / "birthday.yaml"))
    assert sorted(club.rglob("*")) == before

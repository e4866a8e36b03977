"""What an event says, from the file's tests, the store and the assumptions into the messages."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from making import make_customer, make_enrollment, make_event, make_version

from crm_store import events
from flows.project import open_club, open_project

NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
TRIAL = """\
campaign: trial-time
name: Trial time
topic: leads
trigger: {type: event, name: trial_booked}
steps:
  - {id: when, at: now, sms: trial/when}
  - {id: letter, at: +1d, email: trial/letter}
  - {id: call, at: +2d, task: {queue: sales, title: "Call about {{ event.trainer }}", due: 1d}}
"""
WHEN = 'With {{ event.trainer }} at {{ event.at | time }} on {{ event.at | date("d MMMM") }}'
LETTER = """\
---
subject: "Your trial, {{ event.trainer }}"
---
It costs {{ event.amount | money }}.
"""
DATA = '{trainer: Ravi, at: "2026-03-04T18:30", amount: 499}'


@pytest.fixture
def club_of_trials(club: Path) -> Path:
    """A club whose only campaign speaks of its event."""
    for old in (club / "campaigns").iterdir():
        old.unlink()
    for language in ("en", "hi"):
        for name, text in (("sms/trial/when.txt", WHEN), ("email/trial/letter.md", LETTER)):
            (club / "templates" / language / name).write_text(text)
    (club / "campaigns" / "trial-time.yaml").write_text(TRIAL)
    return club


def write_tests(club: Path, *cases: str) -> None:
    tests = "".join(f"  - {{name: '{number}', {case}}}\n" for number, case in enumerate(cases))
    (club / "campaigns" / "trial-time.yaml").write_text(f"{TRIAL}tests:\n{tests}")


def test_the_data_of_a_tests_event_reaches_its_messages(
    club_of_trials: Path, answer: Callable[..., Any]
) -> None:
    all_of_it = f"given: {{events: [{{at: now, name: trial_booked, data: {DATA}}}]}}"
    write_tests(
        club_of_trials,
        f"{all_of_it}, expect: [when, letter, call]",
        "expect: [when, letter, call]",
        f"{all_of_it.replace('amount: 499', 'amount: much')}, expect: [when, letter, call]",
    )
    whole, nothing, wrong = answer("test", exit_code=1)["tests"]
    assert whole["passed"]
    why = "the template could not be rendered for this customer"
    assert [one["step"] for one in nothing["differences"]] == ["when", "letter"]
    assert all(
        one["why"].startswith(f"{why} (event.trainer is empty for this customer.")
        for one in nothing["differences"]
    )
    assert [(one["step"], one["why"]) for one in wrong["differences"]] == [
        (
            "letter",
            f"{why} (The template failed: the filter money needs a number,"
            " and event.amount is not one.)",
        ),
    ]


def test_calls_and_coupons_are_made_too(club_of_trials: Path, answer: Callable[..., Any]) -> None:
    with (club_of_trials / "club.yaml").open("a") as settings:
        settings.write("\ncalls: {hosts: [crm.example]}\n")
    hook = "webhook: {url: https://crm.example/x, data: {who: '{{ event.trainer }}'}}"
    for language in ("en", "hi"):
        letter = club_of_trials / "templates" / language / "email/trial/letter.md"
        letter.write_text(f"{LETTER}\nYour code: {{{{ coupon.code }}}}\n")
    (club_of_trials / "campaigns" / "trial-time.yaml").write_text(
        TRIAL.replace("email: trial/letter", "email: trial/letter, coupon: TRIAL10")
        + f"  - {{id: tell, at: now, {hook}}}\n"
        "tests:\n  - name: whole\n    expect: [when, tell, letter, call]\n    given: {events:"
        f" [{{at: now, name: trial_booked, data: {DATA}}}]}}\n"
        "  - name: nothing\n    expect: [call]\n"
    )
    told = answer("test")["tests"]
    assert [one["differences"] for one in told] == [[], []]


def test_a_stage_that_a_test_gives_is_whole(
    club_of_trials: Path, answer: Callable[..., Any]
) -> None:
    write_tests(
        club_of_trials, "given: {events: [{at: now, name: stage_changed, data: {to: won}}]}"
    )
    (told,) = answer("test", exit_code=1)["tests"]
    assert told["cannot_be_played"].startswith("stage_changed needs a pipeline and a stage.")


def test_a_simulation_knows_what_events_said(
    club_of_trials: Path, sampark: Callable[..., Any], answer: Callable[..., Any], tmp_path: Path
) -> None:
    with open_club(open_project(club_of_trials), lambda: NOW) as (store, _):
        told = ({"trainer": "Ravi", "at": "2026-12-01T10:00", "amount": 5}, {"trainer": "Ravi"})
        for data in told:
            customer = make_customer(store)
            with store.write() as connection:
                events.record(
                    connection,
                    customer_id=customer,
                    name="trial_booked",
                    data=data,
                    source="test",
                    occurred_at=NOW,
                    now=NOW,
                )
    file = tmp_path / "assume.yaml"
    file.write_text(
        "responses:\n  - {after: trial-time.letter, share: 100%, event: trial_booked,\n"
        "     data: {trainer: Meena, at: '2026-12-05T10:00'}}\n"
    )
    span = ("--from", "2026-11-23", "--to", "2026-11-24")
    (alone,) = answer("simulate", *span)["campaigns"]
    assert (alone["messages"], alone["held"]) == (2, {"template": 2})
    (answered,) = answer("simulate", "--from", "2026-11-23", "--to", "2026-11-26", "--assume",
                         str(file))["campaigns"]  # fmt: skip
    # The one who gets the letter books once more: the text goes out, and the letter has no sum.
    assert (answered["messages"], answered["held"]) == (3, {"template": 3})
    assert "3 messages of trial-time could not be made" in sampark(
        "simulate", "--from", "2026-11-23", "--to", "2026-11-26", "--assume", str(file)
    ).stdout.replace("\n", " ")


def preview_of(answer: Callable[..., Any], step: str, *args: str) -> str:
    made = answer("preview", "trial-time", step, *args)
    return f"{made['subject'] or ''}|{made['text'].strip()}"


def test_a_preview_shows_what_a_test_says_or_makes_it_up(
    club_of_trials: Path, answer: Callable[..., Any]
) -> None:
    assert preview_of(answer, "when") == "|With [trainer] at 6:30 PM on 22 November"
    letter = preview_of(answer, "letter")
    assert "Your trial, [trainer]|" in letter and "It costs ₹1,499." in letter
    write_tests(
        club_of_trials,
        "given: {events: [{at: -1d, name: other, data: {trainer: Nobody}}]}",
        "given: {events: [{at: now, name: trial_booked, data: {trainer: Meena}}]}",
        f"given: {{events: [{{at: now, name: trial_booked, data: {DATA}}}]}}",
    )
    assert preview_of(answer, "when") == "|With Meena at 6:30 PM on 4 March"
    assert "It costs ₹499." in preview_of(answer, "letter")


def test_a_preview_for_a_customer_shows_what_her_own_event_said(
    club_of_trials: Path, sampark: Callable[..., Any], answer: Callable[..., Any]
) -> None:
    with open_club(open_project(club_of_trials), lambda: NOW) as (store, _):
        make_customer(store, ref="M-2")
        hers = make_customer(store, ref="M-1")
        version = make_version(store, "trial-time")
        for trainer in ("Meena", "Ravi"):
            data = {"trainer": trainer, "at": "2026-12-01T07:00", "amount": None}
            event = make_event(store, hers, "trial_booked", data=data)
            make_enrollment(store, hers, version, campaign="trial-time", event_id=event)
    assert preview_of(answer, "when", "--customer", "M-1") == "|With Ravi at 7:00 AM on 1 December"
    refused = sampark("preview", "trial-time", "letter", "--customer", "M-1", exit_code=1)
    assert "event.amount is empty for this customer" in " ".join(refused.stderr.split())
    assert "[trainer]" in preview_of(answer, "when", "--customer", "M-2")

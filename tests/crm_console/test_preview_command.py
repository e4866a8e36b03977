"""`sampark preview`: the message as it would leave, in each language."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result


@pytest.mark.parametrize("lang", ["en", "hi"])
def test_every_step_can_be_previewed_with_examples(
    lang: str, answer: Callable[..., Any], club: Path
) -> None:
    from flows.project import open_project

    for one in open_project(club).check():
        assert one.definition is not None
        for act in one.definition.acts():
            if not act.action.writes:
                continue
            made = answer("preview", one.definition.campaign, act.name, "--lang", lang)
            assert made["language"] == lang
            assert "{{" not in made["text"]
            assert "Lotus Fitness" in made["text"]
            is_email = made["channel"] == "email"
            assert bool(made["subject"]) is bool(made["html"]) is is_email
            assert (made["sms"] is None) is is_email


def test_an_sms_says_what_it_costs(sampark: Callable[..., Result]) -> None:
    shown = sampark("preview", "membership-renewal", "offer", "--lang", "hi").stdout
    assert "segments of UCS-2" in shown


PROVIDER = """
channels:
  sms:
    provider: gateway
    url: https://gateway.example/send
    prices: {IN: 0.25, "*": 6}
    dlt: {entity: "1101456789012345678", header: LTSFIT}
"""


def test_what_it_costs_and_that_india_does_not_know_it(
    sampark: Callable[..., Result], answer: Callable[..., Any], club: Path
) -> None:
    path = club / "club.yaml"
    path.write_text(path.read_text(encoding="utf-8") + PROVIDER, encoding="utf-8")
    asked = ("preview", "membership-renewal", "offer", "--lang", "hi")
    sms = answer(*asked)["sms"]
    assert (sms["country"], sms["currency"]) == ("IN", "INR")
    assert float(sms["cost"]) == pytest.approx(0.25 * sms["segments"])
    assert "names no DLT registration" in sms["not_registered"]
    shown = sampark(*asked)
    assert f"It costs {float(sms['cost']):.2f} INR to IN." in shown.stdout
    assert "In Hindi's own shift tables it would be" in shown.stdout
    assert "names no DLT registration" in shown.stderr


def test_the_page_is_written_where_one_wants_it(
    sampark: Callable[..., Result], tmp_path: Path
) -> None:
    page = tmp_path / "page.html"
    sampark("preview", "membership-renewal", "heads_up", "--html", str(page))
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_a_language_that_is_not_there_is_said(sampark: Callable[..., Result]) -> None:
    result = sampark("preview", "birthday", "greeting", "--lang", "fr")
    assert "fr is no language of this club (en, hi): shown in en." in result.stderr
    for lang in ("HI", "hi_IN", "hi-IN"):
        assert not sampark("preview", "birthday", "greeting", "--lang", lang).stderr


@pytest.mark.parametrize(
    ("campaign", "step", "told"),
    [
        ("birthdy", "greeting", "Did you mean `birthday`?"),
        ("birthday", "greting", "Did you mean `greeting`?"),
    ],
)
def test_a_wrong_name_gets_the_right_one(
    campaign: str, step: str, told: str, sampark: Callable[..., Result]
) -> None:
    assert told in sampark("preview", campaign, step, exit_code=1).stderr


def test_a_broken_campaign_says_what_is_broken(sampark: Callable[..., Result], club: Path) -> None:
    path = club / "campaigns/birthday.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace("topic:", "toppic:"), "utf-8")
    assert "toppic" in sampark("preview", "birthday", "greeting", exit_code=1).stderr


def test_a_customers_own_values_and_language(
    answer: Callable[..., Any], sampark: Callable[..., Result]
) -> None:
    data = '{"first_name": "आशा", "language": "hi"}'
    sampark("event", "lead_created", "--customer", "L-7", "--data", data)
    made = answer("preview", "new-lead", "hello", "--customer", "L-7")
    assert made["language"] == "hi"
    assert "आशा" in made["text"]


@pytest.mark.parametrize(
    ("campaign", "step", "has_way_out"),
    [("payment-failed", "please_pay", False), ("membership-renewal", "heads_up", True)],
)
def test_a_transactional_message_has_no_link_to_leave(
    answer: Callable[..., Any], campaign: str, step: str, has_way_out: bool
) -> None:
    assert ("/u/" in answer("preview", campaign, step)["text"]) is has_way_out

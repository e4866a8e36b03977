"""What `check` says of forks, stand-ins, coupons, texts with fields, and changes."""

from pathlib import Path

import pytest
from campaign_files import check_one, lines

from triggers.vocabulary import Vocabulary

HEAD = """\
campaign: renewal
name: Renewal
topic: renewals
trigger: {type: membership_expiring}
steps:
  - id: one
    at: -1d
"""


def told(step: str, folder: Path, vocabulary: Vocabulary) -> list[str]:
    path = folder / "one.yaml"
    path.write_text(HEAD + step)
    checked = check_one(path, vocabulary)
    return lines(path, (*checked.problems, *checked.warnings))


SOUND = [
    "    email: heads_up\n    if: visits.last_90d >= 8\n",
    "    choose:\n      - if: visits.last_90d >= 8\n        email: heads_up\n      - else:\n"
    "        task: {queue: desk, title: Call, due: 4h}\n",
    "    split:\n      a: {weight: 50, email: heads_up}\n      b: {email: heads_up}\n",
    '    task: {queue: desk, title: "Call {{ customer.first_name }}", due: 4h}\n',
    "    update: {stage: {pipeline: sales, to: member}, add_tags: [a], score: -5}\n",
    "    update: {fields: {goal: yoga, level: 3, score: 1.5, trainer: true,"
    " medical_on: 2026-03-01}}\n",
    "    webhook: {url: https://crm.example/hook, data: {plan: '{{ membership.plan }}'}}\n",
    "    email: heads_up\n    wait_for: {event: link_clicked, timeout: 24h}\n"
    "    on_timeout: {task: {queue: desk, title: Call, due: 4h}}\n",
]


@pytest.mark.parametrize("step", SOUND)
def test_a_sound_step(step: str, tmp_path: Path, vocabulary: Vocabulary) -> None:
    assert told(step, tmp_path, vocabulary) == []


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (
            "    email: heads_up\n    fallback: [sms]\n",
            "9:16: [renewal] `heads_up` is missing in language en; write",
        ),
        (
            "    email: heads_up\n    fallback: [email]\n",
            "9:16: [renewal] `email` cannot stand in for itself; name another channel",
        ),
        (
            "    email: heads_up\n    fallback: [pigeon]\n",
            "9:16: [renewal] unknown channel `pigeon`; choose from `email`, `sms`",
        ),
        (
            "    task: {queue: desk, title: Call, due: 4h}\n    fallback: [sms]\n",
            "9:15: [renewal] `fallback` has no meaning beside `task`",
        ),
        (
            "    task: {queue: desk, title: '{{ customer.fist_name }}', due: 4h}\n",
            "8:36: [renewal] unknown field `customer.fist_name`",
        ),
        (
            "    email: heads_up\n    coupon: renew\n",
            "9:13: [renewal] `renew` cannot be the beginning of a coupon's code",
        ),
        (
            "    choose:\n      - email: heads_up\n",
            "9:9: [renewal] a way of `choose` needs either `if` or `else`",
        ),
        (
            "    choose:\n      - else:\n        email: heads_up\n      - if: visits.total > 1\n"
            "        email: heads_up\n",
            "9:9: [renewal] `else` comes last: what stands after it is never reached; move it",
        ),
        (
            "    choose:\n      - if: visits.total > 1\n        email: heads_up\n"
            "      - else: heads_up\n",
            "11:15: [renewal] `else` stands alone; write what is done",
        ),
        (
            "    split:\n      only: {email: heads_up}\n",
            "9:7: [renewal] `split` needs two sides or more",
        ),
        (
            "    email: heads_up\n    on_timeout: {update: {score: 1}}\n",
            "9:17: [renewal] `on_timeout` without `wait_for` never happens",
        ),
        (
            "    email: heads_up\n    wait_for: {event: link_clicked, timeout: 24h}\n",
            "9:15: [renewal] `wait_for` alone has no effect",
        ),
        ("    update: {}\n", "8:13: [renewal] the update changes nothing"),
        (
            "    update: {stage: {pipeline: sales, to: lost}}\n",
            "8:43: [renewal] unknown stage `lost`",
        ),
        (
            "    update: {fields: {gaol: yoga}}\n",
            "8:29: [renewal] unknown field `gaol`; did you mean `goal`?",
        ),
        (
            "    update: {fields: {level: three}}\n",
            "8:30: [renewal] `level` is a field of type integer, and this is none",
        ),
        (
            "    webhook: {url: 'http://crm.example/hook'}\n",
            "8:20: [renewal] `http://crm.example/hook` is no address that can be called",
        ),
        (
            "    email: heads_up\n    late: {grace: 2h}\n    holdout: 5%\n",
            "10:5: [renewal] unknown key `holdout`",
        ),
    ],
)
def test_a_mistake(step: str, said: str, tmp_path: Path, vocabulary: Vocabulary) -> None:
    found = told(step, tmp_path, vocabulary)
    assert found
    assert found[0].startswith(said)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("holdout: 5%\n", None),
        ("holdout: 0.05\n", "5:10: [renewal] `0.05` is not a share; write a percentage"),
        ("holdout: 80%\n", "5:10: [renewal] a share of `80%` makes no sense here"),
        ("reentry: once\n", None),
        ("reentry: {after: 90d}\n", None),
        ("goal: {event: membership_renewed, within: 14d}\n", None),
        ("pause_while: membership.frozn\n", "5:14: [renewal] unknown field `membership.frozn`"),
        ("if_anchor_moves: stay\nin_flight: move\n", None),
        ("in_flight: jump\n", "5:12: [renewal] `in_flight` cannot be `jump`; choose from"),
        ("defaults: {send_window: {}}\n", "5:25: [renewal] the send window says neither days nor"),
        ("defaults: {send_window: {days: [mon, freeday]}}\n", "5:38: [renewal]"),
    ],
)
def test_a_control(line: str, said: str | None, tmp_path: Path, vocabulary: Vocabulary) -> None:
    path = tmp_path / "one.yaml"
    path.write_text(HEAD.replace("steps:\n", f"{line}steps:\n") + "    email: heads_up\n")
    found = lines(path, check_one(path, vocabulary).problems)
    assert (not found) if said is None else found[0].startswith(said), found

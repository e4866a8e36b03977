"""Whatever a file holds: refused in under a second, with its line, and nothing is executed."""

import time
from pathlib import Path

import pytest
from campaign_files import check_one

from triggers.scores import check_scores
from triggers.segments import check_segments
from triggers.vocabulary import Vocabulary

CAMPAIGN = """\
campaign: hostile
name: Hostile
topic: renewals
trigger: {trigger}
where: {where}
steps:
  - {{id: a, at: 0d, email: heads_up}}
"""
BIRTHDAY = "{type: birthday}"
PAYLOADS = [
    "''.__class__.__mro__[1].__subclasses__()",
    "customer.__class__.__init__.__globals__",
    "lipsum.__globals__.os.popen('touch /tmp/hostile')",
    "cycler.__init__.__globals__",
    "self.__init__",
    "range(1000000000) == 1",
    "namespace() == 1",
    "customer.stage|attr('x') == 1",
    "customer.stage is sameas 1",
    "customer['stage'] == 'x'",
    "'a' * 1000000000 == customer.stage",
    "9 ** 9 ** 9 > visits.total",
    "{{ customer.stage }}",
    "{% for x in range(9) %}1{% endfor %}",
    "customer.stage == 'x' and joiner()",
    "(lambda: 1)()",
    "__import__('os').system('true')",
    "visits.total > " + "9" * 5_000,
    "not " * 5_000 + "true",
    "(" * 5_000 + "true" + ")" * 5_000,
    " or ".join(["visits.total == 1"] * 5_000) + " or nothing",
    "customer.stage in [" + ", ".join(["'a'"] * 20_000) + "]",
    "customer." + "stage" * 20_000,
]
TRIGGERS = [
    "{type: date, holiday: %s, country: IN}" % ("Diwali" * 10_000),
    "{type: date, holiday: Diwali, country: %s}" % ("IN" * 10_000),
    "{type: date, field: %s}" % ("customer." * 10_000),
    "{type: segment_entered, segment: %s}" % ("vip" * 10_000),
    "{type: schedule, cron: '* * * * *'}",
    f"{{type: schedule, cron: '{','.join(['1'] * 20_000)} * * * *'}}",
    "{type: schedule, cron: '0 0 31 2 *'}",
    "{type: schedule, cron: '0 0 1 1 *', zone: ../../etc/passwd}",
    "{type: event, name: paid, where: {%s: 1}}" % ("a" * 5_000),
    '{type: event, name: paid, where: {"x\' OR 1=1 --": 1}}',
    "{type: event, name: paid, where: {x: {at_least: %s}}}" % ("9" * 5_000),
    "{type: event, name: paid, where: {x: []}}",
    '{type: event, name: paid, where: {x: "a\\0b"}}',
    '{type: event, name: paid, where: {"x\' OR 1=1 --": 1}}',
    "{type: event, name: paid, where: {x: {at_least: .nan}}}",
    "{type: event, name: paid, where: {x: 1e999}}",
    "{type: inactivity, days: 99999999999999999999}",
    "{type: inactivity, below: 1000%}",
    "{type: balance_low, at_most: -1}",
]
FILES = {
    "an alias bomb": "a: &a [x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n",
    "two megabytes": "campaign: x\n" * 180_000,
    "an object of Python": "campaign: !!python/object/apply:os.system ['touch /tmp/hostile']\n",
    "a deep nest": "where: " + "[" * 100_000,
    "a list for a file": "- a\n- b\n",
    "a text for a file": "campaign\n",
}


def refused(path: Path, vocabulary: Vocabulary) -> str:
    """The first problem; it took less than a second."""
    begin = time.perf_counter()
    checked = check_one(path, vocabulary)
    assert time.perf_counter() - begin < 1
    assert checked.definition is None
    problem = checked.problems[0]
    assert problem.line >= 1 and problem.column >= 1
    assert len(str(problem)) < 1_000
    return f"{problem.line}:{problem.message}"


@pytest.fixture
def path(tmp_path: Path, vocabulary: Vocabulary) -> Path:
    # What a process loads once, such as the holidays of India, is no matter of the file.
    campaign = tmp_path / "campaign.yaml"
    first = "{type: date, holiday: Diwal, country: IN}"
    campaign.write_text(CAMPAIGN.format(trigger=first, where="'true'"), encoding="utf-8")
    check_one(campaign, vocabulary)
    return campaign


@pytest.mark.parametrize("payload", PAYLOADS, ids=[one[:40] for one in PAYLOADS])
def test_a_condition(payload: str, path: Path, vocabulary: Vocabulary) -> None:
    block = ">-\n  " + payload
    path.write_text(CAMPAIGN.format(trigger=BIRTHDAY, where=block), encoding="utf-8")
    assert refused(path, vocabulary).startswith("6:")
    (path.parent / "segments.yaml").write_text(
        f"segments:\n  - name: a\n    where: >-\n      {payload}\n", encoding="utf-8"
    )
    (path.parent / "scores.yaml").write_text(
        f"rules:\n  - points: 1\n    where: >-\n      {payload}\n", encoding="utf-8"
    )
    begin = time.perf_counter()
    segments = check_segments(path.parent, vocabulary)
    scores = check_scores(path.parent, vocabulary)
    assert time.perf_counter() - begin < 1
    assert segments.sound == () and segments.problems[0].line == 4
    assert "customer.score" not in scores.catalogue and scores.problems[0].line == 4
    assert not Path("/tmp/hostile").exists()  # noqa: S108 - where the payloads would write


@pytest.mark.parametrize("trigger", TRIGGERS, ids=[one[:60] for one in TRIGGERS])
def test_a_trigger(trigger: str, path: Path, vocabulary: Vocabulary) -> None:
    path.write_text(CAMPAIGN.format(trigger=trigger, where="'true'"), encoding="utf-8")
    assert refused(path, vocabulary).startswith("4:")


@pytest.mark.parametrize("text", FILES.values(), ids=FILES.keys())
def test_a_file(text: str, path: Path, vocabulary: Vocabulary) -> None:
    path.write_text(text, encoding="utf-8")
    assert refused(path, vocabulary)
    (path.parent / "segments.yaml").write_text(text, encoding="utf-8")
    (path.parent / "scores.yaml").write_text(text, encoding="utf-8")
    assert check_segments(path.parent, vocabulary).problems
    assert check_scores(path.parent, vocabulary).problems
    assert not Path("/tmp/hostile").exists()  # noqa: S108

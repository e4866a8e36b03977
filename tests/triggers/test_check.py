"""Checking campaign files: every error at once, and one broken file spoils no other."""

# ruff: noqa: E501 - a table reads best a row a line

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crm_store.errors import UsageError
from triggers.check import check_campaigns
from triggers.vocabulary import Vocabulary

GOOD = """\
campaign: renewal
name: Renewal
topic: renewals
trigger: {type: membership_expiring, plans: [annual]}
where: not membership.auto_renew
steps:
  - id: heads_up
    at: -30d
    email: heads_up
"""


@pytest.fixture
def campaigns(tmp_path: Path) -> Path:
    folder = tmp_path / "campaigns"
    folder.mkdir()
    return folder


def lines(text: str, campaigns: Path, vocabulary: Vocabulary) -> list[str]:
    path = campaigns / "c.yaml"
    path.write_text(text)
    checked = check_campaigns(campaigns, vocabulary)
    assert (checked[0].definition is None) == bool(checked[0].problems)
    return [str(problem).removeprefix("campaigns/c.yaml:") for problem in checked[0].problems]


def test_a_sound_file(campaigns: Path, vocabulary: Vocabulary) -> None:
    assert lines(GOOD, campaigns, vocabulary) == []


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("campaign: renewal", "campaign: My Renewal", "1:11: [My Renewal] `My Renewal` cannot be a"),
        ("campaign: renewal\n", "", "1:1: `campaign` is missing; add `campaign:` with a value"),
        ("name: Renewal", "name:", "2:6: [renewal] `name` has no value; write one"),
        ("name: Renewal", "name: 12", "2:7: [renewal] `name` must be a text; write a text; if it"),
        ("name: Renewal", "name: [a]", "2:7: [renewal] `name` must be a text"),
        ("topic: renewals", "topic: renewal", "3:8: [renewal] unknown topic `renewal`; did you mean"),
        ("topic: renewals", "topic: offers", "3:8: [renewal] unknown topic `offers`; choose from"),
        ("topic: renewals", 'topic: ""', "3:8: [renewal] the text is empty; write something"),
        ("[annual]", "annual", "4:45: [renewal] `plans` must be a list; write `[a, b]`"),
        ("[annual]", "[12]", "4:46: [renewal] an item of `plans` must be a text"),
        ("membership_expiring", "membership_expired", "4:17: [renewal] `type` cannot be `membership_"
         "expired`; did you mean `membership_expiring`?"),
        ("type: membership_expiring, ", "", "4:1: [renewal] `type` is missing in `trigger`"),
        ("plans: [annual]", "plan: [annual]", "4:38: [renewal] unknown key `plan`; did you mean"),
        ("{type: membership_expiring, plans: [annual]}", "birthday", "4:10: [renewal] `trigger` must"
         " be keys with values"),
        ("{type: membership_expiring, plans: [annual]}", "{type: stage_change, pipeline: sale, to: x}",
         "4:41: [renewal] unknown pipeline `sale`; did you mean `sales`?"),
        ("{type: membership_expiring, plans: [annual]}",
         "{type: stage_change, pipeline: sales, to: open}", "4:52: [renewal] unknown stage `open`;"
         " choose from `member`, `new`, `trial`, or add it to `pipelines:` in club.yaml"),
        ("{type: membership_expiring, plans: [annual]}", "{type: stage_change, pipeline: sales}",
         "4:1: [renewal] `to` is missing in `trigger`; add `to:` with a value"),
        ("where: not", "where: ! not", "5:8: [renewal] tags such as `!` are not read"),
        ("where: not membership.auto_renew", "where: true", "5:8: [renewal] `where` must be a text"),
        ("not membership", "not memberships", "5:12: [renewal] unknown field `memberships.auto_renew`"),
        ("not membership.auto_renew", "membership.plan == 'anual'", "5:27: [renewal] unknown plan"
         " `anual`; did you mean `annual`?"),
        ("not membership.auto_renew", "customer.stage in ['new', 'trail']", "5:34: [renewal] unknown"
         " stage `trail`; did you mean `trial`?"),
        ("steps:\n", "exit_on: membership_renewed\nsteps:\n", "6:10: [renewal] `exit_on` must be a"),
        ("steps:\n", "exit_on: [membership_canceled]\nsteps:\n", "6:11: [renewal] no event is called"
         " `membership_canceled`; did you mean `membership_cancelled`?"),
        ("email: heads_up", "email: winback", "9:12: [renewal] unknown email template `winback`;"
         " write templates/en/email/winback.txt"),
        ("steps:\n", "defaults: {cap: {max: 0, per: 7d}}\nsteps:\n", "6:23: [renewal] `max` must be at least 1; write another number"),
        ("steps:\n", "defaults: {cap: {max: two, per: 7d}}\nsteps:\n", "6:23: [renewal] `max` must be"
         " a whole number"),
        ("steps:\n", "defaults: {cap: {max: 2, per: 7d, else: drop}}\nsteps:\n", "6:41: [renewal]"
         " `else` cannot be `drop`; choose from `postpone`, `skip`"),
        ("steps:\n", "defaults: {time: 9:30}\nsteps:\n", "6:18: [renewal] `9:30` is not a time of"),
        ("steps:\n", "defaults: {quiet_hours: 21-10}\nsteps:\n", "6:25: [renewal] `21-10` are not"),
        ("  - id: heads_up\n", "  - idd: heads_up\n", "7:5: [renewal] unknown key `idd`; did you"),
        ("    at: -30d\n", "", "7:5: [renewal] `at` is missing in an item of `steps`; add `at:`"),
        ("at: -30d", "at: -30", "8:9: [renewal] `-30` is not an offset; add a unit: `-30d` is days"),
        ("email: heads_up", "sms: heads_up", "9:10: [renewal] unknown sms template `heads_up`;"),
        ("email: heads_up", "sms: come_again", "9:10: [renewal] `come_again` is missing in language"),
        ("email: heads_up", "email: ../heads_up", "9:12: [renewal] `../heads_up` cannot be a"),
        ("email: heads_up", "if: visits.totl > 1\n    email: heads_up", "9:9: [renewal] unknown field"),
        ("email: heads_up", "emial: heads_up", "9:5: [renewal] unknown key `emial`; did you mean"),
        ("email: heads_up", "note: hello", "9:5: [renewal] unknown key `note`; choose from `choose`"),
        ("    email: heads_up\n", "", "7:5: [renewal] step `heads_up` does nothing; add one of `email`"),
        ("  - id: heads_up\n", "  - {id: heads_up, at: 0d, email: heads_up}\n  - id: heads_up\n",
         "8:9: [renewal] the step id `heads_up` is used twice; give each step an id of its own"),
        (GOOD, "- a\n- b\n", "1:1: the file must be keys with values"),
        (GOOD, "hello", "1:1: the file must be keys with values"),
    ],
)  # fmt: skip
def test_one_error(old: str, new: str, line: str, campaigns: Path, vocabulary: Vocabulary) -> None:
    assert old in GOOD
    told = lines(GOOD.replace(old, new), campaigns, vocabulary)
    assert len(told) == 1, told
    assert told[0].startswith(line)


def test_every_error_at_once(campaigns: Path, vocabulary: Vocabulary) -> None:
    text = """\
campaign: renewal
nmae: Renewal
topic: renewal
trigger: {type: membership_expiring, plans: [anual]}
where: visits.totl > 3
steps:
  - {id: a, at: -30 days, email: heads_up}
  - {id: a, at: -14d, email: misspelt, if: customer.stage == 3}
  - {id: b, at: -14d, sms: misspelt}
"""
    assert [told.split(": ")[0] for told in lines(text, campaigns, vocabulary)] == [
        "2:1",
        "3:8",
        "4:46",
        "5:8",
        "7:17",
        "8:62",
        "9:28",
        "templates/en/email/misspelt.txt:2:14",
    ]


def test_a_broken_file_disables_itself_alone(campaigns: Path, vocabulary: Vocabulary) -> None:
    (campaigns / "a.yaml").write_text("campaign: [")
    (campaigns / "b.yml").write_text(GOOD)
    (campaigns / "more").mkdir()
    (campaigns / "more" / "c.yaml").write_bytes(b"\xff\xfe")
    (campaigns / "notes.txt").write_text("not a campaign")
    (campaigns / ".#b.yml").symlink_to("an editor's lock")
    checked = check_campaigns(campaigns, vocabulary)
    assert [(file.path.name, file.definition is not None) for file in checked] == [
        ("a.yaml", False),
        ("b.yml", True),
        ("c.yaml", False),
    ]
    assert checked[2].problems[0].file == "campaigns/more/c.yaml"


def test_one_name_in_two_files_runs_neither(campaigns: Path, vocabulary: Vocabulary) -> None:
    (campaigns / "a.yaml").write_text(GOOD)
    (campaigns / "b.yaml").write_text("# a copy\n" + GOOD)
    (campaigns / "c.yaml").write_text(GOOD.replace("campaign: renewal", "campaign: other"))
    a, b, c = check_campaigns(campaigns, vocabulary)
    assert [str(problem) for problem in (*a.problems, *b.problems)] == [
        "campaigns/a.yaml:1:11: [renewal] the name `renewal` is also used in campaigns/b.yaml; "
        "give each campaign a name of its own",
        "campaigns/b.yaml:2:11: [renewal] the name `renewal` is also used in campaigns/a.yaml; "
        "give each campaign a name of its own",
    ]
    assert a.definition is b.definition is None
    assert c.definition is not None


def test_a_folder_that_is_not_there(campaigns: Path, vocabulary: Vocabulary) -> None:
    with pytest.raises(UsageError, match="There is no folder"):
        check_campaigns(campaigns / "gone", vocabulary)


def test_a_problem_as_json(campaigns: Path, vocabulary: Vocabulary) -> None:
    path = campaigns / "a.yaml"
    path.write_text(GOOD.replace("annual", "anual"))
    (problem,) = check_campaigns(campaigns, vocabulary)[0].problems
    assert problem.to_json() == {
        "file": "campaigns/a.yaml",
        "line": 4,
        "column": 46,
        "message": "unknown plan `anual`",
        "fix": "did you mean `annual`?",
        "campaign": "renewal",
        "severity": "error",
    }


def test_checking_loads_no_prefect_and_no_server() -> None:
    code = (
        "import sys, triggers.check, triggers.schema; "
        "print({'prefect', 'fastapi', 'aiosmtplib', 'httpx'} & set(sys.modules))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=True)
    assert done.stdout.strip() == b"set()"


FULL = GOOD.replace(
    "steps:\n",
    "exit_on: [membership_renewed]\n"
    'defaults: {time: "10:30", quiet_hours: "21:00-10:00", cap: {max: 2, per: 7d, else: skip}}\n'
    "steps:\n"
    "  - {id: first, at: now, sms: heads_up, if: customer.stage in ['new'], late: {grace: 2h}}\n",
)
PIECES = st.sampled_from(
    [*"{}[]:-,'\"#&*!|>%@ \n\t0", "null", "-30d", "true", "''", "{}", "[]", "type", "stage_change"]
)


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_whatever_the_file_says_nothing_is_raised(
    data: st.DataObject, campaigns: Path, vocabulary: Vocabulary
) -> None:
    text = FULL
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = start + data.draw(st.integers(0, 12))
        text = text[:start] + data.draw(PIECES) + text[end:]
    path = campaigns / "c.yaml"
    path.write_text(text)
    (checked,) = check_campaigns(campaigns, vocabulary)
    assert (checked.definition is None) == bool(checked.problems)
    for problem in checked.problems:
        assert problem.line >= 1
        assert problem.column >= 1
        assert problem.line <= text.count("\n") + 2 or problem.file != "campaigns/c.yaml"
        assert "\n" not in str(problem)

"""What stands in a campaign and never happens is told, as an error or as a warning."""

# ruff: noqa: E501 - a table reads best a row a line

from pathlib import Path

import pytest
from campaign_files import check_one, lines

from triggers.vocabulary import Vocabulary

LEADS = """\
campaign: leads
name: Leads
topic: leads
trigger: {type: new_lead}
exit_on: [lead_lost]
defaults: {time: "10:30", quiet_hours: "21:00-10:00"}
steps:
  - id: hello
    at: now
    email: heads_up
  - id: later
    at: +1d
    choose:
      - if: visits.total >= 3
        email: heads_up
      - else:
        email: heads_up
"""
WARNING, ERROR = "warnings", "problems"


def told(text: str, tmp_path: Path, vocabulary: Vocabulary, kind: str) -> list[str]:
    path = tmp_path / "c.yaml"
    path.write_text(text, encoding="utf-8")
    checked = check_one(path, vocabulary)
    assert (checked.definition is None) == bool(checked.problems)
    return lines(path, getattr(checked, kind))


def test_a_sound_campaign_is_told_nothing(tmp_path: Path, vocabulary: Vocabulary) -> None:
    assert told(LEADS, tmp_path, vocabulary, ERROR) == []
    assert told(LEADS, tmp_path, vocabulary, WARNING) == []


@pytest.mark.parametrize(
    ("kind", "old", "new", "line"),
    [
        (ERROR, "[lead_lost]", "[lead_lost, lead_created]", "5:22: [leads] `lead_created` starts the campaign and ends it at once"),
        (ERROR, "at: now", "at: -3d", "9:9: [leads] step `hello` lies before the event that starts the campaign: it is too late; count"),
        (WARNING, "at: now", "at: -2h", "9:9: warning: [leads] step `hello` lies before the event that starts the campaign; write `now`"),
        (ERROR, '"21:00-10:00"', '"21:00-10:00", send_window: {hours: "08:00-10:00"}', "9:9: [leads] step `hello` can never leave: no hour is inside the send window and outside the quiet hours"),
        (ERROR, '"21:00-10:00"', '"21:00-10:00", late: {grace: 1h}, send_window: {hours: "17:00-20:00"}', "12:9: [leads] step `later` is too late whenever it may leave; choose another time, or a grace of 390m"),
        (WARNING, '"21:00-10:00"', '"21:00-10:00", send_window: {days: [mon, tue, wed, thu, fri]}', "9:9: warning: [leads] step `hello` is too late when it is due on fri, sat; give it a grace of 61h"),
        (WARNING, "exit_on", "where: visits.total > 3 and visits.total < 2\nexit_on", "5:8: warning: [leads] this condition is never true; its parts contradict"),
        (WARNING, "exit_on", "pause_while: visits.total >= 0\nexit_on", "5:14: warning: [leads] this condition is always true; leave it out"),
        (WARNING, "      - if: visits.total >= 3", "      - if: true or visits.total > 9", "14:13: warning: [leads] this condition is always true; write `else:` instead"),
        (WARNING, "      - else:", "      - if: visits.total > 5", "16:13: warning: [leads] nobody is left for this way: it is never taken"),
        (WARNING, "    choose:", "    if: visits.total >= 4\n    choose:", "17:14: warning: [leads] nobody is left for this way: it is never taken"),
    ],
)  # fmt: skip
def test_one_mistake(
    kind: str, old: str, new: str, line: str, tmp_path: Path, vocabulary: Vocabulary
) -> None:
    assert old in LEADS
    found = told(LEADS.replace(old, new), tmp_path, vocabulary, kind)
    assert found[0].startswith(line), found


def test_what_is_no_message_minds_no_hours(tmp_path: Path, vocabulary: Vocabulary) -> None:
    text = LEADS.replace("email: heads_up", "task: {queue: desk, title: Call, due: 4h}")
    text = text.replace('"21:00-10:00"', '"21:00-10:00", send_window: {hours: "08:00-10:00"}')
    assert told(text, tmp_path, vocabulary, ERROR) == []


@pytest.mark.parametrize(
    ("clock", "grace", "is_late"),
    [
        ("22:00", "10h", False),  # it leaves at eight, just in time
        ("22:00", "9h", True),
        ("20:59", "1h", False),
        ("08:00", "1h", False),
        ("06:30", "2h", False),
        ("06:30", "1h", True),
    ],
)
def test_quiet_hours_that_end_in_time_or_not(
    clock: str, grace: str, is_late: bool, tmp_path: Path, vocabulary: Vocabulary
) -> None:
    campaign = f"""\
campaign: renewal
name: Renewal
topic: renewals
trigger: {{type: membership_expiring}}
defaults: {{time: "{clock}", quiet_hours: "21:00-08:00", late: {{grace: {grace}}}}}
steps:
  - {{id: a, at: -1d, email: heads_up}}
"""
    found = told(campaign, tmp_path, vocabulary, ERROR)
    assert [" is too late whenever it may leave; " in line for line in found] == [True] * is_late

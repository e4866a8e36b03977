"""What `sampark sweep` prints."""

from datetime import UTC, datetime

import pytest

from crm_console.sweep_table import show_report
from flows.report import CampaignReport, SweepReport

NOW = datetime(2026, 11, 22, tzinfo=UTC)


def test_a_campaign_has_a_line_when_there_is_something_to_tell(
    capsys: pytest.CaptureFixture[str],
) -> None:
    campaigns = [
        CampaignReport("entered", admitted=1),
        CampaignReport("idle"),
        CampaignReport("inside", waiting=2),
        CampaignReport("broken", disabled="campaigns/broken.yaml:3:1: ..."),
    ]
    show_report(SweepReport(NOW, campaigns))
    heading, *lines = capsys.readouterr().out.splitlines()
    assert heading.split() == ["campaign", "admitted", "due", "accepted", "not", "sent", "inside"]
    assert [line.split()[0] for line in lines[:-1]] == ["entered", "inside", "broken"]
    assert lines[-1] == "Nobody entered, and nothing was due: 1 campaign."


@pytest.mark.parametrize(
    ("paused", "told"),
    [
        ("***", ["Everything is paused and sends nothing: *.", "understood: sampark resume\n"]),
        ("aaa", ["one, two, three are paused and send nothing: a."]),
        (
            " bb",
            [
                "two, three are paused and send nothing: b.",
                "understood: sampark resume two; sampark resume three\n",
            ],
        ),
        ("a b", ["one is paused and sends nothing: a.", "understood: sampark resume three\n"]),
    ],
)
def test_a_pause_is_told_once(
    capsys: pytest.CaptureFixture[str], paused: str, told: list[str]
) -> None:
    names = ("one", "two", "three")
    campaigns = [
        CampaignReport(name, paused=reason.strip() or None)
        for name, reason in zip(names, paused, strict=True)
    ]
    show_report(SweepReport(NOW, campaigns, paused="*" if paused == "***" else None))
    said = capsys.readouterr().err
    assert all(each in said for each in told)
    assert said.count("nothing:") == len(set(paused.replace(" ", "")))

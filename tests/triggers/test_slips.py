"""What a sound campaign says and is likely not meant so is told as a warning, at its place."""

# ruff: noqa: E501 - a table reads best a row a line

from pathlib import Path

import pytest
from campaign_files import check_one, lines

from crm_store.event_names import RECORDED_HERE, TOLD_AFTERWARDS
from triggers.event_slips import in_other_words, misspelt
from triggers.vocabulary import Vocabulary

RENEWAL = """\
campaign: renewal
name: Renewal
topic: renewals
trigger: {type: membership_expiring}
exit_on: [membership_renewed, lead_lost]
goal: {event: membership_renewed, within: 14d}
defaults: {time: "10:30", quiet_hours: "21:00-10:00", send_window: {hours: "09:00-20:00"}}
steps:
  - id: heads_up
    at: -30d
    email: heads_up
  - id: after
    at: 0d
    time: "18:00"
    email: heads_up
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("", "", []),
        ("[membership_renewed", "[membership_renewal", ["5:11: warning: [renewal] nothing records `membership_renewal` by itself; did you mean `membership_renewed`? Else it is yours to record"]),
        ("{event: membership_renewed", "{event: cancelled", ["6:15: warning: [renewal] nothing records `cancelled` by itself; did you mean `membership_cancelled`? Else it is yours to record"]),
        ("at: -30d", "at: 30d", ["10:9: warning: [renewal] `at: 30d` has no sign: it is after the day that the campaign counts from; write `-30d` for before that day, or `+30d`"]),
        ("at: -30d", "at: +30d", []),
        ("at: -30d", "at: now", []),
        ("membership_expiring", "inactivity, days: 14}\nwhere: {a: b", ["5:8: [renewal] `where` must be a text; write a text; if it looks like a number, put it in quotes"]),
        ('time: "18:00"', 'time: "21:30"', ["14:11: warning: [renewal] `21:30` lies in the quiet hours 21:00-10:00: the message waits for their end; choose a time outside of them"]),
        ('time: "18:00"', 'time: "20:00"', ["14:11: warning: [renewal] `20:00` lies outside the send window 09:00-20:00: the message waits for it; choose a time within it"]),
        ('time: "10:30"', 'time: "08:00"', ["7:18: warning: [renewal] `08:00` lies in the quiet hours 21:00-10:00: the message waits for their end; choose a time outside of them"]),
        ('time: "18:00"\n    email: heads_up', 'time: "21:30"\n    task: {queue: desk, title: Call, due: 4h}', []),
    ],
)  # fmt: skip
def test_a_slip_is_told(
    old: str, new: str, told: list[str], tmp_path: Path, vocabulary: Vocabulary
) -> None:
    assert old in RENEWAL
    path = tmp_path / "c.yaml"
    path.write_text(RENEWAL.replace(old, new, 1), encoding="utf-8")
    checked = check_one(path, vocabulary)
    assert lines(path, [*checked.problems, *checked.warnings]) == told


def test_after_an_event_or_an_absence_no_sign_is_needed(
    tmp_path: Path, vocabulary: Vocabulary
) -> None:
    path = tmp_path / "c.yaml"
    for trigger in ("type: new_lead", "type: inactivity, days: 14"):
        text = RENEWAL.replace("type: membership_expiring", trigger).replace("at: -30d", "at: 1d")
        path.write_text(text, encoding="utf-8")
        checked = check_one(path, vocabulary)
        assert lines(path, [*checked.problems, *checked.warnings]) == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("membership_renewal", "membership_renewed"),
        ("renewal", "membership_renewed"),
        ("renewed", "membership_renewed"),
        ("renewed_membership", "membership_renewed"),
        ("membership_renew", "membership_renewed"),
        ("memberships_renewed", "membership_renewed"),
        ("cancelled", "membership_cancelled"),
        ("canceled", "membership_cancelled"),
        ("membership_cancellation", "membership_cancelled"),
        ("cancel_membership", "membership_cancelled"),
        ("lead_creation", "lead_created"),
        ("form_submission", "form_submitted"),
        ("form_submit", "form_submitted"),
        ("stage_change", "stage_changed"),
        ("visit_record", "visit_recorded"),
        ("email_open", "email_opened"),
        ("clicked_link", "link_clicked"),
        ("sms_failure", "sms_failed"),
        ("sms_delivery", "sms_delivered"),
    ],
)
def test_a_name_that_is_ours_in_other_words(name: str, meant: str) -> None:
    assert (misspelt(name) or in_other_words(name)) == meant


@pytest.mark.parametrize(
    "name",
    [
        *RECORDED_HERE,
        *TOLD_AFTERWARDS,
        "trial_booked", "trial_attended", "trial_missed", "lead_lost", "payment_failed", "nps_answered",
        "membership_frozen", "membership_resumed", "membership_started", "membership_upgraded",
        "class_booked", "class_cancelled", "trial_cancelled", "booking_cancelled", "locker_renewed",
        "email_subscribed", "email_changed", "package_bought", "lead_qualified", "visit_missed",
        "recorded", "changed", "clicked", "delivered", "booked", "paid", "visited", "visit",
        "membership", "email", "renewal_reminded", "renewal_declined", "purchase_refunded", "referral",
    ],
)  # fmt: skip
def test_an_event_of_the_clubs_own_is_let_be(name: str) -> None:
    assert misspelt(name) is None
    assert in_other_words(name) is None

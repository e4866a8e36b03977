"""Every question of the gate, and which answer wins."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from crm_messaging.gate import Allowed, Cap, Decision, Postponed, Situation, Stopped, decide
from crm_store.models.touchpoint import State
from crm_store.reasons import Reason

NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FREE = Situation(
    address="asha@example.org",
    opted_out=False,
    suppressed=False,
    exited=False,
    agreed=True,
    expires_at=NOW + 36 * HOUR,
)
TWO_A_WEEK = Cap(2, 7 * DAY, postpone=True)
TWICE = (NOW - 6 * DAY, NOW - DAY)


@pytest.mark.parametrize(
    ("situation", "cap", "decision"),
    [
        (FREE, None, Allowed()),
        (FREE._replace(exited=True), None, Stopped(State.CANCELLED, Reason.EXITED)),
        (FREE._replace(opted_out=True), None, Stopped(State.SUPPRESSED, Reason.OPTED_OUT)),
        (FREE._replace(agreed=False), None, Stopped(State.SUPPRESSED, Reason.NO_CONSENT)),
        (
            FREE._replace(suppressed=True),
            None,
            Stopped(State.SUPPRESSED, Reason.SUPPRESSED_ADDRESS),
        ),
        (FREE._replace(address=None), None, Stopped(State.SUPPRESSED, Reason.NO_ADDRESS)),
        (FREE._replace(expires_at=NOW), None, Allowed()),
        (
            FREE._replace(expires_at=NOW - timedelta(seconds=1)),
            None,
            Stopped(State.EXPIRED, Reason.TOO_LATE),
        ),
        (
            FREE._replace(closed_until=(NOW + 5 * HOUR, Reason.QUIET_HOURS)),
            None,
            Postponed(NOW + 5 * HOUR, Reason.QUIET_HOURS),
        ),
        (
            FREE._replace(closed_until=(NOW + 37 * HOUR, Reason.QUIET_HOURS)),
            None,
            Stopped(State.EXPIRED, Reason.QUIET_HOURS),
        ),
        (FREE._replace(recently_sent=TWICE[1:]), TWO_A_WEEK, Allowed()),
        (
            FREE._replace(recently_sent=TWICE),
            TWO_A_WEEK,
            Postponed(NOW + DAY, Reason.CAP),
        ),
        (
            FREE._replace(recently_sent=(NOW - DAY, NOW - HOUR)),
            TWO_A_WEEK,
            Stopped(State.EXPIRED, Reason.CAP),
        ),
        (
            FREE._replace(recently_sent=TWICE),
            replace(TWO_A_WEEK, postpone=False),
            Stopped(State.SUPPRESSED, Reason.CAP),
        ),
        # She renewed and opted out: that she renewed is the better reason to know.
        (
            FREE._replace(exited=True, opted_out=True),
            None,
            Stopped(State.CANCELLED, Reason.EXITED),
        ),
        (
            FREE._replace(
                opted_out=True, address=None, closed_until=(NOW + HOUR, Reason.QUIET_HOURS)
            ),
            None,
            Stopped(State.SUPPRESSED, Reason.OPTED_OUT),
        ),
    ],
)
def test_the_gate(situation: Situation, cap: Cap | None, decision: Decision) -> None:
    assert decide(situation, cap, NOW) == decision

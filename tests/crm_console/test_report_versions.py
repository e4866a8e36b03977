"""`sampark report versions`, and the intervals of its shares."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from making import (
    NOW,
    make_customer,
    make_enrollment,
    make_event,
    make_touchpoint,
    make_version,
)

from crm_console.shares import difference, share
from crm_store.database import Store
from crm_store.version_figures import Met, StepFigures, version_figures
from flows.project import open_club, open_project

GOAL = {"goal": {"event": "membership_renewed", "within": "14d"}}

# 81 of 263 is Newcombe's own example (1998); of nobody in ten the upper end is z² / (n + z²).
WILSON = [
    (0, 10, 0.0, 0.2775),
    (1, 10, 0.0179, 0.4042),
    (5, 10, 0.2366, 0.7634),
    (10, 10, 0.7225, 1.0),
    (81, 263, 0.2553, 0.3662),
]


@pytest.mark.parametrize(("met", "of", "low", "high"), WILSON)
def test_wilsons_interval(met: int, of: int, low: float, high: float) -> None:
    one = share(met, of)
    assert one is not None
    assert (one.low, one.high) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_nobody_has_no_share() -> None:
    assert share(0, 0) is None


def test_newcombes_example() -> None:
    """56/70 against 48/80: 0.0524 to 0.3339 (Newcombe 1998, table II, method 10)."""
    one, other = share(56, 70), share(48, 80)
    assert one is not None and other is not None
    assert difference(one, other) == pytest.approx((0.2, 0.0524, 0.3339), abs=5e-5)


def history(store: Store) -> None:
    """Two versions; in the second three got a side of the split each, and one is held out."""
    first = make_version(store, version=1, definition=GOAL)
    second = make_version(store, version=2, definition=GOAL)
    until = NOW + timedelta(days=30)
    make_enrollment(store, make_customer(store), first, status="completed", goal_until=until)
    for number, (status, variant, state, reason, renews_after) in enumerate(
        [
            ("active", "gift", "accepted", None, 1),
            ("active", "gift", "delivered", None, None),
            ("active", "plain", "accepted", None, 40),
            ("exited", "plain", "suppressed", "opted_out", None),
            ("held_out", "", "", None, 2),
        ]
    ):
        customer = make_customer(store)
        enrollment = make_enrollment(store, customer, second, status=status, goal_until=until)
        if state:
            make_touchpoint(
                store, customer, enrollment, version_id=second, step="offer", variant=variant,
                state=state, reason=reason, occurrence=f"event:{number}", sent_at=NOW,
            )  # fmt: skip
        if renews_after:
            at = NOW + timedelta(days=renews_after)
            make_event(store, customer, "membership_renewed", occurred_at=at)


def test_figures_are_kept_by_version_step_and_side(store: Store) -> None:
    history(store)
    with store.read() as connection:
        newest, oldest = version_figures(connection, 1)
        assert version_figures(connection, 2) == []
        assert version_figures(connection, 1, "other") == []
    assert (newest.version, newest.entered, newest.goal) == (2, 5, Met(1, 4))
    assert newest.held_out == Met(1, 1)
    assert newest.steps == [
        StepFigures("offer", "gift", 2, goal=Met(1, 2)),
        StepFigures("offer", "plain", 1, newest.steps[1].not_sent, Met(0, 1)),
    ]
    assert newest.steps[1].not_sent == {"opted_out": 1}
    assert (oldest.version, oldest.entered, oldest.goal, oldest.steps) == (1, 1, Met(0, 1), [])


def test_the_report(club: Path, sampark: Callable[..., Any], answer: Callable[..., Any]) -> None:
    with open_club(open_project(club), lambda: NOW) as (store, _):
        history(store)
    newest, _ = answer("report", "versions")["versions"]
    assert (newest["campaign"], newest["version"]) == ("renewal", 2)
    assert newest["goal"]["share"] == 0.25
    assert newest["difference"][0] == -0.75
    shown = sampark("report", "versions").stdout
    assert "renewal, version 2: 5 customers" in shown
    assert "goal met: 1 of 4, 25.0% (4.6 to 69.9)" in shown
    assert "1 the customer opted out" in shown


def test_without_a_goal_nothing_is_told_of_one(club: Path, sampark: Callable[..., Any]) -> None:
    with open_club(open_project(club), lambda: NOW) as (store, _):
        version = make_version(store, definition={})
        customer = make_customer(store)
        enrollment = make_enrollment(store, customer, version)
        make_touchpoint(
            store, customer, enrollment, version_id=version, step="hi", state="accepted"
        )
    shown = sampark("report", "versions").stdout
    assert "goal" not in shown
    assert [line.split() for line in shown.splitlines()[2:4]] == [
        ["step", "sent", "not", "sent"],
        ["hi", "1"],
    ]

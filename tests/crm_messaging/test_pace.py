"""The pace of a limit, and the words for it in club.yaml."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from crm_messaging.channels.limits import EmailLimits, Rate
from crm_messaging.pace import Pace

INTERVAL = 0.5
STEPS = st.lists(st.tuples(st.floats(0, 2), st.sampled_from([0.0, 1.0, 60.0])), max_size=60)


@given(STEPS)
def test_no_two_moments_are_closer_than_the_interval(steps: list[tuple[float, float]]) -> None:
    """Whoever asks, whenever, and however patient."""
    pace, now = Pace(INTERVAL), 0.0
    taken, booked = [], []
    for later, patience in steps:
        now += later
        wait = pace.take(now, patience)
        if wait is None:
            booked.append(now + pace.book(now))
        else:
            assert wait <= patience
            taken.append(now + wait)
    for moments in (taken, booked):
        gaps = [after - before for before, after in pairwise(moments)]
        assert all(gap >= INTERVAL - 1e-9 for gap in gaps)


def test_those_who_come_back_when_they_are_told_to_are_not_sent_away_again() -> None:
    pace = Pace(INTERVAL)
    assert pace.take(0.0, 0.0) == 0.0
    moments = [pace.book(0.0) for _ in range(100)]
    assert moments == [INTERVAL * n for n in range(1, 101)]
    assert [pace.take(moment, 0.0) for moment in moments] == [0.0] * 100


def test_without_a_limit_nobody_waits() -> None:
    pace = Pace(Rate().interval)
    assert [pace.take(1.0, 0.0) for _ in range(1000)] == [0.0] * 1000


@pytest.mark.parametrize(
    ("figures", "interval"),
    [
        ({}, 0.0),
        ({"per_second": 50}, 0.02),
        ({"per_minute": 600}, 0.1),
        ({"per_hour": 3600}, 1.0),
        ({"per_second": 50, "per_minute": 600}, 0.1),
        ({"per_second": 0.1}, 10.0),
    ],
)
def test_the_slowest_figure_holds(figures: dict[str, float], interval: float) -> None:
    assert Rate.model_validate(figures).interval == pytest.approx(interval)


@pytest.mark.parametrize(
    "limits",
    [
        {"per_second": 0},
        {"per_day": 100},
        {"at_once": 4},
        {"providers": {"google": {"per_minute": 600}}},
        {"providers": {"google": {"domains": []}}},
        {"providers": {"google": {"domains": ["asha@gmail.com"]}}},
        {"providers": {"google": {"domains": ["gmail"]}}},
        {"providers": {"google": {"domains": ["gmail.com"], "at_once": 0}}},
        {"providers": {"a": {"domains": ["gmail.com"]}, "b": {"domains": ["GMAIL.com"]}}},
    ],
)
def test_wrong_limits_are_refused(limits: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        EmailLimits.model_validate(limits)

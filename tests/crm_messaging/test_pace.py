"""The pace of a limit, and the words for it in club.yaml."""

from itertools import chain, combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from crm_messaging.channels.limits import EmailLimits, Rate
from crm_messaging.pace import AHEAD_S, Pace

INTERVAL = 0.25
LATE = max(INTERVAL, AHEAD_S)
STEPS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.floats(0, 2),
        st.integers(1, 5),
        st.sampled_from([0.0, 1.0, 60.0]),
    ),
    max_size=60,
)


class GivenOut:
    """Moments for all processes; `crm_store.limit_use` does the same in the store."""

    def __init__(self) -> None:
        self.free_from = 0.0

    def reserve(self, number: int, now: float, latest: float) -> tuple[float, int]:
        first = max(now, self.free_from)
        if first > latest:
            return first, 0
        self.free_from = first + number * INTERVAL
        return first, number


def take(pace: Pace, given: GivenOut, now: float, patience: float, wanted: int = 1) -> float | None:
    if number := pace.lacks(now, wanted, patience):
        pace.grant(*given.reserve(number, now, now + patience))
    return pace.take(now, patience)


@given(STEPS)
def test_no_two_moments_are_closer_than_the_interval(
    steps: list[tuple[int, float, int, float]],
) -> None:
    """Whoever asks, whenever, for how many, and however patient; and not by turns either."""
    given_out, now = GivenOut(), 0.0
    paces = [Pace(INTERVAL) for _ in range(3)]
    taken: list[list[float]] = [[], [], []]
    booked: list[list[float]] = [[], [], []]
    for which, later, wanted, patience in steps:
        now += later
        wait = take(paces[which], given_out, now, patience, wanted)
        if wait is None:
            booked[which].append(now + paces[which].book(now))
        else:
            assert wait <= patience
            taken[which].append(now + wait)
    for moments in (*taken, *booked):
        gaps = [after - before for before, after in pairwise(moments)]
        assert all(gap >= INTERVAL - 1e-9 for gap in gaps)
    together = sorted(chain(*taken))
    for first, last in combinations(range(len(together)), 2):
        span = together[last] - together[first]
        assert last - first <= (span + LATE) / INTERVAL + 1e-6


def test_those_who_come_back_when_they_are_told_to_are_not_sent_away_again() -> None:
    pace, given_out = Pace(INTERVAL), GivenOut()
    assert take(pace, given_out, 0.0, 0.0) == 0.0
    assert take(pace, given_out, 0.0, 0.0) is None
    moments = [pace.book(0.0) for _ in range(100)]
    assert moments == [INTERVAL * n for n in range(1, 101)]
    pace = Pace(INTERVAL)  # in the next sweep
    assert [take(pace, given_out, moment, 0.0) for moment in moments] == [0.0] * 100


def test_moments_of_those_who_do_not_come_back_are_booked_anew() -> None:
    pace, given_out = Pace(INTERVAL), GivenOut()
    assert take(pace, given_out, 0.0, 0.0) == 0.0
    assert [pace.book(0.0) for _ in range(100)][-1] == 100 * INTERVAL
    pace.expect(0.0, 1000)
    assert pace.book(0.0) == 101 * INTERVAL
    pace.expect(0.0, 3)
    assert pace.book(0.0) == 4 * INTERVAL
    pace.expect(50.0, 0)
    assert pace.book(50.0) == 0.0


def test_one_who_is_alone_loses_no_moment() -> None:
    pace, given_out = Pace(INTERVAL), GivenOut()
    waits = [take(pace, given_out, 0.0, 60.0, wanted=100 - n) for n in range(100)]
    assert waits == pytest.approx([INTERVAL * n for n in range(100)])


def test_who_wants_one_moment_leaves_the_next_to_others() -> None:
    given_out = GivenOut()
    alone, busy = Pace(INTERVAL), Pace(INTERVAL)
    assert take(alone, given_out, 0.0, 60.0, wanted=1) == 0.0
    assert take(busy, given_out, 0.0, 60.0, wanted=1000) == pytest.approx(INTERVAL)


def test_a_clock_that_is_put_back_holds_up_nobody() -> None:
    pace, given_out = Pace(INTERVAL), GivenOut()
    assert take(pace, given_out, 7200.0, 0.0) == 0.0
    assert pace.lacks(3600.0, 1, 0.0) == 1
    pace.grant(3600.0, 1)
    assert pace.take(3600.0, 0.0) == 0.0


def test_without_a_limit_there_is_no_pace() -> None:
    assert not Pace(Rate().interval).is_limited


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
        {"per_hour": 1e-9},
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

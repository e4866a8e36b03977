"""A simulation counts a segment among those whom something happened to: as if among everybody."""

from dataclasses import replace
from datetime import timedelta

import pytest
from engines import Workshop
from making import NOW, make_customer, make_visit, rows_of

from crm_store.models.segment import Segment, SegmentStay
from flows.foresight.meanwhile import Meanwhile
from flows.rules import count_segments
from flows.sweep import plan_sweep
from triggers.expression import parse_condition
from triggers.segments import Segment as SegmentRule

BY_CALENDAR = {
    "visits.total >= 2": False,
    "visits.total == 1 and membership.status is none": False,
    '"vip" in customer.tags or visits.total > 2': False,
    "visits.last_30d >= 2": True,
    "visits.total >= 1 and membership.days_left is none": True,
    "visits.days_since_last > 3": True,
    "purchases.total >= 1": True,
}
NAMES = [f"s{number}" for number in range(len(BY_CALENDAR))]
CAMPAIGN = """
    campaign: {name}
    name: Segment
    topic: news
    trigger: {{type: segment_entered, segment: {name}}}
    steps: [{{id: bravo, at: now, email: note/one}}]
    """


@pytest.fixture
def counting(lite_club: Workshop) -> Workshop:
    """A club whose campaigns speak of all the segments."""
    club = lite_club
    conditions = [parse_condition(text, club.engine.catalogue) for text in BY_CALENDAR]
    segments = tuple(map(SegmentRule, NAMES, conditions, NAMES))
    club.engine = replace(club.engine, segments=segments)
    club.vocabulary = replace(club.vocabulary, segments=NAMES)
    for name in NAMES:
        club.campaign(CAMPAIGN.format(name=name), name)
    return club


def inside(club: Workshop) -> set[tuple[str, int]]:
    """Segment and customer of all open stays."""
    names = dict(rows_of(club.store, Segment, "id", "name"))
    stays = rows_of(club.store, SegmentStay, "segment_id", "customer_id", "left_at")
    return {(names[segment], customer) for segment, customer, left in stays if left is None}


def test_who_is_in_is_as_if_all_were_counted(counting: Workshop) -> None:
    club, campaigns = counting, plan_sweep(counting.engine, counting.files).running
    rare, often, never = (make_customer(club.store) for _ in range(3))
    moments = [NOW + timedelta(hours=12 * number) for number in range(9)]
    for came in (NOW - timedelta(days=29), moments[1], moments[3] + timedelta(seconds=1)):
        make_visit(club.store, often, came)
    make_visit(club.store, rare, moments[5])
    meanwhile = Meanwhile(club.engine, campaigns)
    seen = []
    for now in moments:
        club.clock.now = now
        count_segments(club.engine, campaigns, meanwhile.whole(now))
        seen.append(inside(club))
        count_segments(club.engine, campaigns)
        assert inside(club) == seen[-1]
    assert (NAMES[0], often) in seen[1] - seen[0]
    assert (NAMES[1], rare) in seen[5] - seen[4]
    assert never not in {customer for _, customer in seen[-1]}


def test_everybody_is_asked_where_time_alone_changes_it(counting: Workshop) -> None:
    club, campaigns = counting, plan_sweep(counting.engine, counting.files).running
    meanwhile = Meanwhile(club.engine, campaigns)
    first, second = (meanwhile.whole(NOW + timedelta(days=days)) for days in range(2))
    assert {first(one) for one in club.engine.segments} == {None}
    is_asked = [second(one) is None for one in club.engine.segments]
    assert is_asked == list(BY_CALENDAR.values())

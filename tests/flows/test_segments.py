"""Segments as sweeps count them: who entered, who left, and who was always there."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from engines import Workshop
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from making import NOW, make_club, make_customer, make_event, make_visit, rows_of
from sqlalchemy import delete, insert, select

from crm_messaging.template_library import TemplateLibrary
from crm_store.catalogue.standard import catalogue_of
from crm_store.database import Store
from crm_store.models.customer import Customer, CustomerTag
from crm_store.models.segment import Segment, SegmentStay
from crm_store.scope import CUSTOMER, Scope
from crm_store.segments import Counted, count_of, count_segment, entered, left
from crm_store.tables import table_of
from flows.sweep import handle_events, plan_sweep
from triggers.expression import parse_condition
from triggers.scores import check_scores
from triggers.segments import Segment as SegmentRule
from triggers.vocabulary import Vocabulary

VIP = parse_condition('"vip" in customer.tags', catalogue_of())
MINUTE = timedelta(minutes=1)


def count(store: Store, club: int, now: datetime, digest: str = "vip", **other: Any) -> Counted:
    condition = other.get("condition", VIP).asked(Scope(now, now.date()))
    with store.write() as connection:
        return count_segment(connection, club, "vips", digest=digest, condition=condition, now=now)


def set_tags(store: Store, wanted: set[int]) -> None:
    tag = table_of(CustomerTag)
    with store.write() as connection:
        connection.execute(delete(tag))
        if wanted:
            connection.execute(insert(tag), [{"customer_id": one, "tag": "vip"} for one in wanted])


def test_stays_follow_the_tags(store: Store) -> None:
    """Against a model: a set of who is in, and a list of moments."""
    club = make_club(store)
    customers = [make_customer(store) for _ in range(5)]

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.sets(st.sampled_from(customers)), min_size=1, max_size=6))
    def agree(history: list[set[int]]) -> None:
        with store.write() as connection:
            connection.execute(delete(table_of(SegmentStay)))
            connection.execute(delete(table_of(Segment)))
        inside: set[int] | None = None
        came, went = [], []
        for number, wanted in enumerate(history):
            now = NOW + number * MINUTE
            set_tags(store, wanted)
            changed = count(store, club, now)
            before = wanted if inside is None else inside
            assert changed == Counted(len(wanted - before), len(before - wanted))
            came += [(one, now) for one in wanted - before]
            went += [(one, now) for one in before - wanted]
            inside = wanted
        until = NOW + 10 * MINUTE
        with store.read() as connection:
            for turned, expected in ((entered, came), (left, went)):
                asked = turned(club, "vips", NOW, until)
                rows = connection.execute(asked.sql, asked.values).all()
                assert sorted((row.customer_id, row.anchor_at) for row in rows) == sorted(expected)
                assert len({row.occurrence for row in rows}) == len(expected)
            assert count_of(connection, club, VIP.sql(Scope(NOW, NOW.date()))) == len(inside or ())

    agree()


def test_who_is_in_it_when_its_words_change_has_not_entered(store: Store) -> None:
    club = make_club(store)
    first, second = make_customer(store, tags=("vip",)), make_customer(store, source="web")
    count(store, club, NOW)
    web = parse_condition('customer.source == "web"', catalogue_of())
    assert count(store, club, NOW + MINUTE, "web", condition=web) == Counted(0, 0)
    assert rows_of(store, SegmentStay, "customer_id", "entered_at", "left_at") == [
        (second, None, None)
    ]
    set_tags(store, {first, second})
    assert count(store, club, NOW + 2 * MINUTE) == Counted(0, 0)
    assert len(rows_of(store, SegmentStay)) == 2


def test_two_clubs_have_segments_of_their_own(store: Store) -> None:
    here, there = make_club(store), make_club(store, code="other")
    make_customer(store, club_id=here, tags=("vip",))
    stranger = make_customer(store, club_id=there)
    count(store, here, NOW)
    count(store, there, NOW)
    set_tags(store, {stranger})
    assert count(store, here, NOW + MINUTE) == Counted(0, 1)
    assert count(store, there, NOW + MINUTE) == Counted(1, 0)
    with store.read() as connection:
        asked = entered(here, "vips", NOW, NOW + MINUTE)
        assert connection.execute(asked.sql, asked.values).all() == []


CAMPAIGNS = {
    "milestone": """
        campaign: milestone
        name: Milestone
        topic: news
        trigger: {type: segment_entered, segment: three_visits}
        steps: [{id: bravo, at: now, email: note/one}]
        """,
    "gone": """
        campaign: gone
        name: Gone
        topic: news
        trigger: {type: segment_left, segment: three_visits}
        steps: [{id: alas, at: now, email: note/two}]
        """,
    "news": """
        campaign: news
        name: News
        topic: news
        trigger: {type: schedule, cron: "30 10 * * *", audience: three_visits}
        where: '"three_visits" in customer.segments'
        steps: [{id: news, at: now, email: note/three}]
        """,
}


async def test_through_sweeps(club: Workshop) -> None:
    condition = parse_condition("visits.last_7d >= 3", club.engine.catalogue)
    segments = (SegmentRule("three_visits", condition, ""),)
    club.engine = replace(club.engine, segments=segments)
    club.vocabulary = replace(club.vocabulary, segments=["three_visits"])
    for name, text in CAMPAIGNS.items():
        club.campaign(text, name)
    always, new = make_customer(club.store), make_customer(club.store)
    for day in (1, 2, 3):
        make_visit(club.store, always, NOW - timedelta(days=day))
    for day in (0, 1):
        make_visit(club.store, new, NOW - timedelta(days=day))
    await club.sweep()
    # NOW is 10:30 in the club: the newsletter's moment.
    assert club.ledger("customer_id", "step") == [(always, "news")]
    make_visit(club.store, new, NOW + MINUTE)
    club.clock.on(minutes=5)
    await club.sweep()
    assert club.ledger("customer_id", "step")[1:] == [(new, "bravo"), (new, "news")]
    club.clock.on(days=5)
    await club.sweep()
    assert ("alas", always) in set(club.ledger("step", "customer_id"))
    assert ("alas", new) not in set(club.ledger("step", "customer_id"))
    await club.sweep()
    steps = [step for step, _ in club.ledger("step", "customer_id") if step != "news"]
    assert sorted(steps) == ["alas", "bravo"]


async def test_an_event_is_filtered_and_answered_at_once(club: Workshop) -> None:
    club.campaign(
        """
        campaign: detractors
        name: Detractors
        topic: news
        trigger: {type: event, name: nps_answered, where: {score: {at_most: 6}}}
        steps: [{id: sorry, at: now, email: note/one}]
        """
    )
    unhappy = make_customer(club.store)
    make_event(club.store, unhappy, "nps_answered", data={"score": 3})
    make_event(club.store, make_customer(club.store), "nps_answered", data={"score": 9})
    make_event(club.store, make_customer(club.store), "nps_answered", data={"score": "3"})
    report = await handle_events(club.engine, plan_sweep(club.engine, club.files))
    assert report is not None and report.admitted == 1
    assert club.ledger("customer_id", "state") == [(unhappy, "accepted")]


SCORES = """\
rules:
  - {event: visit_recorded, points: 5, within: 30d}
  - {event: link_clicked, points: 2}
  - {where: customer.source == "web", points: 20}
"""


def test_a_score_is_what_steps_gave_and_what_the_rules_say(store: Store, tmp_path: Path) -> None:
    (tmp_path / "scores.yaml").write_text(SCORES, encoding="utf-8")
    library = TemplateLibrary(tmp_path, catalogue_of(), ["en"])
    vocabulary = Vocabulary(catalogue_of(), None, {}, (), ("en",), library)
    catalogue = check_scores(tmp_path, vocabulary).catalogue
    club = make_club(store)
    quiet = make_customer(store)
    keen = make_customer(store, source="web", score=7)
    for days in (0, 29, 31, -1):
        make_visit(store, keen, NOW - timedelta(days=days))
    for days in (1, 400, -1):
        make_event(store, keen, "link_clicked", occurred_at=NOW - timedelta(days=days))
    scope = Scope(NOW, NOW.date())
    with store.read() as connection:
        query = select(CUSTOMER.c.id, catalogue["customer.score"].sql(scope))
        scores = {row[0]: row[1] for row in connection.execute(query)}
        assert scores == {quiet: 0, keen: 7 + 2 * 5 + 2 * 2 + 20}
        hot = parse_condition("customer.score > 40", catalogue).sql(scope)
        assert count_of(connection, club, hot) == 1
    assert len(rows_of(store, Customer)) == 2

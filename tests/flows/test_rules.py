"""The files of rules at work: followed while running, and broken ones out of use by themselves."""

import os
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from engines import Clock
from making import NOW, make_club
from sqlalchemy import text

from crm_console import new_club
from crm_store.database import Store
from crm_store.dates import index_custom_dates
from flows.engine import Engine
from flows.followed_plan import FollowedPlan
from flows.project import Project, open_project

CAMPAIGN = """\
campaign: milestone
name: Milestone
topic: greetings
trigger: {type: segment_entered, segment: keen}
where: customer.score > 5
steps: [{id: a, at: now, email: birthday/greeting}]
"""
SEGMENTS = "segments: [{name: keen, where: visits.last_30d > 3}]\n"
SCORES = "rules: [{points: 5, event: visit_recorded}]\n"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    folder = tmp_path / "club"
    facts = new_club.ClubFacts.of("Lotus Fitness", "Asia/Kolkata", "IN", ("en", "hi"))
    new_club.make_club(folder, facts)
    for path in (folder / "campaigns").iterdir():
        path.unlink()
    (folder / "campaigns" / "milestone.yaml").write_text(CAMPAIGN, encoding="utf-8")
    write(folder, SEGMENTS, SCORES)
    return open_project(folder)


_clock = [0]


def write(folder: Path, segments: str, scores: str) -> None:
    for name, words in (("segments.yaml", segments), ("scores.yaml", scores)):
        (folder / name).write_text(words, encoding="utf-8")
        _clock[0] += 1
        # A file is known by its time: two changes within one tick would be one.
        os.utime(folder / name, (_clock[0], _clock[0]))


def test_files_of_rules_are_followed(project: Project, sqlite_store: Store) -> None:
    club, zone = make_club(sqlite_store), ZoneInfo("Asia/Kolkata")
    engine = Engine(
        sqlite_store, club, zone, project.catalogue, project.library, None, {}, Clock(NOW)
    )
    told: list[str] = []
    followed = FollowedPlan(
        project,
        replace(engine, segments=project.rules.segments),
        lambda what, text: told.append(f"{what}: {text.partition('] ')[2][:30] or text}"),
    )
    seen = []
    for segments, scores in (
        (SEGMENTS, SCORES),
        (SEGMENTS.replace("visits", "visit"), SCORES),
        (SEGMENTS, SCORES.replace("5", "many")),
        (SEGMENTS.replace("> 3", "> 4"), SCORES),
    ):
        write(project.folder, segments, scores)
        followed.follow()
        followed.follow()
        disabled = [one.problem.partition("] ")[2][:30] for one in followed.plan.disabled]
        known = [one.condition.text for one in followed.engine.segments]
        seen.append((len(followed.plan.running), disabled, known))
    assert seen == [
        (1, [], ["visits.last_30d > 3"]),
        (0, ["unknown segment `keen`; add it"], []),
        (0, ["unknown field `customer.score`"], ["visits.last_30d > 3"]),
        (1, [], ["visits.last_30d > 4"]),
    ]
    assert told == [
        "warning: unknown segment `keen`; add it",
        "warning: unknown field `customer.score`",
        "ready: the campaign milestone runs again",
    ]


def test_indexes_of_date_fields_are_made_once(store: Store) -> None:
    keys = ["medical_on", "x" * 64, "x" * 63]
    for _ in range(2):
        with store.write() as connection:
            index_custom_dates(connection, keys)
    table = "sqlite_master" if store.is_sqlite else "pg_indexes"
    column = "name" if store.is_sqlite else "indexname"
    query = text(f"SELECT {column} FROM {table} WHERE {column} LIKE 'ix_customer_%'")  # noqa: S608
    with store.read() as connection:
        names = [str(one).split("_")[2] for one in connection.scalars(query)]
    assert (names.count("day"), names.count("year")) == (3, 3)

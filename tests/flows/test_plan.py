"""The plan of a day, and what changed campaign files do to those who are in flight."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from making import make_customer, make_event, make_membership, rows_of

from crm_console.new_club import ClubFacts, make_club
from crm_store.models.campaign import CampaignVersion, Enrollment
from crm_store.models.touchpoint import Touchpoint
from flows.admit import admit
from flows.advance import advance
from flows.campaigns import load_campaigns
from flows.foresight.planning import Change, plan_day
from flows.foresight.play import HandClock
from flows.foresight.scratch_engine import engine_on, engine_on_copy
from flows.project import Project, open_club, open_project

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
"""Half past nine in the club."""
TODAY = date(2026, 11, 22)
RENEWAL = """
campaign: renewal
name: Renewal
topic: renewals
trigger: {type: membership_expiring}
where: '"staff" not in customer.tags'
exit_on: [membership_renewed]
defaults: {time: "10:30", quiet_hours: "21:00-10:00"}
steps:
  - {id: month, at: -30d, email: renewal/heads_up}
  - {id: week, at: -7d, sms: renewal/last_day}
"""


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A club with one campaign, and nobody in it."""
    folder = tmp_path / "lotus"
    make_club(folder, ClubFacts.of("Lotus Fitness", "Asia/Kolkata", "IN", ("en", "hi")))
    for file in (folder / "campaigns").iterdir():
        file.unlink()
    write(folder, RENEWAL)
    return open_project(folder)


def write(folder: Path, campaign: str) -> None:
    (folder / "campaigns" / "renewal.yaml").write_text(campaign)


def members(project: Project, *ending_in: int, tags: tuple[str, ...] = ()) -> list[int]:
    """A member each, whose term ends in so many days."""
    with open_club(project, lambda: NOW) as (store, _):
        made = [make_customer(store, tags=tags) for _ in ending_in]
        for customer, days in zip(made, ending_in, strict=True):
            make_membership(store, customer, ends_on=TODAY + timedelta(days=days))
        return made


def enter(project: Project) -> None:
    """Yesterday's sweep, for real: everyone enters under the file as it is."""
    clock = HandClock(NOW - timedelta(days=1))
    with open_club(project, clock) as (store, _):
        engine = engine_on(project, store, clock)
        running, _ = load_campaigns(store, project.check(), engine.catalogue, clock.now)
        for campaign in running:
            admit(engine, campaign)
            advance(engine, campaign)


def test_today_is_what_is_still_to_come(project: Project) -> None:
    members(project, 30, 30, 7, 31)
    members(project, 30, tags=("staff",))
    plan = plan_day(project, TODAY, NOW)
    assert plan.since == NOW
    assert plan.counts() == Counter(
        {
            ("renewal", "month", "accepted", None): 2,
            ("renewal", "month", "expired", "joined_late"): 1,
            ("renewal", "week", "accepted", None): 1,
        }
    )
    assert plan.left_out == {"renewal": 1}
    assert plan.entering == {"renewal": 4}
    assert plan_day(project, TODAY, NOW + timedelta(hours=13)).counts().keys() <= {
        ("renewal", "month", "planned", "quiet_hours"),
        ("renewal", "week", "planned", "quiet_hours"),
        ("renewal", "month", "expired", "joined_late"),
    }


def test_another_day_is_played_up_to(project: Project) -> None:
    members(project, 30, 31)
    tomorrow = plan_day(project, TODAY + timedelta(days=1), NOW)
    assert tomorrow.counts() == Counter({("renewal", "month", "accepted", None): 1})
    in_a_month = plan_day(project, TODAY + timedelta(days=23), NOW)
    assert in_a_month.counts() == Counter({("renewal", "week", "accepted", None): 1})


def test_the_store_is_only_read(project: Project) -> None:
    members(project, 30)
    database = (project.folder / "sampark.db").read_bytes()
    plan_day(project, TODAY, NOW)
    assert (project.folder / "sampark.db").read_bytes() == database
    with open_club(project, lambda: NOW) as (store, _):
        assert all(rows_of(store, one) == [] for one in (CampaignVersion, Enrollment, Touchpoint))


CHANGES = [
    ("nothing", RENEWAL, None),
    ("a comment", f"# for the office\n{RENEWAL}", None),
    ("another text", RENEWAL.replace("heads_up", "recap"),
     Change("renewal", 1, 2, "finish", {1: 3}, 0, 0)),
    ("a narrower condition", RENEWAL.replace('"staff"', '"vip"'),
     Change("renewal", 1, 2, "finish", {1: 3}, 0, 1)),
    ("an exit that has come, for those to come", RENEWAL.replace("_renewed", "_cancelled"),
     Change("renewal", 1, 2, "finish", {1: 3}, 0, 0)),
    ("and for those in flight", RENEWAL.replace("_renewed", "_cancelled") + "in_flight: move\n",
     Change("renewal", 1, 2, "move", {1: 3}, 1, 0)),
]  # fmt: skip


@pytest.mark.parametrize(("what", "text", "change"), CHANGES, ids=[one[0] for one in CHANGES])
def test_what_a_changed_file_does_to_those_in_flight(
    project: Project, what: str, text: str, change: Change | None
) -> None:
    first, *_ = members(project, 20, 25)
    members(project, 20, tags=("vip",))
    enter(project)
    with open_club(project, lambda: NOW) as (store, _):
        make_event(store, first, "membership_cancelled", occurred_at=NOW - timedelta(hours=1))
    write(project.folder, text)
    assert plan_day(project, TODAY, NOW).changes == ([change] if change else [])


def test_a_file_that_was_put_back_changes_nothing_for_those_under_it(project: Project) -> None:
    members(project, 20, 25)
    enter(project)
    write(project.folder, RENEWAL.replace("heads_up", "recap"))
    enter(project)
    write(project.folder, RENEWAL)
    (change,) = plan_day(project, TODAY, NOW).changes
    assert (change.from_version, change.to_version, change.staying) == (2, 1, {})
    assert change.sentence() == "renewal has changed: nobody is in flight under another version"


def test_a_change_is_told_in_people() -> None:
    stays = Change("renewal", 3, 4, "finish", {2: 1_000, 3: 312}, 0, 41)
    assert stays.sentence() == (
        "renewal has changed: 1,000 in flight stay on version 2; 312 in flight stay on version 3; "
        "41 of them would not be let in any more"
    )
    moves = Change("renewal", 3, 4, "move", {3: 312}, 41, 0)
    assert moves.sentence() == (
        "renewal has changed: 312 in flight move from version 3 to version 4; 41 would now leave"
    )
    new = Change("greeting", None, 1, "finish", {}, 0, 0)
    assert new.sentence() == "greeting is new: nobody is in it yet"


def test_the_copy_is_thrown_away(project: Project) -> None:
    members(project, 30)
    with engine_on_copy(project, HandClock(NOW)) as engine:
        copy = Path(str(engine.store.engine.url.database))
        assert copy.is_file()
    assert not copy.parent.exists()

"""From the sweep to the page: real messages, their links followed by a scanner and by a reader."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from making import make_customer, make_membership, rows_of
from public_site import public_site

from crm_messaging.rehearsal.caught import CaughtMail
from crm_messaging.rehearsal.reading import CaughtEmail
from crm_store.models.all import metadata
from crm_store.models.touchpoint import Touchpoint
from flows.clock import wall_clock
from flows.project import Project, open_club, open_engine, open_project
from flows.sweep import plan_sweep, sweep

MORNING = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
"""11:30 in the club's own zone."""
LINK = re.compile(r"https?://127\.0\.0\.1:4280(/[^\s\"'<>)]+)")


async def swept(project: Project, now: datetime) -> None:
    async with open_engine(project, lambda: now) as engine:
        await sweep(engine, plan_sweep(engine, project.check()))


def caught(mail: CaughtMail) -> list[CaughtEmail]:
    found = [mail.get(entry.key) for entry in mail.newest(channel="email", limit=100)]
    return [one for one in found if isinstance(one, CaughtEmail)]


def everything(project: Project) -> dict[str, list[tuple[object, ...]]]:
    with open_club(project, wall_clock) as (store, _), store.read() as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(table.select())]
            for table in metadata.sorted_tables
            # That a link was followed is noted; by a machine or a person, nobody knows.
            if table.name not in ("club", "event")
        }


async def test_a_scanner_changes_nothing_and_a_reader_is_out_for_good(club: Path) -> None:
    project = open_project(club)
    ends_on = (MORNING + timedelta(days=30)).date()
    with open_club(project, lambda: MORNING) as (store, club_id):
        for language in ("en", "hi"):
            member = make_customer(store, club_id=club_id, language=language)
            make_membership(store, member, ends_on=ends_on)
    await swept(project, MORNING)
    messages = caught(project.caught())
    assert len(messages) == 2
    with open_club(project, wall_clock) as (store, club_id):
        async with public_site(project, store, club_id, clock=lambda: MORNING) as client:
            before = everything(project)
            for message in messages:
                await scanned(client, message)
            assert everything(project) == before
            one_click = dict(messages[0].headers)["List-Unsubscribe"]
            [path] = LINK.findall(one_click)
            answer = await client.post(path, data={"List-Unsubscribe": "One-Click"})
            assert answer.status_code == 200
    await swept(project, MORNING + timedelta(days=16))
    with open_club(project, wall_clock) as (store, _):
        of_whom = rows_of(store, Touchpoint, "customer_id", "step", "state", "reason")
    out = [row for row in of_whom if row[2:] == ("suppressed", "opted_out")]
    sent = [row for row in of_whom if row[2] == "accepted"]
    assert len({row[0] for row in out}) == 1
    assert {row[0] for row in sent if row[1] != "heads_up"}.isdisjoint({row[0] for row in out})


async def scanned(client: httpx.AsyncClient, message: CaughtEmail) -> None:
    """Follow every link of a message, in its headers, its text and its page."""
    headers = dict(message.headers)
    whole = "\n".join((*headers.values(), message.text, message.html or ""))
    paths = set(LINK.findall(whole))
    assert {path.split("/")[1] for path in paths} == {"u", "p", "c"}
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["List-Id"]
    for path in sorted(paths):
        for method in ("GET", "HEAD"):
            answer = await client.request(method, path)
            assert answer.status_code == (302 if path.startswith("/c/") else 200)

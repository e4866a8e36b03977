"""The public web app of a club, served for real on a port of its own."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
from making import NOW

from crm_console.web.public.app import create_public_app
from crm_console.web.public.certificates import Fetch, fetch
from crm_console.web.public.door import Door
from crm_console.web.public.doors import DOORS
from crm_store.database import Store
from flows.clock import Clock
from flows.project import Project, open_project
from flows.web_server import web_server

CLUB = """
club: {{name: Lotus Fitness, timezone: Asia/Kolkata, country: IN, languages: [en], {about}}}
"""


def public_project(
    folder: Path, more: str = "", *, topics: str = "topics: [news]\n", about: str = ""
) -> Project:
    """A club's folder; `more` is added to its club.yaml, and `about` to what that says of it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "club.yaml").write_text(CLUB.format(about=about) + topics + more, encoding="utf-8")
    return open_project(folder)


@asynccontextmanager
async def public_site(
    project: Project,
    store: Store,
    club_id: int,
    *,
    doors: Sequence[Door] = DOORS,
    clock: Clock = lambda: NOW,
    fetch: Fetch = fetch,
) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the site; it believes no proxy of the environment and follows no redirect."""
    app = create_public_app(project, store, club_id, clock, doors, fetch)
    async with (
        web_server(app, "127.0.0.1", 0, setting="public", proxies=["127.0.0.1"]) as url,
        httpx.AsyncClient(base_url=url, trust_env=False, follow_redirects=False) as client,
    ):
        yield client

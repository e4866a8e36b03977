"""`sampark worker`: one more process that hands messages over, beside `sampark up`.

`up` decides who gets what and when: it admits, advances and queues. A worker takes batches of what
is queued, under a lease, as the sweeps of `up` do, and hands them over. So there may be any number,
on any machines, and one that dies leaves what a dead sweep leaves. All share one PostgreSQL
database, and each has the club's folder.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

from crm_store.errors import EnvironmentUnready
from crm_store.models.operation import EVERYTHING
from crm_store.pauses import pauses
from crm_store.touchpoints import count_queued
from flows import prefect_home
from flows.campaigns import RunningCampaign, following
from flows.clock import wall_clock
from flows.club_lock import running_up
from flows.engine import Engine
from flows.followed_plan import FollowedPlan, Say
from flows.intake import LOOK_AT_FILES_S, PAUSES_S, pause
from flows.orchestrate import deliver_as_run
from flows.orchestrator import connected
from flows.project import Project, open_engine
from flows.report import CampaignReport
from flows.showing import Showing
from flows.sweep import SweepPlan
from flows.trouble import class_and_place
from flows.until_told import until_told
from flows.up import FINISH_S
from triggers.check import CheckedFile

log = logging.getLogger(__name__)

LOOK_S = 1.0
PATIENCE = timedelta(seconds=30)
"""How long it stays for what a rate limit holds back, before it looks at other campaigns again."""
REST_S = 60.0
"""A campaign whose delivery failed is left alone so long, and a Prefect that did not answer."""


async def work(project: Project, say: Say) -> None:
    """Deliver until SIGINT or SIGTERM; then finish the batches that are on their way.

    Raises `EnvironmentUnready` when the database is SQLite, or cannot be had. A missing Prefect is
    a warning only.
    """
    if project.settings.database.startswith("sqlite"):
        raise EnvironmentUnready(
            "A worker shares the database with `sampark up`, and this club's is SQLite: one file,"
            " on one machine, with one writer at a time.",
            "Set `database:` in club.yaml to postgresql://…, for `up` and for every worker. On"
            " SQLite, `up` sends alone.",
        )
    await until_told(lambda stop: _work(project, say, stop))


async def _work(project: Project, say: Say, stop: asyncio.Event) -> None:
    prefect_home.enter(project.state_folder)
    async with open_engine(project, wall_clock) as opened:
        engine = replace(opened, patience=PATIENCE, ending=stop)
        followed = FollowedPlan(project, engine, say, plan=_plan)
        await asyncio.to_thread(followed.follow)
        if project.settings.mode == "rehearsal":
            say("rehearsal", f"what this worker sends is caught in {project.caught().folder}")
        rounds = _Rounds(followed, _Prefect(_api(project), say), stop)
        delivering = asyncio.create_task(rounds.go_on())
        say("ready", "what is queued is handed over; stop with Ctrl-C")
        await stop.wait()
        await asyncio.wait([delivering], timeout=FINISH_S)
        delivering.cancel()
        await asyncio.gather(delivering, return_exceptions=True)


def _plan(_engine: Engine, files: list[CheckedFile]) -> SweepPlan:
    """The campaigns whose files are sound; `up` alone writes down new versions of them."""
    return SweepPlan(*following(files))


def _api(project: Project) -> str | None:
    """The Prefect server that shows what `up` does."""
    up = running_up(project.state_folder)
    return prefect_home.named_api(project.settings.prefect) or (up.prefect_api if up else None)


class _Prefect:
    """The server that shows our runs, if there is one and it answers."""

    def __init__(self, api: str | None, say: Say) -> None:
        self._api, self._say = api, say
        self._lost = "" if api else "`prefect: {api_url: …}` in club.yaml names no server"
        self._again = 0.0
        if self._lost:
            self._tell()

    @asynccontextmanager
    async def shows(self) -> AsyncIterator[Showing]:
        """For one round: its runs are shown, or done without."""
        loop, showing = asyncio.get_running_loop(), Showing()
        if self._api is None or loop.time() < self._again:
            showing.lost = self._lost
            yield showing
            return
        async with connected(self._api, showing):
            yield showing
        news, self._lost = showing.lost not in (None, self._lost), showing.lost or ""
        if self._lost:
            self._again = loop.time() + REST_S
        if news:
            self._tell()

    def _tell(self) -> None:
        why = self._lost.rstrip(".")
        self._say("warning", f"Prefect shows nothing of it: {why}. Sending goes on.")


class _Rounds:
    """Look what is queued, and hand it over; again and again."""

    def __init__(self, followed: FollowedPlan, prefect: _Prefect, stop: asyncio.Event) -> None:
        self._followed, self._prefect, self._stop = followed, prefect, stop
        self._seen: set[str] = set()
        self._rests: dict[str, float] = {}

    async def go_on(self) -> None:
        """Until it is to end; a database that is away is waited for."""
        loop = asyncio.get_running_loop()
        failures, looked_at = 0, loop.time()
        while not self._stop.is_set():
            try:
                if loop.time() - looked_at >= LOOK_AT_FILES_S:
                    await asyncio.to_thread(self._followed.follow)
                    looked_at = loop.time()
                if due := await asyncio.to_thread(self._due, loop.time()):
                    await self._deliver(due)
            except Exception as error:
                log.warning("a worker's round failed: %s", class_and_place(error))
                await pause(self._stop, PAUSES_S[min(failures, len(PAUSES_S) - 1)])
                failures += 1
                continue
            failures = 0
            await pause(self._stop, LOOK_S)

    def _due(self, now_s: float) -> list[tuple[RunningCampaign, int]]:
        """Campaigns with something queued, and how much of it."""
        engine = self._followed.engine
        running = {one.slug: one for one in self._followed.plan.running}
        with engine.store.read() as connection:
            paused = {one.campaign for one in pauses(connection)}
            queued = count_queued(connection, engine.club_id, running, engine.clock())
        awake = {} if EVERYTHING in paused else {one: queued[one] for one in queued.keys() - paused}
        # What `up` queues it delivers at once: only what is there the second time is too much.
        before, self._seen = self._seen, set(awake)
        return [
            (running[slug], number)
            for slug, number in sorted(awake.items())
            if slug in before and self._rests.get(slug, 0.0) <= now_s
        ]

    async def _deliver(self, due: Sequence[tuple[RunningCampaign, int]]) -> None:
        async with self._prefect.shows() as showing, asyncio.TaskGroup() as group:
            for campaign, number in due:
                group.create_task(self._deliver_one(showing, campaign, number))

    async def _deliver_one(self, showing: Showing, campaign: RunningCampaign, number: int) -> None:
        report = CampaignReport(campaign.slug, due=number)
        try:
            await deliver_as_run(showing, self._followed.engine, campaign, report)
        except Exception as error:
            log.warning("campaign %s failed: %s", campaign.slug, class_and_place(error))
            self._rests[campaign.slug] = asyncio.get_running_loop().time() + REST_S

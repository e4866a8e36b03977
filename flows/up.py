"""`sampark up`: everything a club needs, in one command, until it is told to stop.

    this process    event intake, console, public pages, catchers of a rehearsal, a sweep when
                    one is overdue
    child           the Prefect server and its UI
    child           the schedule: it starts each sweep in a process of its own

Sending needs neither child. If one ends it is started again.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import TypeAlias

from crm_messaging.rehearsal.running import catchers
from crm_store.errors import EnvironmentUnready
from crm_store.models.operation import EVERYTHING
from crm_store.pauses import Paused, pauses
from flows import prefect_home
from flows.bounces import watch_mailbox
from flows.clock import wall_clock
from flows.club_lock import Running, only_one
from flows.engine import Engine
from flows.followed_plan import FollowedPlan, Say
from flows.intake import pause, take_in
from flows.last_sweep import note_sweep, since_last_sweep
from flows.orchestrate import sweep_as_run
from flows.orchestrator import connected
from flows.prefect_server import HOST, prefect_server
from flows.project import Project, open_engine
from flows.serving import serving
from flows.showing import Showing
from flows.telling import EventTelling
from flows.trouble import class_and_place
from flows.until_told import until_told
from flows.web_server import AsgiApp, web_server

log = logging.getLogger(__name__)

PublicApp: TypeAlias = Callable[[Engine], AsgiApp]
"""Makes the web app that faces the internet, once the store is open."""

PREFECT_PATIENCE_S = 60.0
"""An overdue sweep waits so long for Prefect at the start, so that it can be shown."""
RESTART_S = 10.0
FINISH_S = 30.0
"""What is being sent when the stop comes may take so long to be finished."""


async def up(
    project: Project, say: Say, console: AsgiApp | None = None, public: PublicApp | None = None
) -> None:
    """Run everything until SIGINT or SIGTERM; then finish what is begun and end all children.

    Raises `EnvironmentUnready` when another one runs for this folder, or when the database, or
    a port of its own, cannot be had. A missing Prefect is a warning only.
    """
    await until_told(lambda stop: _up(project, say, console, public, stop))


async def _up(
    project: Project,
    say: Say,
    console: AsgiApp | None,
    public: PublicApp | None,
    stop: asyncio.Event,
) -> None:
    settings = project.settings
    named = prefect_home.named_api(settings.prefect)
    api = named or f"http://{HOST}:{settings.prefect.port}/api"
    with only_one(project.state_folder, Running(os.getpid(), api)):
        prefect_home.enter(project.state_folder)
        async with _front(project, say, console, public) as followed:
            followed.engine = replace(followed.engine, ending=stop)
            ready = asyncio.Event()
            telling = EventTelling(api)
            in_hand = [
                asyncio.create_task(take_in(followed, telling.hear, stop)),
                asyncio.create_task(_sweep_when_overdue(project, followed, api, ready, stop)),
                asyncio.create_task(watch_mailbox(project, followed.engine, stop)),
            ]
            beside = [
                asyncio.create_task(_keep(lambda: _prefect(project, named, say, ready), say)),
                asyncio.create_task(_keep(telling.tell, say)),
            ]
            say("ready", "messages leave as they fall due; stop with Ctrl-C")
            await stop.wait()
            await _end(in_hand, beside)


@asynccontextmanager
async def _front(
    project: Project, say: Say, console: AsgiApp | None, public: PublicApp | None
) -> AsyncIterator[FollowedPlan]:
    """The parts that must be there: catchers, engine, console, the pages for the internet."""
    settings = project.settings
    async with AsyncExitStack() as stack:
        if settings.mode == "rehearsal":
            ports = settings.catchers
            caught = catchers(
                project.caught().folder, mail_port=ports.smtp_port, sms_port=ports.sms_port
            )
            where = await stack.enter_async_context(caught)
            say("rehearsal", f"mail is caught on port {where.mail}, text messages on {where.sms}")
        engine = await stack.enter_async_context(open_engine(project, wall_clock))
        followed = FollowedPlan(project, engine, say)
        await asyncio.to_thread(followed.follow)
        for paused in await asyncio.to_thread(_pauses, engine):
            what, name = paused.campaign, f" {paused.campaign}"
            if what == EVERYTHING:
                what, name = "everything", ""
            say("warning", f"{what} is paused: {paused.reason}. To go on: sampark resume{name}")
        if console is not None:
            at = settings.console
            serving_it = web_server(console, at.host, at.port, setting="console")
            say("console", await stack.enter_async_context(serving_it))
        if public is not None:
            at_edge = settings.public
            serving_it = web_server(
                public(engine),
                at_edge.host,
                at_edge.port,
                setting="public",
                proxies=at_edge.proxies,
            )
            say("public", await stack.enter_async_context(serving_it))
        yield followed


def _pauses(engine: Engine) -> list[Paused]:
    with engine.store.read() as connection:
        return pauses(connection)


async def _prefect(project: Project, named: str | None, say: Say, ready: asyncio.Event) -> None:
    """The Prefect server, unless another's is named, and the schedule; until one of them ends."""
    async with AsyncExitStack() as stack:
        api, watched = named, []
        if api is None:
            server = prefect_server(project.state_folder, port=project.settings.prefect.port)
            started = await stack.enter_async_context(server)
            api, watched = started.api, [started.process]
        watched.append(await stack.enter_async_context(serving(project, api)))
        say("prefect", api.removesuffix("/api"))
        ready.set()
        ends = [asyncio.create_task(process.wait()) for process in watched]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
    raise EnvironmentUnready("A part of Prefect has ended.", "It is started again.")


async def _keep(part: Callable[[], Awaitable[None]], say: Say) -> None:
    """Start a part again when it fails; sending does not depend on it."""
    while True:
        try:
            await part()
        except EnvironmentUnready as error:
            say("warning", f"{error} Sending goes on without it.")
        except Exception as error:
            log.warning("a part of `up` failed: %s", class_and_place(error))
        await asyncio.sleep(RESTART_S)


async def _sweep_when_overdue(
    project: Project,
    followed: FollowedPlan,
    api: str,
    ready: asyncio.Event,
    stop: asyncio.Event,
) -> None:
    """Sweep here when the schedule has not done it for twice its interval."""
    every = project.settings.sweep.every
    waiting = asyncio.create_task(ready.wait())
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait(
        [waiting, stopped], timeout=PREFECT_PATIENCE_S, return_when=asyncio.FIRST_COMPLETED
    )
    waiting.cancel()
    while not stop.is_set():
        since = since_last_sweep(project.state_folder)
        if since is None or since > 2 * every:
            showing = Showing()
            try:
                await asyncio.to_thread(followed.follow)
                async with connected(api, showing):
                    await sweep_as_run(
                        showing, followed.engine, followed.plan, folder=project.folder
                    )
                note_sweep(project.state_folder)
            except Exception as error:
                log.warning("a sweep failed: %s", class_and_place(error))
        await pause(stop, min(every.total_seconds(), 60) / 2)
    stopped.cancel()


async def _end(in_hand: list[asyncio.Task[None]], beside: list[asyncio.Task[None]]) -> None:
    """Let what is in hand finish, within reason; then end the rest, children with them."""
    await asyncio.wait(in_hand, timeout=FINISH_S)
    for task in (*in_hand, *beside):
        task.cancel()
    await asyncio.gather(*in_hand, *beside, return_exceptions=True)

"""Reaching Prefect: which server shows our runs, and a client to it while the context is open."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module

from crm_store.errors import EnvironmentUnready
from flows import prefect_home
from flows.club_lock import running_up
from flows.prefect_server import is_healthy, prefect_server
from flows.project import Project
from flows.showing import Showing

FLUSH_LIMIT_S = 5.0


@asynccontextmanager
async def orchestrator(project: Project, showing: Showing) -> AsyncIterator[None]:
    """Have Prefect show runs while the context is open; `showing.lost` says when it can't.

    The server is, in this order: the one that club.yaml names, the one that the environment's
    PREFECT_API_URL names, that of a running `sampark up`, one started for this run alone.
    """
    prefect_home.enter(project.state_folder)
    async with AsyncExitStack() as stack:
        try:
            api = await stack.enter_async_context(_server(project))
        except EnvironmentUnready as error:
            showing.lost = str(error)
        else:
            await stack.enter_async_context(connected(api, showing))
        yield


@asynccontextmanager
async def connected(api: str, showing: Showing) -> AsyncIterator[None]:
    """Have the server at `api` show runs while the context is open, as `orchestrator` does."""
    stack = AsyncExitStack()
    try:
        await stack.enter_async_context(_client(api, showing))
    except Exception as error:
        # Sending goes on without Prefect, whatever is wrong with it.
        showing.lost = why_lost(error)
    try:
        yield
    finally:
        try:
            await stack.aclose()
        except Exception as error:
            showing.lost = why_lost(error)


def why_lost(error: Exception) -> str:
    """What to say of Prefect's failure: our own words, else the class of its error."""
    ours = isinstance(error, EnvironmentUnready)
    return str(error) if ours else f"Prefect failed: {type(error).__name__}"


@asynccontextmanager
async def _client(api: str, showing: Showing) -> AsyncIterator[None]:
    """One client for all runs of this process: a run costs half as much."""
    if not await is_healthy(api):
        reason = f"No Prefect server answers at {api}."
        raise EnvironmentUnready(reason, "Start it, or wait for it.")
    # A second or two, in which others in this loop have work to do.
    await asyncio.to_thread(import_module, "flows.runs")
    from prefect.context import AsyncClientContext, SyncClientContext
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker
    from prefect.settings import PREFECT_API_URL, temporary_settings

    # Its words go to the run's log in the UI, not to our terminal, and its log worker's troubles
    # with the connection nowhere: `showing.lost` says what there is to say.
    loud = logging.getLogger("prefect")
    loud.propagate = False
    if not loud.handlers:
        loud.addHandler(logging.NullHandler())
    for worker in (EventsWorker, APILogWorker):
        # These two have loggers of their own, outside Prefect's.
        logging.getLogger(worker.__name__).setLevel(logging.CRITICAL)
    logging.raiseExceptions = False
    with temporary_settings({PREFECT_API_URL: api}):
        async with AsyncClientContext.get_or_create():
            with SyncClientContext.get_or_create():
                yield
        limit_s = FLUSH_LIMIT_S if showing.lost is None else 0.5
        for worker in (EventsWorker, APILogWorker):
            # What they still hold must leave before the server goes.
            await asyncio.to_thread(worker.drain_all, timeout=limit_s)


@asynccontextmanager
async def _server(project: Project) -> AsyncIterator[str]:
    up = running_up(project.state_folder)
    api = prefect_home.named_api(project.settings.prefect) or (up.prefect_api if up else None)
    if api is not None:
        yield api
        return
    async with prefect_server(project.state_folder, for_one_run=True) as server:
        yield server.api

"""The web app that faces the internet: links of messages, forms, webhooks. No staff page is here.

It sets no cookie, sends nobody elsewhere but to stored addresses, and says nothing of what it is
made of. What it takes in is verified, committed, and only then answered with 2xx; when the
database is away it says 503, and the sender comes again.
"""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TypeAlias

from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import PlainTextResponse, Response
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from starlette.exceptions import HTTPException

from crm_console.web.public.certificates import Fetch, fetch
from crm_console.web.public.door import Door
from crm_console.web.public.doors import DOORS
from crm_console.web.public.guard import Guard
from crm_console.web.public.premises import Premises
from crm_console.web.public.receiving import Receiving, Unstorable
from crm_store.database import Store
from crm_store.errors import EnvironmentUnready
from flows.clock import Clock
from flows.project import Project
from flows.trouble import class_and_place
from flows.web_server import AsgiApp

log = logging.getLogger(__name__)

Lasts: TypeAlias = Callable[[FastAPI], AbstractAsyncContextManager[None]]
"""What is done when an app begins and when it ends."""

RETRY_AFTER_S = 60
PATIENCE_S = 5.0
"""So long a request waits for others who write, and for a connection. Who presses a button waits
no longer, nor does a mail program that unsubscribes her: it is better told to come again."""

_WORDS = {
    400: "This cannot be read.",
    401: "This is not from whom it says.",
    403: "This is not from whom it says.",
    404: "There is nothing here.",
    405: "Not in this way.",
    415: "Not in this format.",
}


def create_public_app(
    project: Project,
    store: Store,
    club_id: int,
    clock: Clock,
    doors: Sequence[Door] = DOORS,
    fetch: Fetch = fetch,
) -> AsgiApp:
    """The public app of one club, its schema up to date.

    Raises `EnvironmentUnready` when a door lacks what it needs to tell friend from foe.
    """
    store = store.impatient(PATIENCE_S)
    premises = Premises(project, store, club_id, clock, fetch, Receiving(store, club_id, clock))
    # An app for each door: the guard knows which is meant, and nobody searches all their paths.
    rooms = [(door, _app(door.routes(premises))) for door in doors]
    https = project.settings.public.url.startswith("https://")
    return Guard(rooms, elsewhere=_app(lasts=_closing(store)), https=https)


def _closing(store: Store) -> Lasts:
    """Closes the store's connections when the server has ended."""

    @asynccontextmanager
    async def open_as_long(_app: FastAPI) -> AsyncIterator[None]:
        yield
        store.close()

    return open_as_long


def _app(routes: APIRouter | None = None, lasts: Lasts | None = None) -> FastAPI:
    # A redirect to the path with or without a slash would take the host's name from the request.
    app = FastAPI(openapi_url=None, redirect_slashes=False, lifespan=lasts)
    if routes is not None:
        app.include_router(routes)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _unreadable)
    app.add_exception_handler(Unstorable, _unreadable)
    for away in (EnvironmentUnready, OperationalError, InterfaceError, NoConnectionFree):
        app.add_exception_handler(away, _away)
    app.add_exception_handler(DBAPIError, _away_if_cut_off)
    app.add_exception_handler(Exception, _failed)
    return app


def _refused(_request: Request, error: Exception) -> Response:
    """In a few words: what exactly was wrong helps only who is trying things."""
    if not isinstance(error, HTTPException):
        raise error
    words = _WORDS.get(error.status_code, "That did not work.")
    return PlainTextResponse(words, error.status_code, headers=error.headers)


def _unreadable(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse(_WORDS[400], 400)


def _away(_request: Request, error: Exception) -> Response:
    log.warning("the database is away for a public page: %s", class_and_place(error))
    return PlainTextResponse(
        "Not now. Please come again in a minute.",
        503,
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )


def _away_if_cut_off(request: Request, error: Exception) -> Response:
    """A connection that broke in the middle comes as any error of the driver's."""
    if isinstance(error, DBAPIError) and error.connection_invalidated:
        return _away(request, error)
    raise error


def _failed(_request: Request, _error: Exception) -> Response:
    return PlainTextResponse("Something went wrong here.", 500)

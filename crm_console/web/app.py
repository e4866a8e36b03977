"""The console in the browser: pages from templates, no script, nothing loaded from elsewhere."""

from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.middleware.base import RequestResponseEndpoint
from starlette.middleware.trustedhost import TrustedHostMiddleware

from crm_console.web.outbox import outbox_routes
from crm_console.web.showing import Pages
from crm_messaging.rehearsal.caught import CaughtMail

_HERE = Path(__file__).parent

THIS_MACHINE = ("127.0.0.1", "localhost")

_SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; frame-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


def create_app(
    caught: CaughtMail, club_name: str, zone: ZoneInfo, *, hosts: Sequence[str] = THIS_MACHINE
) -> FastAPI:
    """The console of one club.

    It answers only to the names in `hosts`: a page elsewhere could otherwise give its own
    name this machine's address and read along (DNS rebinding).
    """
    app = FastAPI(title=f"Sampark · {club_name}", openapi_url=None)
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=list(hosts))
    pages = Pages(_HERE / "pages", club_name, zone)
    app.mount("/static", StaticFiles(directory=_HERE / "static"))
    app.include_router(outbox_routes(caught, pages))

    @app.get("/")
    def first_page() -> RedirectResponse:
        return RedirectResponse("/outbox", 303)

    @app.exception_handler(HTTPException)
    def problem(_request: Request, error: HTTPException) -> Response:
        return pages.show("problem.html", status=error.status_code)

    @app.exception_handler(RequestValidationError)
    def unreadable(_request: Request, _error: RequestValidationError) -> Response:
        return pages.show("problem.html", status=400)

    @app.middleware("http")
    async def guard(request: Request, call_next: RequestResponseEndpoint) -> Response:
        response = await call_next(request)
        for name, value in _SECURITY_HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    return app


async def serve(app: FastAPI, *, port: int, host: str = THIS_MACHINE[0]) -> None:
    """Serve until interrupted. No access log: what people search for is in the URLs."""
    config = uvicorn.Config(
        app, host=host, port=port, log_config=None, access_log=False, server_header=False
    )
    await uvicorn.Server(config).serve()

"""The outbox of a rehearsal: what would have left, looked at closely.

A caught message is hostile until proven otherwise. Its HTML is only ever served from a URL of
its own, into a frame, under a policy that loads and runs nothing. A link that a person clicks
opens a window of its own.
"""

import re
from itertools import groupby
from typing import Annotated, Literal

from fastapi import APIRouter, HTTPException, Query
from fastapi.responses import HTMLResponse, Response

from crm_console.web.showing import Pages
from crm_messaging.rehearsal.caught import CaughtMail
from crm_messaging.rehearsal.reading import CaughtEmail, CaughtSms

PAGE_SIZE = 50

_MAIL_POLICY = (
    "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none';"
    " style-src 'unsafe-inline'; img-src data:;"
    " form-action 'none'; base-uri 'none'; frame-ancestors 'self'"
)
# It counts wherever it stands; at the end it leaves the message's own beginning as it is.
_LINKS_OPEN_A_WINDOW = '<base target="_blank">'
_REMOTE_IMAGE = re.compile(r"""(?:src|background)\s*=\s*["']?\s*https?:|url\(["']?https?:""", re.I)

View = Literal["desktop", "phone", "text", "headers"]


def outbox_routes(caught: CaughtMail, pages: Pages) -> APIRouter:
    """The list, each message, and the two forms in which it can be had raw."""
    routes = APIRouter(prefix="/outbox")

    @routes.get("")
    def outbox(
        channel: Literal["email", "sms", ""] = "",
        q: Annotated[str, Query(max_length=200)] = "",
        page: Annotated[int, Query(ge=1, le=1_000_000)] = 1,
    ) -> HTMLResponse:
        chosen = channel or None
        counts = {
            "": caught.count(words=q),
            "email": caught.count(channel="email", words=q),
            "sms": caught.count(channel="sms", words=q),
        }
        entries = caught.newest(
            channel=chosen, words=q, offset=(page - 1) * PAGE_SIZE, limit=PAGE_SIZE
        )
        return pages.show(
            "outbox.html",
            days=[
                (label, list(some))
                for label, some in groupby(entries, lambda entry: pages.day(entry.caught_at))
            ],
            shown=len(entries),
            counts=counts,
            channel=channel,
            q=q,
            page=page,
            first=(page - 1) * PAGE_SIZE + 1,
            last_page=max(1, -(-counts[channel] // PAGE_SIZE)),
        )

    @routes.get("/{key}")
    def message(key: str, view: View = "desktop") -> HTMLResponse:
        entry, found = caught.summary(key), caught.get(key)
        if entry is None or found is None:
            raise HTTPException(404)
        if isinstance(found, CaughtSms):
            return pages.show("sms.html", entry=entry, sms=found)
        shown = view if found.html or view == "headers" else "text"
        return pages.show(
            "email.html",
            entry=entry,
            mail=found,
            sender=next((v for n, v in found.headers if n.lower() == "from"), found.sender),
            view=shown,
            has_remote_images=_REMOTE_IMAGE.search(found.html) is not None,
        )

    @routes.get("/{key}/html")
    def html(key: str) -> HTMLResponse:
        found = caught.get(key)
        if not isinstance(found, CaughtEmail):
            raise HTTPException(404)
        return HTMLResponse(
            (found.html + _LINKS_OPEN_A_WINDOW).encode("utf-8", "replace"),
            headers={"Content-Security-Policy": _MAIL_POLICY},
        )

    @routes.get("/{key}/raw")
    def raw(key: str) -> Response:
        entry, stored = caught.summary(key), caught.raw(key)
        if entry is None or stored is None:
            raise HTTPException(404)
        name, kind = (
            (f"{key}.eml", "message/rfc822")
            if entry.channel == "email"
            else (f"{key}.json", "application/json")
        )
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(stored, media_type=kind, headers=headers)

    return routes

"""The door behind counted links (`/c`): it leads to the stored address, and nowhere else.

Nothing of the request decides where: an address that is not stored cannot be reached. That a link
was followed is recorded once for each message. Machines follow links too: only what comes too soon
for a person is told apart, and HEAD, with which nobody reads, is not recorded.
"""

from fastapi import APIRouter, HTTPException
from fastapi.responses import RedirectResponse, Response

from crm_console.web.public.door import Allowance, Counted, Door
from crm_console.web.public.premises import Premises
from crm_messaging.links import BadToken, Links
from crm_messaging.message_links import CLICK_PATH
from crm_store.tracked_links import record_click, target_of


def _routes(premises: Premises) -> APIRouter:
    router, links = APIRouter(), Links(premises.store.keys)

    @router.get(f"{CLICK_PATH}/{{token}}")
    def followed(token: str) -> Response:
        return _lead(token, record=True)

    @router.head(f"{CLICK_PATH}/{{token}}")
    def looked_at(token: str) -> Response:
        return _lead(token, record=False)

    def _lead(token: str, *, record: bool) -> Response:
        try:
            click = links.read_click(token)
        except BadToken:
            raise HTTPException(404) from None
        with premises.store.read() as connection:
            target = target_of(connection, click.link_id)
        if target is None:
            raise HTTPException(404)
        if record:
            now = premises.clock()
            premises.store.transact(record_click, target, click.touchpoint_id, now)
        return RedirectResponse(target.url, 302)

    return router


CLICKS = Door(
    CLICK_PATH, _routes, allowance=Allowance(burst=60, per_minute=30, counts=Counted.REFUSALS)
)

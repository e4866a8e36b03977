"""Meta lead ads tell the ids of leads; their answers are asked for one by one."""

from dataclasses import replace
from typing import TYPE_CHECKING

import httpx

from crm_messaging.webhooks.posted import Malformed, Posted, each, text
from crm_store.inbox import Taken
from flows.leads.formats import as_json
from flows.leads.settings import MetaForm
from flows.reading import Ask, NotYet, Unreadable

if TYPE_CHECKING:
    from flows.engine import Engine

PATIENCE_S = 10.0
MOST_AT_ONCE = 100
"""Leads that one message may tell of: Meta sends far fewer."""


def lead_ids(posted: Posted) -> list[str]:
    """The ids in ``entry[].changes[]{field: leadgen, value: {leadgen_id}}``. Raises `Malformed`."""
    return [
        text(change, "value", "leadgen_id")
        for entry in each(posted.object, "entry")
        for change in each(entry, "changes")
        if text(change, "field") == "leadgen" and text(change, "value", "leadgen_id").isdecimal()
    ][:MOST_AT_ONCE]


def asks_meta(form: MetaForm) -> Ask:
    """Asks for the leads of a message with the page's token."""

    async def ask(_engine: "Engine", message: Taken) -> Taken:
        if form.token is None:
            raise NotYet("The page's token is missing: set SAMPARK_FORMS__…__TOKEN in .env.")
        try:
            ids = lead_ids(Posted(message.body, message.headers))
        except Malformed as error:
            raise Unreadable(error.reason, error.instruction) from error
        leads = []
        token = form.token.get_secret_value()
        async with httpx.AsyncClient(timeout=PATIENCE_S, trust_env=False) as client:
            for one in ids:
                # In a header: an address with a token in it ends up in logs.
                answer = await client.get(
                    f"{form.api}/{one}", headers={"Authorization": f"Bearer {token}"}
                )
                if not answer.is_success:
                    raise NotYet(f"Meta answered HTTP {answer.status_code} for a lead.")
                leads.append(answer.json())
        return replace(message, body=as_json(leads))

    return ask

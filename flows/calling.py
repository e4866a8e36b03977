"""Make the calls of a batch: what a `webhook` step tells another system."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection

from crm_messaging.calls import CallTexts
from crm_messaging.message import OutgoingCall
from crm_messaging.render import RenderError
from crm_store import field_values
from crm_store.scope import Scope
from crm_store.touchpoints import Claimed
from flows.engine import Engine
from triggers.definition import CampaignDefinition


def calls_of(
    engine: Engine,
    connection: Connection,
    definition: CampaignDefinition,
    batch: Sequence[Claimed],
    scope: Scope,
) -> Iterator[tuple[Claimed, OutgoingCall | RenderError]]:
    """Each touchpoint with its call, or with why it cannot be made."""
    alike: dict[tuple[str, str], list[Claimed]] = defaultdict(list)
    for one in batch:
        alike[one.step, one.variant].append(one)
    for (step, variant), same in alike.items():
        webhook = definition.act(step, variant).action.webhook
        if webhook is None:
            raise ValueError(f"the step {step} calls nobody")
        language = engine.library.languages[0]
        catalogue = engine.library.text_catalogue
        texts = CallTexts(webhook.url, webhook.data, catalogue, language)
        ids = [one.enrollment_id for one in same]
        rows = field_values.of_enrolled(connection, engine.catalogue, texts.fields, ids, scope)
        for one in same:
            try:
                yield one, texts.call(one, rows[one.enrollment_id], definition.campaign)
            except RenderError as error:
                yield one, error

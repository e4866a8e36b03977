"""Delivery on a scratch store: the queue is taken and the gate asked, and no message leaves.

None is made either, but those that speak of an event: see `flows.foresight.wording`.
"""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from crm_store import touchpoints
from crm_store.foresight import accept_claimed
from crm_store.models.touchpoint import State
from crm_store.touchpoints import Claimed
from flows.campaigns import RunningCampaign, version_of
from flows.engine import Engine
from flows.foresight.wording import not_to_be_made
from flows.prepare import Prepared, judge, take
from flows.report import CampaignReport
from flows.sweep import DeliverCampaign

BATCH = 5_000
"""Larger than a real one: nothing is handed over, so nobody waits for the rest of it."""

OnAccepted: TypeAlias = Callable[[str, Sequence[Claimed]], None]
"""Told of each batch that counts as handed over: the campaign, and its touchpoints."""


def settling(on_accepted: OnAccepted) -> DeliverCampaign:
    """Delivery as if every server took every message at once."""

    async def settle(engine: Engine, campaign: RunningCampaign, report: CampaignReport) -> None:
        handled = 0
        while handled < report.due and (taken := take(engine, campaign, BATCH)) is not None:
            version_id = taken.batch[0].version_id
            version = version_of(campaign, version_id, engine.store, engine.catalogue)
            prepared = Prepared(taken.token, version.definition, taken.at)
            with engine.store.read() as connection:
                allowed, facts = judge(engine, connection, taken, prepared)
                scope = engine.scope(version.definition, taken.at)
                unmade = not_to_be_made(
                    engine, connection, version.definition, allowed, facts, scope
                )
            if unmade:
                prepared.rulings += unmade
                stopped = {one.id for one in unmade}
                allowed = [one for one in allowed if one.id not in stopped]
            with engine.store.write() as connection:
                touchpoints.rule(connection, prepared.rulings, taken.token, taken.at)
                accept_claimed(connection, [one.id for one in allowed], taken.token, taken.at)
            handled += len(taken.batch)
            report.outcomes += prepared.outcomes()
            report.outcomes[State.ACCEPTED, None] += len(allowed)
            on_accepted(campaign.slug, allowed)

    return settle

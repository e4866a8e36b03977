"""A delivery that is cancelled: what has not begun to leave is there for the next, at once."""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from engines import LEADS, Workshop
from making import make_customer, make_event, rows_of

from crm_messaging.channels.limits import EmailLimits
from crm_store.models.touchpoint import Touchpoint
from flows.admit import admit
from flows.advance import advance
from flows.deliver import deliver
from flows.report import CampaignReport
from flows.sweep import plan_sweep
from flows.traffic import Traffic

MANY = 60


def states(club: Workshop) -> Counter[str]:
    return Counter(state for (state,) in rows_of(club.store, Touchpoint, "state"))


@pytest.mark.parametrize("limits", [None, {"per_second": 200}], ids=["no limit", "a limit"])
async def test_at_any_moment_nothing_stays_claimed(
    lite_club: Workshop, limits: dict[str, float] | None
) -> None:
    """Cancelled ever later, until all is sent."""
    club = lite_club
    club.campaign(LEADS)
    for _ in range(MANY):
        make_event(club.store, make_customer(club.store))
    traffic = Traffic({"email": EmailLimits.model_validate(limits)}) if limits else Traffic()
    club.engine = replace(club.engine, traffic=traffic, patience=timedelta(minutes=1))
    [campaign] = plan_sweep(club.engine, club.files).running
    admit(club.engine, campaign)
    advance(club.engine, campaign)
    after_s, interrupted = 0.0, 0
    while states(club)["accepted"] + states(club)["sending"] < MANY:
        report = CampaignReport(campaign.slug)
        delivery = asyncio.create_task(deliver(club.engine, campaign, report))
        await asyncio.sleep(after_s)
        interrupted += delivery.cancel()
        with suppress(asyncio.CancelledError):
            await delivery
        assert set(states(club)) <= {"queued", "sending", "accepted"}
        after_s = after_s * 1.1 + 0.0005
    assert interrupted > 3
    assert states(club)["accepted"] <= len(club.caught_ids()) <= MANY
    assert len(set(club.caught_ids())) == len(club.caught_ids())

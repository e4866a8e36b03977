"""A delivery that ends early: what is on the wire is finished, the rest is there for the next."""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest
from delivery_playing import mail_through
from engines import LEADS, Workshop
from making import make_customer, make_event, rows_of
from smtp_script import scripted
from sqlalchemy import text

from crm_messaging.channels.limits import EmailLimits
from crm_store.models.touchpoint import Touchpoint
from flows import delivery
from flows.admit import admit
from flows.advance import advance
from flows.deliver import deliver
from flows.delivery import Delivery
from flows.prepare import LEASE, prepare
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
        running = asyncio.create_task(deliver(club.engine, campaign, report))
        await asyncio.sleep(after_s)
        interrupted += running.cancel()
        with suppress(asyncio.CancelledError):
            await running
        assert set(states(club)) <= {"queued", "sending", "accepted"}
        after_s = after_s * 1.1 + 0.0005
    assert interrupted > 3
    assert states(club)["accepted"] <= len(club.caught_ids()) <= MANY
    assert len(set(club.caught_ids())) == len(club.caught_ids())


async def test_an_error_puts_nothing_in_doubt_that_is_on_the_wire(lite_club: Workshop) -> None:
    """One line of several fails; the server takes its time."""
    club = lite_club
    club.campaign(LEADS)
    for n in range(MANY):
        domain = "slow.example" if n == 11 else "quick.example"
        make_event(club.store, make_customer(club.store, email=f"l{n}@{domain}"))
    limits = {"providers": {"slow": {"domains": ["slow.example"], "per_second": 1}}}
    traffic = Traffic({"email": EmailLimits.model_validate(limits)})
    club.engine = replace(club.engine, traffic=traffic)
    with club.store.write() as connection:
        connection.execute(text("DROP TABLE limit_use"))
    async with scripted() as server, mail_through(club, server.port):
        server.seconds_before_each_reply = 0.1
        report = await club.sweep()
        assert report.campaigns[0].failed
        assert 0 < len(server.taken) < MANY / 2, "nothing more is begun"
        assert states(club) == {
            "accepted": len(server.taken),
            "queued": MANY - len(server.taken),
        }


async def test_leases_are_kept_of_all_that_is_in_hand_and_after_the_store_was_away(
    lite_club: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also of a batch that waits for its turn behind a slow server."""
    monkeypatch.setattr(delivery, "RENEWED_EVERY", timedelta(milliseconds=40))
    club = lite_club
    club.engine = replace(club.engine, store=club.store.impatient(0.05))
    club.campaign(LEADS)
    make_event(club.store, make_customer(club.store))
    [campaign] = plan_sweep(club.engine, club.files).running
    admit(club.engine, campaign)
    advance(club.engine, campaign)
    batch = prepare(club.engine, campaign)
    assert batch is not None
    async with Delivery(club.engine) as under_way:
        under_way.in_hand.add(batch.token)
        club.clock.on(minutes=15)
        with club.store.write():
            await asyncio.sleep(0.3)  # it is away
        await asyncio.sleep(0.3)
        assert rows_of(club.store, Touchpoint, "lease_until") == [(club.clock.now + LEASE,)]
    assert rows_of(club.store, Touchpoint, "state", "lease_until") == [("queued", None)]

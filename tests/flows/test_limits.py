"""Rate limits and back-off: a slow provider holds up nobody but itself."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import monotonic
from typing import Any

import pytest
import pytest_asyncio
from engines import Workshop, workshop
from making import NOW, make_customer, make_event, rows_of
from smtp_script import CLOSE, GOOD, ScriptedServer, scripted, serving

from crm_messaging.channels.limits import EmailLimits
from crm_messaging.channels.opening import open_channels
from crm_messaging.channels.settings import EmailSettings
from crm_messaging.message import Channel, MaySend, Outgoing, Receipt
from crm_messaging.pace import AHEAD_S
from crm_store.database import Store
from crm_store.models.touchpoint import State, Touchpoint
from crm_store.pauses import pause
from crm_store.reasons import Reason
from flows.campaigns import RunningCampaign
from flows.clock import clock_from
from flows.deliver import deliver
from flows.engine import Engine
from flows.report import CampaignReport, SweepReport
from flows.sweep import handle_events, plan_sweep, sweep
from flows.traffic import IN_A_ROW, Traffic, spread
from flows.verdict import RETRIES

LEADS = """
campaign: {name}
name: Leads
topic: news
trigger: {{type: new_lead, sources: [{name}]}}
steps:
  - {{id: welcome, at: now, email: note/one}}
"""
SESSIONS = 4


@pytest_asyncio.fixture
async def club(sqlite_store: Store, tmp_path: Path) -> AsyncIterator[Workshop]:
    async with workshop(sqlite_store, tmp_path / "club") as made:
        made.campaign(LEADS.format(name="leads"))
        yield made


def leads(club: Workshop, number: int, domain: str, source: str = "leads") -> None:
    for n in range(number):
        customer = make_customer(club.store, email=f"{source}{n}@{domain}")
        make_event(club.store, customer, data={"source": source})


async def intake(club: Workshop) -> SweepReport:
    report = await handle_events(club.engine, plan_sweep(club.engine, club.files))
    assert report is not None
    return report


def limit(club: Workshop, **provider: object) -> None:
    """Put a limit on slow.example."""
    limits = {"providers": {"slow": {"domains": ["slow.example"]} | provider}}
    club.engine = replace(
        club.engine, traffic=Traffic({"email": EmailLimits.model_validate(limits)})
    )


@asynccontextmanager
async def mail_through(club: Workshop, server: ScriptedServer) -> AsyncIterator[None]:
    smtp = {"host": "127.0.0.1", "port": server.port, "tls": "none", "sessions": SESSIONS}
    email = EmailSettings.model_validate({"from": "hello@lotus.example", "smtp": smtp})
    await club.engine.channels["email"].close()
    club.engine.channels.update(open_channels(email, None))
    yield
    await club.engine.channels["email"].close()


def outcomes(report: SweepReport) -> dict[tuple[str, str], int]:
    total = sum((one.outcomes for one in report.campaigns), Counter())
    return {(str(state), str(reason or "")): n for (state, reason), n in total.items()}


def tried(server: ScriptedServer, domain: str) -> int:
    return sum(one.startswith("RCPT") and f"@{domain}>" in one for one in server.commands)


async def test_what_is_over_the_limit_waits_each_for_its_own_moment(club: Workshop) -> None:
    limit(club, per_minute=1)
    leads(club, 10, "slow.example")
    leads(club, 40, "quick.example")
    report = await intake(club)
    assert outcomes(report) == {("accepted", ""): 41, ("queued", "rate_limit"): 9}
    waiting = [
        (not_before - NOW).total_seconds()
        for state, not_before in rows_of(club.store, Touchpoint, "state", "not_before")
        if state == "queued"
    ]
    assert [round(seconds / 60) for seconds in waiting] == list(range(1, 10))
    assert all(attempts == 0 or state == "accepted" for attempts, state in rows_of(
        club.store, Touchpoint, "attempts", "state"
    ))  # fmt: skip


async def test_a_sweep_stays_until_the_limit_has_let_all_through(club: Workshop) -> None:
    """Two campaigns write to the slow provider; together they keep its limit, and both end."""
    limit(club, per_second=20)
    club.engine = replace(club.engine, clock=clock_from(NOW))
    club.campaign(LEADS.format(name="others"), "others")
    leads(club, 25, "slow.example")
    leads(club, 25, "slow.example", "others")
    leads(club, 30, "quick.example", "others")
    arrived: list[tuple[float, bool]] = []
    async with scripted() as server, mail_through(club, server):

        def answer(_connection: int, point: str) -> str:
            if point == "RCPT":
                arrived.append((monotonic(), "@slow.example>" in server.commands[-1]))
            return GOOD.get(point, "500 what?\r\n")

        server.answer = answer
        started = monotonic()
        report = await club.sweep()
        took = monotonic() - started
    assert outcomes(report) == {("accepted", ""): 80}
    assert 49 / 20 <= took < 2 * 49 / 20 + 2
    slow = [at for at, is_slow in arrived if is_slow]
    quick = [at for at, is_slow in arrived if not is_slow]
    assert max(quick) < min(slow) + 1.0, "others do not wait"
    for at in slow:
        assert sum(at <= other < at + 1 for other in slow) <= 20 + 3, "an even pace"
    assert len(server.taken) == 80


async def test_moments_booked_for_what_is_paused_are_for_others(club: Workshop) -> None:
    limit(club, per_second=1)
    club.campaign(LEADS.format(name="others"), "others")
    leads(club, 100, "slow.example")
    await intake(club)
    with club.store.write() as connection:
        pause(connection, "leads", "for a while", NOW)
    leads(club, 3, "slow.example", "others")
    await intake(club)
    waiting = [
        (not_before - NOW).total_seconds()
        for campaign, state, not_before in rows_of(
            club.store, Touchpoint, "campaign", "state", "not_before"
        )
        if (campaign, state) == ("others", "queued")
    ]
    assert len(waiting) >= 2
    assert max(waiting) < 10


async def test_several_processes_keep_a_limit_together(club: Workshop) -> None:
    club.engine = replace(club.engine, clock=clock_from(NOW))
    club.campaign(LEADS.format(name="others"), "others")
    leads(club, 30, "slow.example")
    leads(club, 30, "slow.example", "others")
    arrived: list[float] = []
    async with scripted() as server, mail_through(club, server):

        def answer(_connection: int, point: str) -> str:
            if point == "RCPT":
                arrived.append(monotonic())
            return GOOD.get(point, "500 what?\r\n")

        server.answer = answer

        def one_process(campaign: str) -> Coroutine[Any, Any, SweepReport]:
            limit(club, per_second=20)  # it knows of no other's turns
            return sweep(club.engine, plan_sweep(club.engine, club.files, campaign))

        reports = await asyncio.gather(one_process("leads"), one_process("others"))
    assert [outcomes(one) for one in reports] == [{("accepted", ""): 30}] * 2
    # One may use a moment late that the other has followed already.
    assert arrived[-1] - arrived[0] >= 59 / 20 - AHEAD_S
    for at in arrived:
        assert sum(at <= other < at + 1 for other in arrived) <= 20 * (1 + AHEAD_S) + 3


async def test_a_sweep_goes_when_the_limit_takes_too_long(club: Workshop) -> None:
    limit(club, per_hour=1)
    leads(club, 3, "slow.example")
    async with asyncio.timeout(5):
        report = await club.sweep()
    assert outcomes(report) == {("accepted", ""): 1, ("queued", "rate_limit"): 2}


async def test_a_campaign_that_fails_while_the_sweep_stays_does_so_alone(club: Workshop) -> None:
    limit(club, per_second=10)
    club.campaign(LEADS.format(name="others"), "others")
    leads(club, 15, "slow.example")
    leads(club, 15, "slow.example", "others")
    passes = Counter[str]()

    async def delivers(engine: Engine, campaign: RunningCampaign, report: CampaignReport) -> None:
        passes[campaign.slug] += 1
        if campaign.slug == "leads" and passes["leads"] > 1:
            raise LookupError
        await deliver(engine, campaign, report)

    club.engine = replace(club.engine, clock=clock_from(NOW))
    plan = plan_sweep(club.engine, club.files)
    first, second = (await sweep(club.engine, plan, deliver_campaign=delivers)).campaigns
    assert first.failed
    assert first.outcomes[State.QUEUED, Reason.RATE_LIMIT] > 0
    assert (second.failed, second.by_state()) == (None, {"accepted": 15})


async def test_no_more_are_on_their_way_at_once_than_allowed(club: Workshop) -> None:
    limit(club, at_once=2)
    leads(club, 20, "slow.example")
    leads(club, 20, "quick.example")
    async with scripted() as server, mail_through(club, server):
        counting = Counting(club.engine.channels["email"])
        club.engine.channels["email"] = counting
        report = await intake(club)
    assert outcomes(report) == {("accepted", ""): 40}
    assert counting.most["slow.example"] <= 2 < counting.most["quick.example"]


class Counting:
    """A channel that notes how many messages were on their way at once, by domain."""

    def __init__(self, channel: Channel) -> None:
        self.name, self.concurrency = channel.name, channel.concurrency
        self._channel = channel
        self._now: Counter[str] = Counter()
        self.most: dict[str, int] = {}

    async def hand_over(self, message: Outgoing, may_send: MaySend) -> Receipt | None:
        domain = message.recipient.partition("@")[2]
        self._now[domain] += 1
        self.most[domain] = max(self.most.get(domain, 0), self._now[domain])
        try:
            return await self._channel.hand_over(message, may_send)
        finally:
            self._now[domain] -= 1

    async def close(self) -> None:
        await self._channel.close()


@asynccontextmanager
async def busy_for(
    domain: str, says: str, recovered: asyncio.Event
) -> AsyncIterator[ScriptedServer]:
    """A server that has one answer to every recipient at `domain`, until it has recovered."""
    server: ScriptedServer

    def answer(_connection: int, point: str) -> str:
        if not recovered.is_set():
            if point == "RCPT" and f"@{domain}>" in server.commands[-1]:
                return says
            if point == "DATA" and f"@{domain}>" in server.commands[-2]:
                return "503 no recipients\r\n"
        return GOOD.get(point, "500 what?\r\n")

    async with serving(answer) as server:
        yield server


@pytest.mark.parametrize("says", ["450 4.2.0 greylisted\r\n", "421 4.7.0 too much\r\n" + CLOSE])
async def test_a_provider_that_keeps_refusing_is_left_alone_for_longer_and_longer(
    club: Workshop, says: str
) -> None:
    leads(club, 60, "busy.example")
    leads(club, 30, "quick.example")
    never = asyncio.Event()
    async with busy_for("busy.example", says, never) as server, mail_through(club, server):
        report = await intake(club)
        assert outcomes(report) == {("accepted", ""): 30, ("queued", "not_now"): 60}
        knocks = tried(server, "busy.example")
        # Beyond ten in a row only those that were on their way already; after a 421 some twice.
        assert IN_A_ROW <= knocks <= 2 * (IN_A_ROW + 2 * SESSIONS)
        assert len(server.taken) == 30
        for pause in RETRIES[1:4]:
            earliest = min(one for (one,) in rows_of(club.store, Touchpoint, "not_before")
                           if one > club.clock.now)  # fmt: skip
            club.clock.now = earliest - timedelta(seconds=1)
            assert (await club.sweep()).campaigns[0].due == 0
            # All that was put off is due by now.
            club.clock.now = max(one for (one,) in rows_of(club.store, Touchpoint, "not_before"))
            before = tried(server, "busy.example")
            # The next sweep may be another process: it knows only what the ledger says.
            club.engine = replace(club.engine, traffic=Traffic())
            await club.sweep()
            assert 0 < tried(server, "busy.example") - before <= 2 * (IN_A_ROW + 2 * SESSIONS)
            waiting = [
                one
                for state, one in rows_of(club.store, Touchpoint, "state", "not_before")
                if state == State.QUEUED
            ]
            assert min(waiting) >= club.clock.now + pause
        attempts = Counter(one for (one,) in rows_of(club.store, Touchpoint, "attempts"))
        assert attempts[0] >= 60 - IN_A_ROW - 2 * SESSIONS, "waiting is no try"


async def test_a_provider_that_recovers_gets_all_its_mail(club: Workshop) -> None:
    leads(club, 60, "busy.example")
    recovered = asyncio.Event()
    async with (
        busy_for("busy.example", "450 busy\r\n", recovered) as server,
        mail_through(club, server),
    ):
        await intake(club)
        recovered.set()
        club.clock.on(minutes=9)
        report = await club.sweep()
        assert outcomes(report) == {("accepted", ""): 60}


async def test_single_refusals_among_others_leave_nobody_alone(club: Workshop) -> None:
    """Every second recipient is greylisted: not a word about the provider."""
    leads(club, 60, "mixed.example")
    async with scripted() as server, mail_through(club, server):
        server.answer = every_second_refused(server)
        report = await intake(club)
        assert outcomes(report) == {("accepted", ""): 30, ("queued", "not_now"): 30}
        assert tried(server, "mixed.example") == 60


def every_second_refused(server: ScriptedServer) -> Callable[[int, str], str]:
    refused = {f"<leads{n}@mixed.example>" for n in range(0, 60, 2)}

    def answer(_connection: int, point: str) -> str:
        recent = " ".join(server.commands[-2:] if point == "DATA" else server.commands[-1:])
        if point in ("RCPT", "DATA") and any(one in recent for one in refused):
            return "450 greylisted\r\n" if point == "RCPT" else "503 no recipients\r\n"
        return GOOD.get(point, "500 what?\r\n")

    return answer


async def test_a_shut_door_is_knocked_at_once_for_all_campaigns(club: Workshop) -> None:
    club.campaign(LEADS.format(name="others"), "others")
    leads(club, 20, "quick.example")
    leads(club, 20, "quick.example", "others")
    async with scripted({"greeting": CLOSE}) as server, mail_through(club, server):
        report = await intake(club)
        assert outcomes(report) == {("queued", "no_connection"): 40}
        assert server.connections <= SESSIONS


def test_a_pause_is_stretched_by_the_touchpoint_alone_and_evenly() -> None:
    pause = timedelta(minutes=5)
    pauses = [spread(number, pause) for number in range(1, 1001)]
    assert pauses == [spread(number, pause) for number in range(1, 1001)]
    assert min(pauses) >= pause
    assert max(pauses) <= pause * 1.2
    by_second = Counter(int(one.total_seconds()) for one in pauses)
    assert max(by_second.values()) <= 2 * len(pauses) / 60

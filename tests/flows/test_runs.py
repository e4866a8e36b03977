"""A real Prefect server shows our runs, learns nothing of a person, and may die."""

import logging
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from socket import gethostname

import pytest
import pytest_asyncio
from engines import Workshop, workshop
from making import NOW, make_consent, make_customer, make_membership
from prefect_seen import PrefectSeen

from crm_messaging.message import MaySend, Outgoing, Receipt
from crm_store.database import Store
from crm_store.models.touchpoint import State
from crm_store.pauses import pause
from crm_store.reasons import Reason
from flows import prefect_home, report_text
from flows.campaigns import RunningCampaign, following
from flows.engine import Engine
from flows.orchestrate import deliver_as_run, sweep_as_run
from flows.orchestrator import connected
from flows.prefect_server import prefect_server
from flows.report import CampaignReport, SweepReport
from flows.showing import Showing
from flows.sweep import plan_sweep, sweep

RENEWAL = """
campaign: renewal
name: Renewal
topic: renewals
trigger: {type: membership_expiring}
steps:
  - {id: heads_up, at: -30d, time: "10:30", email: note/one}
"""
BROKEN = """
campaign: broken
name: Broken
topic: renewals
trigger: {type: birthday}
steps:
  - {id: wishes, at: 0d, email: note/missing}
"""
PERSONAL = ("Zebulonia", "zebulonia", "Quixworthy", "9187654321")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[PrefectSeen]:
    """A Prefect server of these tests' own."""
    state = tmp_path_factory.mktemp("prefect")
    before = dict(os.environ)
    prefect_home.enter(state)
    async with prefect_server(state, for_one_run=True) as running:
        yield PrefectSeen(state / "prefect", running.api)
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def seen(server: PrefectSeen) -> PrefectSeen:
    """What the server knows from now on."""
    return replace(server, since=datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f"))


@pytest_asyncio.fixture
async def club(sqlite_store: Store, tmp_path: Path) -> AsyncIterator[Workshop]:
    """A club with five members whose term ends in thirty days, all of them recognisable."""
    async with workshop(sqlite_store, tmp_path / "club") as made:
        made.campaign(RENEWAL, "renewal")
        for number in range(5):
            member = make_customer(
                sqlite_store,
                first_name="Zebulonia",
                last_name="Quixworthy",
                email=None if number == 3 else f"zebulonia{number}@example.org",
                phone=f"+91876543210{number}",
            )
            make_membership(sqlite_store, member)
            if number == 4:
                make_consent(sqlite_store, member)
        yield made


async def shown_sweep(club: Workshop, api: str, showing: Showing) -> SweepReport:
    async with connected(api, showing):
        plan = plan_sweep(club.engine, club.files)
        return await sweep_as_run(showing, club.engine, plan, folder=club.folder)


async def test_the_list_of_runs_tells_what_each_campaign_came_to(
    club: Workshop, seen: PrefectSeen
) -> None:
    club.campaign(BROKEN, "broken")
    showing = Showing()
    report = await shown_sweep(club, seen.api, showing)
    assert (report.admitted, showing.lost) == (5, None)
    held = "3 sent, 2 held: no_address 1, opted_out 1"
    runs = seen.flow_runs()
    assert {name: state for name, (state, _) in runs.items()} == {
        f"sweep · 2026-11-22 10:30 · {held} · broken disabled": "PartlyDone",
        f"renewal · 5 due · {held}": "Completed",
        "broken · disabled": "Disabled",
    }
    assert runs[f"renewal · 5 due · {held}"][1] == (
        "3 accepted, 2 suppressed (no_address 1, opted_out 1)"
    )
    assert "note/missing" in runs["broken · disabled"][1]
    assert seen.tags(f"renewal · 5 due · {held}") == {
        "campaign:renewal",
        "trigger:membership_expiring",
        "channel:email",
    }
    assert seen.task_runs() == ["batch 1 · 3"]
    assert [(row["outcome"], row["reason"], row["messages"]) for row in seen.table("sweep")] == [
        ("accepted", "", 3),
        ("suppressed", "no_address", 1),
        ("suppressed", "opted_out", 1),
        ("disabled", "", 0),
    ]


async def test_what_a_worker_delivers_is_a_run_with_its_machines_name(
    club: Workshop, seen: PrefectSeen
) -> None:
    async def leave_it(_: Engine, __: RunningCampaign, ___: CampaignReport) -> None:
        """To the worker."""

    plan = plan_sweep(club.engine, club.files)
    await sweep(club.engine, plan, deliver_campaign=leave_it)
    [campaign], _ = following(club.files)
    report, showing = CampaignReport("renewal", due=5), Showing()
    async with connected(seen.api, showing):
        await deliver_as_run(showing, club.engine, campaign, report)
    assert (report.by_state(), showing.lost) == ({"accepted": 3, "suppressed": 2}, None)
    [(name, (state, _))] = seen.flow_runs().items()
    assert (name.partition(": ")[0], state) == ("renewal · 5 due · 3 sent, 2 held", "Completed")
    assert seen.tags(name) == {
        f"worker:{gethostname()}",
        "campaign:renewal",
        "trigger:membership_expiring",
        "channel:email",
    }


async def test_prefect_learns_nothing_of_a_person(
    club: Workshop, seen: PrefectSeen, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await shown_sweep(club, seen.api, Showing())
    assert len(club.caught_ids()) == 3
    assert seen.holds("renewal · 5 due")
    for word in PERSONAL:
        assert not seen.holds(word), word
        assert word not in caplog.text, word


class Outspoken:
    """A channel with a mistake in it, whose error says whom it was writing to."""

    name = "email"
    concurrency = 1

    async def hand_over(self, message: Outgoing, may_send: MaySend) -> Receipt | None:
        raise RuntimeError(f"cannot write to {message.recipient}")

    async def close(self) -> None:
        return


async def test_of_an_error_prefect_learns_the_class_and_the_place(
    club: Workshop, seen: PrefectSeen
) -> None:
    engine = replace(club.engine, channels={"email": Outspoken()})
    report = await shown_sweep(replace(club, engine=engine), seen.api, Showing())
    assert "RuntimeError at " in (report.campaigns[0].failed or "")
    runs = seen.flow_runs()
    assert runs["renewal · 5 due"][0] == "Failed"
    assert runs["renewal · 5 due"][1].startswith("RuntimeError at ")
    assert [state for name, (state, _) in runs.items() if name.endswith("renewal failed")] == [
        "PartlyDone"
    ]
    assert not seen.holds("zebulonia")


class Regicide:
    """The club's own channel, which ends the Prefect server before its third message."""

    name = "email"
    concurrency = 1

    def __init__(self, inner: object, pid: int) -> None:
        self._inner = inner
        self._pid = pid
        self._messages = 0

    async def hand_over(self, message: Outgoing, may_send: MaySend) -> Receipt | None:
        self._messages += 1
        if self._messages == 3:
            os.kill(self._pid, signal.SIGKILL)
        receipt: Receipt | None = await self._inner.hand_over(message, may_send)  # type: ignore[attr-defined]
        return receipt

    async def close(self) -> None:
        return


async def test_the_server_dies_half_way_and_every_message_leaves_once(
    club: Workshop, tmp_path: Path
) -> None:
    for _ in range(20):
        make_membership(club.store, make_customer(club.store))
    showing = Showing()
    async with prefect_server(tmp_path / "state", for_one_run=True) as dying:
        deadly = Regicide(club.engine.channels["email"], dying.process.pid)
        engine = replace(club.engine, channels=club.engine.channels | {"email": deadly})
        report = await shown_sweep(replace(club, engine=engine), dying.api, showing)
    assert report.campaigns[0].by_state() == {"accepted": 23, "suppressed": 2}
    assert len(club.caught_ids()) == 23
    assert club.caught_ids() == club.accepted_ids()
    assert showing.lost is not None
    assert (await club.sweep()).campaigns[0].by_state() == {}


async def test_without_any_server_messages_leave(club: Workshop) -> None:
    showing = Showing()
    report = await shown_sweep(club, "http://127.0.0.1:9/api", showing)
    assert report.campaigns[0].by_state() == {"accepted": 3, "suppressed": 2}
    assert (
        showing.lost
        == "No Prefect server answers at http://127.0.0.1:9/api. Start it, or wait for it."
    )


async def test_a_paused_campaign_is_called_so(club: Workshop, seen: PrefectSeen) -> None:
    with club.store.write() as connection:
        pause(connection, "renewal", "Zebulonia complained", NOW)
    report = await shown_sweep(club, seen.api, Showing())
    assert (report.campaigns[0].paused, report.paused) == ("Zebulonia complained", None)
    assert seen.flow_runs() == {
        "sweep · 2026-11-22 10:30 · renewal paused": (
            "Completed",
            "5 entered; nothing to send; renewal is paused",
        ),
        "renewal · 5 due · paused": ("Completed", "paused, so nothing of it leaves"),
    }


@pytest.mark.parametrize(
    ("outcomes", "everything", "title", "sweep"),
    [
        ({}, None, "a · 3 due · paused", "a paused"),
        ({(State.ACCEPTED, None): 2}, None, "a · 3 due · 2 sent · paused", "2 sent · a paused"),
        ({}, "stocktaking", "a · 3 due · paused", "everything paused"),
    ],
)
def test_how_a_paused_one_is_called(
    outcomes: dict[tuple[State, Reason | None], int],
    everything: str | None,
    title: str,
    sweep: str,
) -> None:
    one = CampaignReport("a", due=3, outcomes=Counter(outcomes), paused="stocktaking")
    assert report_text.title(one) == title
    whole = SweepReport(NOW, [one, CampaignReport("b")], paused=everything)
    assert report_text.sweep_title("10:30", whole) == f"sweep · 10:30 · {sweep}"
    heard = report_text.events_title(SweepReport(NOW, [one]))
    assert heard == f"events · a · 0 entered · {'2 sent · ' if outcomes else ''}a paused"

"""What Prefect shows of our work: thin runs around plain steps.

    sweep · 2026-11-22 10:30 · 128 sent, 4 held: opted_out 4
    └─ membership-renewal · 132 due · 128 sent, 4 held: opted_out 4
       └─ batch 1 · 128

A run is told nothing but counts, slugs and reasons: no customer's name, address or number is in
a parameter, a result, a log, a state or an artifact. Of an error it is told the class and the
place. Nothing here is retried by Prefect and no result is kept: the ledger is the record.
"""

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from pathlib import Path
from socket import gethostname
from typing import Any, TypeAlias, TypeVar, cast

from prefect import flow, tags, task
from prefect.artifacts import acreate_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.client.schemas.objects import State
from prefect.context import FlowRunContext
from prefect.states import Completed, Failed

from crm_store.errors import EnvironmentUnready
from flows.campaigns import DisabledCampaign, RunningCampaign
from flows.clock import wall_clock
from flows.deliver import deliver
from flows.delivery import Delivery, Outcomes
from flows.engine import Engine
from flows.last_sweep import note_sweep
from flows.prepare import Prepared
from flows.progress import ShownProgress
from flows.project import open_engine, open_project
from flows.report import CampaignReport, SweepReport
from flows.report_text import (
    events_title,
    in_trouble,
    sentence,
    sweep_sentence,
    sweep_title,
    table,
    title,
)
from flows.showing import OnCampaignProgress, Showing, Work, no_progress
from flows.sweep import SweepPlan, plan_sweep, sweep
from flows.trouble import class_and_place

T = TypeVar("T")
RunState: TypeAlias = State[Any]
Ending: TypeAlias = Callable[[T], Awaitable[RunState]]

_body: ContextVar[Work[RunState]] = ContextVar("_body")
"""The work of the run that begins next. As a parameter Prefect would write it down."""


@flow(name="sweep", persist_result=False, validate_parameters=False)
async def sweep_run(folder: str, only: str | None = None) -> RunState:
    """One pass over all campaigns of the club in `folder`; with `only`, over one."""
    given = _body.get(None)
    return await (given() if given else _scheduled(Path(folder), only))


@flow(name="events", persist_result=False, validate_parameters=False)
async def events_run(entered: int) -> RunState:  # noqa: ARG001 - Prefect shows it
    """Newly recorded events that became messages."""
    return await _body.get()()


@flow(
    name="campaign",
    flow_run_name="{campaign} · {due} due",
    persist_result=False,
    validate_parameters=False,
)
async def campaign_run(campaign: str, due: int) -> RunState:  # noqa: ARG001 - Prefect shows it
    """One campaign's deliveries within a sweep."""
    return await _body.get()()


@task(
    name="batch",
    task_run_name="batch {number} · {messages}",
    cache_policy=NO_CACHE,
    persist_result=False,
)
async def batch_run(number: int, messages: int) -> RunState:  # noqa: ARG001 - Prefect shows it
    """One batch of messages on the wire."""
    return await _body.get()()


async def sweep_shown(
    showing: Showing,
    engine: Engine,
    plan: SweepPlan,
    *,
    folder: Path,
    only: str | None,
    on_progress: OnCampaignProgress,
) -> SweepReport:
    """The plain sweep as a run, with a run per campaign that has work, or is disabled."""
    work, ending = _sweep(showing, engine, plan, on_progress)

    async def start() -> object:
        return await sweep_run(str(folder), only, return_state=True)

    return await showing.show(work, _run(start, ending))


async def _scheduled(folder: Path, only: str | None) -> RunState:
    """The sweep of a run that Prefect itself has started, in a process of its own."""
    try:
        project = open_project(folder)
        async with open_engine(project, wall_clock) as engine:
            plan = plan_sweep(engine, project.check(), only)
            state = await _state_of(*_sweep(Showing(), engine, plan, no_progress))
    except EnvironmentUnready as error:
        return Failed(message=str(error))
    if only is None and not state.is_failed():
        note_sweep(project.state_folder)
    return state


def _sweep(
    showing: Showing, engine: Engine, plan: SweepPlan, on_progress: OnCampaignProgress
) -> tuple[Work[SweepReport], Ending[SweepReport]]:
    when = engine.clock().astimezone(engine.club_zone).strftime("%Y-%m-%d %H:%M")

    async def deliver_campaign(
        engine: Engine, campaign: RunningCampaign, report: CampaignReport
    ) -> None:
        await deliver_shown(showing, engine, campaign, report, on_progress)

    async def work() -> SweepReport:
        await showing.tell(_rename(f"sweep · {when}"))
        report = await sweep(engine, plan, deliver_campaign=deliver_campaign)
        for disabled in plan.disabled:
            await _show_disabled(showing, disabled)
        return report

    async def ending(report: SweepReport) -> RunState:
        await showing.tell(_rename(sweep_title(when, report)))
        await showing.tell(_put_table("sweep", report.campaigns))
        return _ended(any(map(in_trouble, report.campaigns)), sweep_sentence(report))

    return work, ending


async def deliver_shown(
    showing: Showing,
    engine: Engine,
    campaign: RunningCampaign,
    report: CampaignReport,
    on_progress: OnCampaignProgress,
) -> None:
    """The plain delivery of one campaign as a run, with a task run per batch."""
    progress = ShownProgress(showing, campaign.slug, report.due, on_progress)
    batches = 0

    async def send(delivery: Delivery, batch: Prepared) -> Outcomes:
        nonlocal batches
        batches += 1
        await progress.show()
        return await _batch_shown(showing, delivery, batch, batches)

    async def work() -> None:
        await deliver(engine, campaign, report, send=send, on_progress=progress.count)
        await progress.finish()

    async def ending(_: None) -> RunState:
        await showing.tell(_rename(title(report)))
        await showing.tell(_put_table(f"campaign-{campaign.slug}", [report]))
        return _ended(in_trouble(report), sentence(report))

    with tags(*_tags(campaign)):
        await showing.show(
            work,
            _run(lambda: campaign_run(campaign.slug, report.due, return_state=True), ending),
        )


async def worker_shown(
    showing: Showing, engine: Engine, campaign: RunningCampaign, report: CampaignReport
) -> None:
    """The same outside of a sweep, with the name of the machine that does it."""
    with tags(f"worker:{gethostname()}"):
        await deliver_shown(showing, engine, campaign, report, no_progress)


async def _batch_shown(
    showing: Showing, delivery: Delivery, batch: Prepared, number: int
) -> Outcomes:
    async def ending(outcomes: Outcomes) -> RunState:
        return Completed(message=sentence(CampaignReport("", outcomes=outcomes)))

    def start() -> Awaitable[object]:
        # Prefect types a task's call with `return_state` as if it were not awaited.
        return cast(Awaitable[object], batch_run(number, len(batch.outgoing), return_state=True))

    return await showing.show(lambda: delivery.send(batch), _run(start, ending))


async def events_shown(
    showing: Showing, report: SweepReport, campaigns: list[RunningCampaign]
) -> None:
    """A run that tells of event batches which have been handled already."""

    async def work() -> None:
        await showing.tell(_rename(events_title(report)))
        await showing.tell(_put_table("events", report.campaigns))

    async def ending(_: None) -> RunState:
        return _ended(any(map(in_trouble, report.campaigns)), sweep_sentence(report))

    with tags(*{tag for campaign in campaigns for tag in _tags(campaign)}):
        await showing.show(
            work, _run(lambda: events_run(report.admitted, return_state=True), ending)
        )


async def _show_disabled(showing: Showing, disabled: DisabledCampaign) -> None:
    async def work() -> None:
        await showing.tell(_rename(f"{disabled.slug} · disabled"))

    async def ending(_: None) -> RunState:
        return Failed(name="Disabled", message=disabled.problem)

    with tags(f"campaign:{disabled.slug}"):
        await showing.show(
            work, _run(lambda: campaign_run(disabled.slug, 0, return_state=True), ending)
        )


def _run(
    start: Callable[[], Awaitable[object]], ending: Ending[T]
) -> Callable[[Work[T]], Awaitable[object]]:
    """What `Showing.show` awaits: a run of Prefect's around a body, with its final state."""

    async def run(body: Work[T]) -> object:
        _body.set(lambda: _state_of(body, ending))
        return await start()

    return run


async def _state_of(body: Work[T], ending: Ending[T]) -> RunState:
    try:
        came_to = await body()
    except Exception as error:
        # Its words may hold an address; whoever awaits the work gets the error itself.
        return Failed(message=class_and_place(error))
    return await ending(came_to)


def _ended(trouble: bool, message: str) -> RunState:
    return Completed(name="PartlyDone" if trouble else "Completed", message=message)


def _tags(campaign: RunningCampaign) -> list[str]:
    definition = campaign.current.definition
    return [
        f"campaign:{campaign.slug}",
        f"trigger:{definition.trigger.type}",
        *(f"channel:{channel}" for channel in sorted(definition.channels())),
    ]


async def _rename(name: str) -> None:
    """Name the current run: in a list of runs the name is all that tells what it came to."""
    run = FlowRunContext.get()
    if run is not None and run.flow_run is not None:
        async with get_client() as client:
            await client.update_flow_run(run.flow_run.id, name=name)


async def _put_table(key: str, reports: list[CampaignReport]) -> None:
    rows = table(reports)
    if rows:
        await acreate_table_artifact(rows, key=key, description="Messages by outcome and reason.")

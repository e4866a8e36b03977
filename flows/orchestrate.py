"""A sweep that Prefect shows. Sending does not depend on it."""

from datetime import datetime
from pathlib import Path

from flows.bounces import try_mailbox
from flows.campaigns import RunningCampaign
from flows.clock import clock_from
from flows.deliver import deliver
from flows.engine import Engine
from flows.last_sweep import note_sweep
from flows.orchestrator import orchestrator
from flows.project import Project, open_engine
from flows.report import CampaignReport, SweepReport
from flows.showing import OnCampaignProgress, Showing, no_progress
from flows.sweep import SweepPlan, plan_sweep, sweep


async def run_sweep(
    project: Project,
    *,
    as_of: datetime | None = None,
    only: str | None = None,
    on_progress: OnCampaignProgress = no_progress,
) -> SweepReport:
    """One pass now, in this process, as a run that Prefect shows; with `only`, one campaign's.

    When Prefect cannot show it, the pass is made all the same, and the report's `prefect_lost`
    says why. Errors of the pass itself are raised as they are.
    """
    showing = Showing()
    async with (
        open_engine(project, clock_from(as_of)) as engine,
        orchestrator(project, showing),
    ):
        if as_of is None:
            await try_mailbox(project, engine)
        plan = plan_sweep(engine, project.check(), only)
        report = await sweep_as_run(
            showing, engine, plan, folder=project.folder, only=only, on_progress=on_progress
        )
    if as_of is None and only is None:
        note_sweep(project.state_folder)
    report.prefect_lost = showing.lost
    return report


async def deliver_as_run(
    showing: Showing, engine: Engine, campaign: RunningCampaign, report: CampaignReport
) -> None:
    """What a campaign has queued, within an open engine: as a run of its own, else plainly."""
    if showing.lost is not None:
        await deliver(engine, campaign, report)
        return
    from flows.runs import worker_shown

    await worker_shown(showing, engine, campaign, report)


async def sweep_as_run(
    showing: Showing,
    engine: Engine,
    plan: SweepPlan,
    *,
    folder: Path,
    only: str | None = None,
    on_progress: OnCampaignProgress = no_progress,
) -> SweepReport:
    """One pass within an open engine: as a run while Prefect is there, else plainly."""
    if showing.lost is None:
        from flows.runs import sweep_shown

        return await sweep_shown(
            showing, engine, plan, folder=folder, only=only, on_progress=on_progress
        )

    async def deliver_campaign(
        engine: Engine, campaign: RunningCampaign, report: CampaignReport
    ) -> None:
        done = 0

        def count(batch: int) -> None:
            nonlocal done
            done += batch
            on_progress(campaign.slug, done, report.due)

        await deliver(engine, campaign, report, on_progress=count)

    return await sweep(engine, plan, deliver_campaign=deliver_campaign)

"""The schedule: a child process that asks Prefect for due sweeps and runs each in a process.

The deployment is `sweep/<club>`: there an operator sees the coming runs, pauses the schedule,
or starts a sweep by hand.
"""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from flows.children import child, end_with_parent
from flows.clock import wall_clock
from flows.prefect_home import child_environment
from flows.project import Project, open_project

ANCHOR = datetime(2026, 1, 1, tzinfo=UTC)
"""Scheduled times are the same after a restart, so no run is scheduled twice."""


@asynccontextmanager
async def serving(project: Project, api: str) -> AsyncIterator[Process]:
    """Run scheduled sweeps while the context is open."""
    command = [sys.executable, "-m", "flows.serving", str(project.folder.resolve())]
    environment = child_environment(project.state_folder, {"PREFECT_API_URL": api})
    async with child(command, environment) as process:
        yield process


async def _serve(folder: Path) -> None:
    from prefect.client.schemas.objects import ConcurrencyLimitConfig
    from prefect.runner import Runner
    from prefect.schedules import Interval
    from prefect.types.entrypoint import EntrypointType

    from flows.runs import sweep_run

    project = open_project(folder)
    club = project.settings.club.code
    runner = Runner(name=f"sampark-{club}", limit=1, pause_on_shutdown=False)
    deployment = await sweep_run.ato_deployment(
        club,
        description="Everyone whose time has come gets what is due.",
        schedule=Interval(project.settings.sweep.every, anchor_date=ANCHOR),
        parameters={"folder": str(folder)},
        tags=[f"club:{club}"],
        # One at a time: a second one would find nothing to do.
        concurrency_limit=ConcurrencyLimitConfig(limit=1, collision_strategy="CANCEL_NEW"),
        entrypoint_type=EntrypointType.MODULE_PATH,
    )
    await runner.aadd_deployment(deployment)
    await _drop_missed(club)
    polling = asyncio.create_task(runner.start())
    await asyncio.sleep(0)  # the runner has set its own answer to SIGTERM: to kill the sweep
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, _leave_the_sweep_running)
    await polling


def _leave_the_sweep_running() -> None:
    """End this process alone: the sweep it started finishes what it is sending.

    The parent waits for it. The runner keeps nothing that would have to be put away.
    """
    os._exit(0)


async def _drop_missed(club: str) -> None:
    """Runs that nobody was there to start: one sweep does the work of all of them."""
    from prefect.client.orchestration import get_client
    from prefect.client.schemas import filters
    from prefect.client.schemas.objects import StateType

    async with get_client() as client:
        missed = await client.read_flow_runs(
            deployment_filter=filters.DeploymentFilter(
                name=filters.DeploymentFilterName(any_=[club])
            ),
            flow_run_filter=filters.FlowRunFilter(
                state=filters.FlowRunFilterState(
                    type=filters.FlowRunFilterStateType(any_=[StateType.SCHEDULED])
                ),
                expected_start_time=filters.FlowRunFilterExpectedStartTime(before_=wall_clock()),
            ),
        )
        for run in missed:
            await client.delete_flow_run(run.id)


if __name__ == "__main__":
    end_with_parent(lambda: os.kill(os.getpid(), signal.SIGTERM))
    asyncio.run(_serve(Path(sys.argv[1])))

"""A sweep with progress bars on the terminal."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime

from rich.progress import TaskID

from crm_console.terminal import counting, err, note
from flows.event_loop import run
from flows.orchestrate import run_sweep
from flows.project import Project
from flows.report import SweepReport
from flows.showing import OnCampaignProgress


def sweep_now(project: Project, *, as_of: datetime | None, only: str | None) -> SweepReport:
    """One pass in this process; see `flows.orchestrate.run_sweep`."""
    with sweep_progress() as on_progress:
        report = run(run_sweep(project, as_of=as_of, only=only, on_progress=on_progress))
    if report.prefect_lost:
        note(f"The sweep is complete, but Prefect does not show it: {report.prefect_lost}")
    return report


@contextmanager
def sweep_progress() -> Iterator[OnCampaignProgress]:
    """A bar per campaign that has something to send; until then, that it is being prepared."""
    with ExitStack() as shown:
        preparing = err.status("Starting Prefect, and looking who is due …")
        progress = counting("messages")
        bars: dict[str, TaskID] = {}
        preparing.start()
        shown.callback(preparing.stop)

        def on_progress(campaign: str, done: int, due: int) -> None:
            if not bars:
                preparing.stop()
                shown.enter_context(progress)
            if campaign not in bars:
                bars[campaign] = progress.add_task(campaign, total=due)
            progress.update(bars[campaign], completed=done, total=due)

        yield on_progress

"""How far a long delivery has come: for the caller's bar, and as an artifact of the run."""

import time
from uuid import UUID

from prefect.artifacts import acreate_progress_artifact, aupdate_progress_artifact

from flows.prepare import BATCH
from flows.showing import OnCampaignProgress, Showing

EVERY_S = 1.0


class ShownProgress:
    """Counts what is done. A campaign that is one batch gets no artifact: it is done too soon."""

    def __init__(
        self, showing: Showing, campaign: str, due: int, on_progress: OnCampaignProgress
    ) -> None:
        self._showing = showing
        self._campaign = campaign
        self._due = due
        self._on_progress = on_progress
        self._done = 0
        self._artifact: UUID | None = None
        self._shown_at = 0.0

    def count(self, batch: int) -> None:
        """So many more are done."""
        self._done += batch
        self._on_progress(self._campaign, self._done, self._due)

    async def show(self) -> None:
        """Bring the artifact up to date, at most once in `EVERY_S`."""
        if self._due <= BATCH or time.monotonic() - self._shown_at < EVERY_S:
            return
        self._shown_at = time.monotonic()
        await self._showing.tell(self._update())

    async def finish(self) -> None:
        """The artifact says 100."""
        if self._artifact is not None:
            await self._showing.tell(self._update())

    async def _update(self) -> None:
        percent = min(100.0, 100 * self._done / self._due)
        if self._artifact is None:
            self._artifact = await acreate_progress_artifact(
                percent, key=f"progress-{self._campaign}", description=f"{self._due} due"
            )
        else:
            await aupdate_progress_artifact(self._artifact, percent)

"""Telling Prefect of event batches after the fact, so that no message waits for it.

What is handled while Prefect is busy or away is told as one run, so nothing piles up.
"""

import asyncio
import logging
from collections import Counter

from flows.orchestrator import connected
from flows.prefect_server import is_healthy
from flows.report import CampaignReport, SweepReport
from flows.showing import Showing
from flows.sweep import SweepPlan

log = logging.getLogger(__name__)

AGAIN_S = 10.0


class EventTelling:
    """Hears of handled events at any time, and shows them as runs when it can."""

    def __init__(self, api: str) -> None:
        self._api = api
        self._untold: SweepReport | None = None
        self._plan = SweepPlan([], [])
        self._heard = asyncio.Event()

    def hear(self, report: SweepReport, plan: SweepPlan) -> None:
        """Events have been handled; returns at once."""
        self._untold = report if self._untold is None else merged(self._untold, report)
        self._plan = plan
        self._heard.set()

    async def tell(self) -> None:
        """Show what was heard, until cancelled."""
        while True:
            await self._heard.wait()
            if await is_healthy(self._api):
                await self._tell_while_it_listens()
            await asyncio.sleep(AGAIN_S)

    async def _tell_while_it_listens(self) -> None:
        from flows.runs import events_shown

        showing = Showing()
        async with connected(self._api, showing):
            while showing.lost is None:
                await self._heard.wait()
                self._heard.clear()
                report, self._untold = self._untold, None
                if report is not None:
                    slugs = {one.campaign for one in report.campaigns}
                    concerned = [one for one in self._plan.running if one.slug in slugs]
                    await events_shown(showing, report, concerned)
        log.warning("Prefect does not show events at the moment: %s", showing.lost)


def merged(first: SweepReport, second: SweepReport) -> SweepReport:
    """Two reports as one, campaign by campaign."""
    together = SweepReport(first.as_of)
    by_campaign: dict[str, CampaignReport] = {}
    for report in (*first.campaigns, *second.campaigns):
        so_far = by_campaign.setdefault(report.campaign, CampaignReport(report.campaign))
        so_far.admitted += report.admitted
        so_far.due += report.due
        so_far.outcomes = Counter(so_far.outcomes) + report.outcomes
        so_far.waiting = report.waiting
    together.campaigns = list(by_campaign.values())
    return together

"""The sweep: one pass over all campaigns. Plain code; Prefect is wrapped around it elsewhere.

It works from what is due since the beginning of time, never from "now": a pass that was missed
or came twice changes nothing but when things happen.
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from sqlalchemy import Connection

from crm_store import doubts, enrollments, events, moved_dates, planned, touchpoints
from crm_store.admission import Among
from crm_store.models.operation import EVERYTHING
from crm_store.models.touchpoint import State
from crm_store.pauses import pauses
from crm_store.reasons import Reason
from flows.admit import admit
from flows.advance import advance
from flows.campaigns import (
    DisabledCampaign,
    RunningCampaign,
    disabled_without_file,
    load_campaigns,
    version_of,
)
from flows.deliver import deliver
from flows.engine import Engine
from flows.inbox import empty_inbox
from flows.moved_dates import wake_moved
from flows.report import CampaignReport, SweepReport
from flows.rules import AmongOf, count_segments, everybody
from flows.trouble import class_and_place
from triggers.check import CheckedFile

log = logging.getLogger(__name__)

DeliverCampaign: TypeAlias = Callable[
    [Engine, RunningCampaign, CampaignReport], Coroutine[Any, Any, None]
]
"""Delivers what one campaign has queued, into its report."""

PATIENCE = timedelta(minutes=4)
"""How long a sweep stays for what rate limits hold back. The next one goes on with the rest; an
endless one would keep everybody waiting whose time comes meanwhile."""


@dataclass(frozen=True)
class SweepPlan:
    """What a pass is about: the campaigns that run, and those that cannot."""

    running: Sequence[RunningCampaign]
    disabled: Sequence[DisabledCampaign]


def plan_sweep(engine: Engine, files: list[CheckedFile], only: str | None = None) -> SweepPlan:
    """The campaigns of a pass, and of those that cannot run why; with `only`, that one alone."""
    running, disabled = load_campaigns(engine.store, files, engine.catalogue, engine.clock())
    disabled += disabled_without_file(engine.store, engine.club_id, files)
    if only is None:
        return SweepPlan(running, disabled)
    return SweepPlan(
        [one for one in running if one.slug == only],
        [one for one in disabled if one.slug == only],
    )


async def sweep(
    engine: Engine, plan: SweepPlan, *, deliver_campaign: DeliverCampaign | None = None
) -> SweepReport:
    """Admit, advance and deliver for every campaign; the broken ones are named in the report.

    What waits in the inbox is read first: an opt-out in it counts already.
    """
    await empty_inbox(engine)
    report = SweepReport(engine.clock())
    reports = {one.slug: CampaignReport(one.slug) for one in plan.running}
    report.campaigns = [
        *reports.values(),
        *(CampaignReport(one.slug, disabled=one.problem) for one in plan.disabled),
    ]
    await one_pass(engine, plan.running, report, reports, deliver_campaign or deliver)
    await _stay(engine, plan.running, reports, deliver_campaign or deliver)
    _count_waiting(engine, reports)
    with engine.store.read() as connection:
        report.paused = _note_pauses(connection, reports)
    return report


async def one_pass(
    engine: Engine,
    campaigns: Sequence[RunningCampaign],
    report: SweepReport,
    reports: dict[str, CampaignReport],
    deliver_campaign: DeliverCampaign,
    among_of: AmongOf = everybody,
) -> None:
    """Put in order what others left, admit, advance and deliver, once for every campaign."""
    _put_in_order(engine, campaigns, report, reports)
    count_segments(engine, campaigns, among_of)
    let_in(engine, campaigns, reports)
    await work_off(engine, campaigns, reports, deliver_campaign)


def let_in(
    engine: Engine,
    campaigns: Sequence[RunningCampaign],
    reports: dict[str, CampaignReport],
    among: Among | None = None,
) -> None:
    """Admit, for each campaign by itself; with `among`, only customers that it selects."""
    for campaign in campaigns:
        with _alone(reports[campaign.slug]):
            reports[campaign.slug].admitted = admit(engine, campaign, among=among)


async def work_off(
    engine: Engine,
    campaigns: Sequence[RunningCampaign],
    reports: dict[str, CampaignReport],
    deliver_campaign: DeliverCampaign,
) -> None:
    """Advance and deliver what is due in these campaigns; nobody is admitted."""
    _bring_due(engine, campaigns, reports)
    for campaign in campaigns:
        with _alone(reports[campaign.slug]):
            await _hand_over(engine, campaign, reports[campaign.slug], deliver_campaign)


async def _hand_over(
    engine: Engine,
    campaign: RunningCampaign,
    report: CampaignReport,
    deliver_campaign: DeliverCampaign,
) -> None:
    """Deliver; then again for those whom only another channel reaches."""
    if report.due:
        await deliver_campaign(engine, campaign, report)
    for _ in range(campaign.current.definition.most_fallbacks()):
        wake = enrollments.wake_refused
        woken = engine.store.transact(wake, engine.club_id, campaign.slug, engine.clock())
        if not woken:
            break
        _leave_out_what_is_tried_again(engine, report)
        again = CampaignReport(campaign.slug)
        _bring_due(engine, [campaign], {campaign.slug: again})
        if again.due:
            await deliver_campaign(engine, campaign, again)
        report.due += again.due
        report.outcomes += again.outcomes


def _leave_out_what_is_tried_again(engine: Engine, report: CampaignReport) -> None:
    """What was put back and may leave already is due with the stand-ins, and counts there."""
    with engine.store.read() as connection:
        back = touchpoints.queued_by_reason(
            connection, engine.club_id, report.campaign, engine.clock()
        )
    for (state, reason), number in [*report.outcomes.items()]:
        if state == State.QUEUED:
            counted = min(number, back.get(reason, 0))
            report.outcomes[state, reason] -= counted
            report.due -= counted
    report.outcomes += Counter()  # a count of none is no outcome


async def handle_events(
    engine: Engine,
    plan: SweepPlan,
    *,
    limit: int = 500,
    deliver_campaign: DeliverCampaign | None = None,
) -> SweepReport | None:
    """Turn newly recorded events into messages; `None` when there are none.

    The fast way beside the sweep: it admits for these events only, wakes whom an exit event
    concerns, and delivers what is queued for the campaigns that listen.
    """
    now = engine.clock()
    with engine.store.write() as connection:
        taken = events.take_unhandled(connection, limit=limit, now=now)
    if not taken:
        return None
    ids = [event_id for event_id, _ in taken]
    names = {name for _, name in taken}
    listening = [one for one in plan.running if one.current.definition.trigger.listens_to in names]
    leaving = [one for one in plan.running if names & set(one.current.definition.exit_on)]
    reports = {one.slug: CampaignReport(one.slug) for one in (*listening, *leaving)}
    report = SweepReport(now, list(reports.values()))
    for campaign in leaving:
        exit_on = campaign.current.definition.exit_on
        engine.store.transact(enrollments.wake_for_exit, campaign.slug, ids, exit_on, now)
    for campaign in listening:
        with _alone(reports[campaign.slug]):
            reports[campaign.slug].admitted = admit(engine, campaign, ids)
    concerned = [one for one in plan.running if one.slug in reports]
    _bring_due(engine, concerned, reports)
    for campaign in listening:
        with _alone(reports[campaign.slug]):
            mine = reports[campaign.slug]
            await _hand_over(engine, campaign, mine, deliver_campaign or deliver)
    _count_waiting(engine, reports)
    return report


@contextmanager
def _alone(report: CampaignReport) -> Iterator[None]:
    """A campaign that fails does so alone: the others run, and its report says what happened."""
    try:
        yield
    except Exception as error:
        report.failed = class_and_place(error)
        log.error("campaign %s failed: %s", report.campaign, report.failed)  # noqa: TRY400


async def _stay(
    engine: Engine,
    campaigns: Sequence[RunningCampaign],
    reports: dict[str, CampaignReport],
    deliver_campaign: DeliverCampaign,
) -> None:
    """Stay for what the rate limits hold back, all campaigns at once, and put the count right."""
    patient = replace(engine, patience=PATIENCE)
    rest: list[CampaignReport] = []

    async def stay(campaign: RunningCampaign, report: CampaignReport) -> None:
        with _alone(reports[campaign.slug]):
            await deliver_campaign(patient, campaign, report)

    async with asyncio.TaskGroup() as group:
        for campaign in campaigns:
            if not reports[campaign.slug].outcomes[State.QUEUED, Reason.RATE_LIMIT]:
                continue
            number = _held_back(engine, campaign.slug)
            rest.append(CampaignReport(campaign.slug, due=number))
            group.create_task(stay(campaign, rest[-1]))
    for one in rest:
        outcomes = reports[one.campaign].outcomes
        outcomes += one.outcomes
        outcomes[State.QUEUED, Reason.RATE_LIMIT] = _held_back(engine, one.campaign)
        outcomes += Counter()
        # Some may have come back more than once, and some are of an earlier sweep.
        reports[one.campaign].due = outcomes.total()


def _held_back(engine: Engine, campaign: str) -> int:
    with engine.store.read() as connection:
        return touchpoints.held_back(connection, engine.club_id, campaign)[0]


def _put_in_order(
    engine: Engine,
    campaigns: Sequence[RunningCampaign],
    report: SweepReport,
    reports: dict[str, CampaignReport],
) -> None:
    """Look after dead workers' claims, doubts that may be resent, moved dates and new versions."""
    now = engine.clock()
    store = engine.store
    store.transact(enrollments.wake_moved_terms, now)
    report.recovered, report.in_doubt = store.transact(touchpoints.recover, now)
    with engine.store.read() as connection:
        inside = moved_dates.versions_inside(connection, engine.club_id)
        doubted = doubts.versions_in_doubt(connection)
    for campaign in campaigns:
        with _alone(reports[campaign.slug]):
            wake_moved(engine, campaign, inside.get(campaign.slug, ()), now)
    for campaign in campaigns:
        moves = campaign.current.definition.in_flight == "move"
        if not moves and campaign.slug not in doubted:
            continue
        with _alone(reports[campaign.slug]):
            for version_id in doubted.get(campaign.slug, ()):
                version = version_of(campaign, version_id, store, engine.catalogue)
                steps = version.definition.resent_steps()
                store.transact(doubts.resend_steps, campaign.slug, version_id, steps, now)
            if moves:
                store.transact(_move_to_the_newest, engine.club_id, campaign, now)


def _move_to_the_newest(
    connection: Connection, club_id: int, campaign: RunningCampaign, now: datetime
) -> None:
    """Who is in the campaign goes on under its newest version."""
    current = campaign.current
    kept = [(act.step, act.variant) for act in current.definition.acts()]
    enrollments.move_to(connection, club_id, campaign.slug, current.id, now)
    planned.move_to(connection, club_id, campaign.slug, current.id, kept, now)


def _bring_due(
    engine: Engine, campaigns: Sequence[RunningCampaign], reports: dict[str, CampaignReport]
) -> None:
    """Make touchpoints of what is due, queue them, and count them by campaign."""
    with engine.store.read() as connection:
        due = enrollments.campaigns_due(connection, engine.clock())
    for campaign in campaigns:
        if campaign.slug in due:
            with _alone(reports[campaign.slug]):
                advance(engine, campaign)
    now = engine.clock()
    engine.store.transact(planned.queue_due, now)
    with engine.store.read() as connection:
        queued = touchpoints.count_queued(connection, engine.club_id, reports, now)
        _note_pauses(connection, reports)
    for slug, report in reports.items():
        report.due = queued.get(slug, 0)


def _count_waiting(engine: Engine, reports: dict[str, CampaignReport]) -> None:
    with engine.store.read() as connection:
        waiting = enrollments.waiting(connection, engine.club_id, reports)
    for slug, report in reports.items():
        report.waiting = waiting.get(slug, 0)


def _note_pauses(connection: Connection, reports: dict[str, CampaignReport]) -> str | None:
    """Into each report why its campaign is paused; returns why everything is."""
    paused = {one.campaign: one.reason for one in pauses(connection)}
    for slug, report in reports.items():
        report.paused = paused.get(EVERYTHING, paused.get(slug))
    return paused.get(EVERYTHING)

"""A report in words: what a list of runs shows of a sweep, and its table. Never a person."""

from collections import Counter
from collections.abc import Iterable, Sequence

from crm_store.models.touchpoint import State
from crm_store.reasons import Reason
from flows.report import CampaignReport, SweepReport

WORDS = {State.QUEUED: "deferred", State.PLANNED: "postponed", State.IN_DOUBT: "in doubt"}
"""What a state is called when a delivery has led to it."""

TROUBLE = (State.REJECTED, State.FAILED, State.IN_DOUBT, State.QUEUED)
"""States that ask for a look; the others are the rules at work."""


def word_for(state: State) -> str:
    """`suppressed`; `deferred` for what went back to the queue."""
    return WORDS.get(state, str(state))


def sentence(report: CampaignReport) -> str:
    """`128 accepted, 3 suppressed (opted_out 2, no_address 1), 1 deferred (not_now 1)`."""
    parts = []
    for state in State:
        number = report.count(state)
        if number:
            reasons = _reasons(report, (state,))
            parts.append(f"{number} {word_for(state)}" + (f" ({reasons})" if reasons else ""))
    if report.paused is not None:
        parts.append("paused, so nothing of it leaves")
    return ", ".join(parts) or "nothing to send"


def title(report: CampaignReport) -> str:
    """`membership-renewal · 132 due · 128 sent, 4 held: opted_out 2, no_address 2`.

    One that is paused: `membership-renewal · 132 due · paused`.
    """
    if report.disabled is not None:
        return f"{report.campaign} · disabled"
    # Why it is paused is in a person's own words: they stay out of Prefect.
    paused = ["paused"] if report.paused is not None else []
    return " · ".join([report.campaign, f"{report.due} due", *_came_to([report]), *paused])


def sweep_title(when: str, report: SweepReport) -> str:
    """`sweep · 2026-11-22 10:30 · 128 sent, 4 held: opted_out 4 · birthday disabled`."""
    parts = ["sweep", when, *_came_to(report.campaigns)]
    disabled = [one.campaign for one in report.campaigns if one.disabled is not None]
    if disabled:
        parts.append(f"{', '.join(disabled)} disabled")
    failed = [one.campaign for one in report.campaigns if one.failed is not None]
    if failed:
        parts.append(f"{', '.join(failed)} failed")
    paused = [one.campaign for one in report.campaigns if one.paused is not None]
    if paused:
        parts.append(f"{'everything' if report.paused is not None else ', '.join(paused)} paused")
    return " · ".join(parts)


def events_title(report: SweepReport) -> str:
    """`events · new-lead · 3 entered · 3 sent`."""
    if not report.campaigns:
        return "events · no campaign listens"
    names = ", ".join(one.campaign for one in report.campaigns)
    entered = sum(one.admitted for one in report.campaigns)
    parts = ["events", names, f"{entered} entered", *_came_to(report.campaigns)]
    paused = [one.campaign for one in report.campaigns if one.paused is not None]
    return " · ".join([*parts, *([f"{', '.join(paused)} paused"] if paused else [])])


def sweep_sentence(report: SweepReport) -> str:
    """One line over all campaigns."""
    total = CampaignReport(
        "all", outcomes=sum((one.outcomes for one in report.campaigns), Counter())
    )
    parts = [f"{report.admitted} entered", sentence(total)]
    if report.recovered:
        parts.append(f"{report.recovered} claims of a dead worker recovered")
    if report.in_doubt:
        parts.append(f"{report.in_doubt} in doubt after a dead worker: see `sampark doubt`")
    parts += [f"{one.campaign} is disabled" for one in report.campaigns if one.disabled]
    parts += [f"{one.campaign} failed: {one.failed}" for one in report.campaigns if one.failed]
    parts += [f"{one.campaign} is paused" for one in report.campaigns if one.paused]
    return "; ".join(parts)


def in_trouble(report: CampaignReport) -> bool:
    """Whether a person should look at it."""
    stopped = report.disabled is not None or report.failed is not None
    return stopped or any(
        state in TROUBLE and reason is not Reason.RATE_LIMIT for state, reason in report.outcomes
    )


def table(reports: Iterable[CampaignReport]) -> list[dict[str, str | int]]:
    """A row per campaign, outcome and reason, with the reason's sentence."""
    rows: list[dict[str, str | int]] = []
    for report in reports:
        if report.disabled is not None:
            rows.append(_row(report.campaign, 0, "disabled", "", report.disabled))
        if report.failed is not None:
            rows.append(_row(report.campaign, 0, "failed", "", report.failed))
        for (state, reason), number in sorted(report.outcomes.items(), key=_order):
            meaning = reason.sentence if reason else ""
            rows.append(_row(report.campaign, number, word_for(state), str(reason or ""), meaning))
    return rows


def _row(
    campaign: str, messages: int, outcome: str, reason: str, meaning: str
) -> dict[str, str | int]:
    return {
        "campaign": campaign,
        "messages": messages,
        "outcome": outcome,
        "reason": reason,
        "meaning": meaning,
    }


def _total(reports: Iterable[CampaignReport]) -> CampaignReport:
    return CampaignReport("", outcomes=sum((one.outcomes for one in reports), Counter()))


def _came_to(reports: Sequence[CampaignReport]) -> list[str]:
    """What was sent and held; nothing, where a pause may be why there is nothing to tell."""
    if any(one.outcomes for one in reports) or all(one.paused is None for one in reports):
        return [_sent_and_held(reports)]
    return []


def _sent_and_held(reports: Iterable[CampaignReport]) -> str:
    total = _total(reports)
    sent = total.count(State.ACCEPTED)
    held = total.outcomes.total() - sent
    if not total.outcomes:
        return "nothing due"
    others = tuple(state for state in State if state != State.ACCEPTED)
    return f"{sent} sent" + (f", {held} held: {_reasons(total, others)}" if held else "")


def _reasons(report: CampaignReport, states: tuple[State, ...]) -> str:
    counts: Counter[str] = Counter()
    for (state, reason), number in report.outcomes.items():
        if state in states and reason is not None:
            counts[str(reason)] += number
    most_first = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{reason} {number}" for reason, number in most_first)


def _order(item: tuple[tuple[State, object], int]) -> tuple[int, int, str]:
    (state, reason), number = item
    return list(State).index(state), -number, str(reason)

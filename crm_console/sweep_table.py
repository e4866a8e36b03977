"""What a sweep came to, as a table and a few loud lines."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from crm_console.terminal import err, many, note, out, plain_table, print_line
from crm_store.models.touchpoint import State
from crm_store.reasons import Reason
from flows.report import CampaignReport, SweepReport
from flows.report_text import word_for

_TROUBLE = (State.REJECTED, State.FAILED, State.IN_DOUBT)


def is_partly_done(report: SweepReport) -> bool:
    """Whether a person has to look: a campaign that cannot send, or a message gone wrong."""
    return (
        any(one.disabled or one.failed or one.paused for one in report.campaigns)
        or any(report.count(state) for state in _TROUBLE)
        or report.in_doubt > 0
        or _unreachable(report) > 0
    )


def show_report(report: SweepReport) -> None:
    """Print the table and the reasons on stdout, and what needs a person on stderr."""
    moved = [one for one in report.campaigns if _has_figures(one)]
    if moved:
        out.print(_table(moved))
    if idle := len(report.campaigns) - len(moved):
        print_line(f"Nobody entered, and nothing was due: {many(idle, 'campaign')}.", "dim")
    if any(_held(one) for one in report.campaigns):
        print_line()
        print_line("Not sent now, and why:", "bold")
        out.print(_reasons(report))
    for one in report.campaigns:
        if one.disabled is not None:
            print_line(f"{one.campaign} did not run: {one.disabled}", "bold red", to=err)
        if one.failed is not None:
            text = f"{one.campaign} failed, and goes on with the next sweep: {one.failed}"
            print_line(text, "bold red", to=err)
    _show_pauses(report)
    if waiting := _unreachable(report):
        note(
            f"{many(waiting, 'message')} could not leave: no server was reached. They wait; "
            "`sampark doctor` looks closer.",
            "bold red",
        )
    if report.recovered:
        note(f"{many(report.recovered, 'message')} of a stopped run went back to the queue.")
    if report.in_doubt:
        note(
            f"{many(report.in_doubt, 'message')} of a stopped run may have left, and will not be "
            "sent again by itself: sampark doubt",
            "bold yellow",
        )


def _show_pauses(report: SweepReport) -> None:
    """Each reason once; where everything is paused, that alone."""
    if report.paused is not None:
        note(f"Everything is paused and sends nothing: {report.paused}.", "bold yellow")
        note("When that is well understood: sampark resume")
        return
    paused: dict[str, list[str]] = {}
    for one in report.campaigns:
        if one.paused is not None:
            paused.setdefault(one.paused, []).append(one.campaign)
    for reason, campaigns in paused.items():
        what = "are paused and send" if len(campaigns) > 1 else "is paused and sends"
        note(f"{', '.join(campaigns)} {what} nothing: {reason}.", "bold yellow")
        commands = "; ".join(f"sampark resume {campaign}" for campaign in campaigns)
        note(f"When that is well understood: {commands}")


def _has_figures(report: CampaignReport) -> bool:
    """Whether a line of the table says anything."""
    return bool(report.disabled or report.admitted or report.due or report.waiting or _held(report))


def _table(campaigns: Sequence[CampaignReport]) -> Table:
    figures = ("admitted", "due", "accepted", "not sent", "inside")
    table = plain_table("campaign", *figures, right=figures)
    for one in campaigns:
        if one.disabled is not None:
            table.add_row(Text(f"{one.campaign} (disabled)", "bold red"))
            continue
        accepted = one.count(State.ACCEPTED)
        table.add_row(
            one.campaign,
            f"{one.admitted:,}",
            f"{one.due:,}",
            Text(f"{accepted:,}", "green" if accepted else ""),
            f"{_held(one):,}",
            f"{one.waiting:,}",
        )
    return table


def _held(report: CampaignReport) -> int:
    return report.outcomes.total() - report.count(State.ACCEPTED)


def _reasons(report: SweepReport) -> Table:
    """A line for each outcome but `accepted`: `3  suppressed: the customer opted out`."""
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for one in report.campaigns:
        shown = one.campaign
        for (state, reason), number in sorted(one.outcomes.items(), key=_by_number):
            if state == State.ACCEPTED:
                continue
            because = f": {reason.sentence}" if reason else ""
            style = "bold red" if state in _TROUBLE else "yellow"
            table.add_row(shown, f"{number:,}", Text(f"{word_for(state)}{because}", style))
            shown = ""
    return table


def _by_number(item: tuple[tuple[State, Reason | None], int]) -> tuple[int, str]:
    (state, reason), number = item
    return -number, f"{state} {reason}"


def _unreachable(report: SweepReport) -> int:
    return sum(one.outcomes[State.QUEUED, Reason.NO_CONNECTION] for one in report.campaigns)

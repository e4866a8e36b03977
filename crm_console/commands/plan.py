"""`sampark plan`: who would get what, who would not and why, before a sweep does it."""

from collections import defaultdict
from typing import TYPE_CHECKING, Annotated

import typer

from crm_console.call import JsonOption, call_of
from crm_console.terminal import err, many, note, out, plain_table, print_json, print_line, say

if TYPE_CHECKING:
    from zoneinfo import ZoneInfo

    from flows.foresight.planning import DayPlan

_GETS = ("accepted", "done")


def plan(
    context: typer.Context,
    on: Annotated[
        str | None, typer.Option(metavar="DAY", help="Another day. [default: today, from now on]")
    ] = None,
    everyone: Annotated[
        bool, typer.Option("--all", help="Name every customer, by reference.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Tell what the rest of a day would bring: counts by campaign, step and reason.

    A copy of the database is swept through with a clock that jumps: nothing is sent, nothing is
    changed. Where a campaign file has changed it tells what becomes of those who are in it.
    """
    from crm_console.moments import read_day
    from flows.clock import wall_clock
    from flows.foresight.planning import plan_day

    project = call_of(context).project()
    now = wall_clock()
    day = read_day(on) if on else now.astimezone(project.zone).date()
    with err.status("Looking ahead …"):
        planned = plan_day(project, day, now)
    if as_json:
        told = planned.to_json()
        if everyone:
            told["everyone"] = [vars(one) | {"at": one.at.isoformat()} for one in planned.decisions]
        print_json(told)
        return
    _show(planned)
    if everyone:
        _show_everyone(planned, project.zone)


def _show(planned: "DayPlan") -> None:
    from crm_console.moments import show_day
    from crm_store.models.operation import EVERYTHING

    gets = sum(one.state in _GETS for one in planned.decisions)
    rest = len(planned.decisions) - gets
    done = f"{many(gets, 'step')} done"
    if planned.is_past:
        done = f"this day is past; {done}, or that would have been"
    print_line(f"{show_day(planned.day)}: {done}, {rest:,} not.", "bold")
    for campaign, reason in planned.paused.items():
        what = "Everything is paused, and nothing"
        if campaign != EVERYTHING:
            what = f"{campaign} is paused, and nothing of it"
        say(f"{what} leaves: {reason}.", "bold yellow")
    for sentence in _changes(planned):
        say(f"{sentence}.", "bold yellow")
    if planned.decisions:
        print_line()
        _show_counts(planned)
    for campaign, number in planned.left_out.items():
        who = many(number, "customer")
        say(f"{campaign} keeps out {who} whose occasion has come: its `where`, or re-entry.", "dim")
    for campaign, problem in planned.disabled.items():
        print_line(f"{campaign} does not run: {problem}", "bold red", to=err)
    note("Nothing was sent, and nothing has changed.")


def _changes(planned: "DayPlan") -> list[str]:
    """What has changed. In a new club everything is new: that is said once."""
    new = [one.campaign for one in planned.changes if one.from_version is None]
    if len(new) < 2:
        return [one.sentence() for one in planned.changes]
    changed = [one.sentence() for one in planned.changes if one.from_version is not None]
    names = ", ".join(sorted(new))
    return [*changed, f"{len(new)} campaigns are new, and nobody is in them yet: {names}"]


def _show_counts(planned: "DayPlan") -> None:
    from rich.text import Text

    from crm_store.reasons import sentence_of

    becomes = "what became of it" if planned.is_past else "what becomes of it"
    table = plain_table("campaign", "step", "customers", becomes, right=("customers",))
    by_step: dict[tuple[str, str], list[tuple[int, str, str]]] = defaultdict(list)
    for (campaign, step, state, reason), number in planned.counts().items():
        gets = state in _GETS
        waits = state in ("planned", "queued")
        words = _done(state, is_past=planned.is_past) if gets else ""
        words = words or ("waits: " if waits else f"{state}: ") + sentence_of(reason)
        style = "green" if gets else "dim" if waits else "yellow"
        by_step[campaign, step].append((number, words, style))
    shown = ""
    for (campaign, step), outcomes in sorted(by_step.items()):
        for index, (number, words, style) in enumerate(sorted(outcomes, reverse=True)):
            table.add_row(
                "" if campaign == shown else campaign,
                "" if index else step,
                f"{number:,}",
                Text(words, style),
            )
            shown = campaign
    out.print(table)


def _done(state: str, *, is_past: bool) -> str:
    if state == "accepted":
        return "went out, or would have" if is_past else "goes out"
    return "was done, or would have been" if is_past else "is done"


def _show_everyone(planned: "DayPlan", zone: "ZoneInfo") -> None:
    from rich.text import Text

    from crm_console.moments import show_moment
    from crm_store.reasons import sentence_of

    print_line()
    table = plain_table("customer", "campaign", "step", "channel", "when", "state")
    for one in planned.decisions:
        because = f": {sentence_of(one.reason)}" if one.reason else ""
        table.add_row(
            Text(one.customer_ref),
            one.campaign,
            one.step,
            one.channel,
            show_moment(one.at, zone),
            Text(one.state + because),
        )
    out.print(table)

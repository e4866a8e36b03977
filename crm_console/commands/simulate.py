"""`sampark simulate`: what the campaigns would send, day by day, before any of it is sent."""

from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crm_console.call import JsonOption, call_of
from crm_console.terminal import err, many, note, out, plain_table, print_json, print_line, say
from crm_store.errors import UsageError

if TYPE_CHECKING:
    from flows.foresight.assumptions import Assumptions
    from flows.foresight.overload import Overload
    from flows.foresight.simulation import Simulated, Spread

_LONGEST = timedelta(days=731)
_BAR = 40
_DAYS_SHOWN = 31
"""A longer time is shown by the week."""


def simulate(
    context: typer.Context,
    first: Annotated[
        str | None, typer.Option("--from", metavar="DAY", help="First day. [default: today]")
    ] = None,
    last: Annotated[
        str | None, typer.Option("--to", metavar="DAY", help="Last day. [default: 30 days on]")
    ] = None,
    assume: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Assumptions as YAML: seed, visits, responses."),
    ] = None,
    respond: Annotated[
        list[str] | None,
        typer.Option(
            metavar="STEP=SHARE",
            help="Who gets this step renews: membership-renewal.offer=20%. As often as you like.",
        ),
    ] = None,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE.svg", help="Draw the load of each day as well.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Run the campaigns on a copy of the database, with a clock that jumps, and count.

    Shows the load by day and campaign, how many messages a member gets, how often caps, quiet
    hours and send windows hold something back, and the days that are too much for a limit of
    club.yaml. Nothing is sent and nothing is changed. New leads do not come; what people do is
    for you to assume.
    """
    from crm_console.calendar_picture import draw
    from crm_console.moments import read_day
    from flows.clock import wall_clock
    from flows.foresight.overload import overloads
    from flows.foresight.simulation import simulate as run

    project = call_of(context).project()
    today = wall_clock().astimezone(project.zone).date()
    begin = read_day(first) if first else today
    end = read_day(last) if last else begin + timedelta(days=30)
    if end < begin:
        raise UsageError(f"{end} is before {begin}.", "Name a later --to, or an earlier --from.")
    if end > begin + _LONGEST:
        raise UsageError(f"From {begin} to {end} is too long.", "Name a time of up to two years.")
    if picture is not None and picture.suffix != ".svg":
        raise UsageError(f"{picture} is no .svg file.", "Pictures are drawn as SVG.")
    assumptions = _assumptions(assume, respond or [])
    with err.status("Simulating …"):
        result = run(project, begin, end, assumptions)
    too_much = overloads(result, project.settings)
    if picture is not None:
        picture.write_text(draw(result, too_much), encoding="utf-8")
    if as_json:
        print_json(result.to_json() | {"overloads": [one.to_json() for one in too_much]})
    else:
        _show(result, too_much)


def _assumptions(file: Path | None, respond: list[str]) -> "Assumptions":
    from flows.foresight.assumptions import Assumptions, read_assumptions, response

    given = read_assumptions(file) if file is not None else Assumptions()
    more = tuple(response(one) for one in respond)
    return given.model_copy(update={"responses": given.responses + more})


def _show(result: "Simulated", too_much: list["Overload"]) -> None:
    people = many(result.per_member.people, "member")
    print_line(
        f"{result.first} to {result.last}: {many(result.messages, 'message')} to {people}.", "bold"
    )
    print_line()
    _show_campaigns(result)
    print_line()
    _show_calendar(result)
    print_line()
    _show_spread("a member, in all", result.per_member)
    _show_spread("a member, in a week with any", result.per_member_week)
    for one in too_much:
        say(one.sentence(), "bold yellow")
    if not too_much:
        note("No day is too much for the limits of club.yaml.")
    for campaign, problem in result.disabled.items():
        print_line(f"{campaign} was left out: {problem}", "bold red", to=err)


def _show_campaigns(result: "Simulated") -> None:
    from crm_store.reasons import Reason

    headings = ("entered", "messages", "cap", "quiet hours", "send window")
    table = plain_table("campaign", *headings, right=headings)
    campaigns = result.campaigns()
    moved = [one for one in campaigns if result.admitted[one] or result.outcomes.get(one)]
    for one in moved:
        table.add_row(
            one,
            f"{result.admitted[one]:,}",
            f"{result.sent(one):,}",
            f"{result.held(one, Reason.CAP):,}",
            f"{result.held(one, Reason.QUIET_HOURS):,}",
            f"{result.held(one, Reason.SEND_WINDOW):,}",
        )
    if moved:
        out.print(table)
    for one in moved:
        if unmade := result.held(one, Reason.TEMPLATE):
            why = "a value that the template needs is missing, of the customer or in the event"
            say(f"{many(unmade, 'message')} of {one} could not be made: {why}.", "bold yellow")
    if idle := len(campaigns) - len(moved):
        print_line(f"Nobody enters, and nothing falls due: {many(idle, 'campaign')}.", "dim")


def _show_calendar(result: "Simulated") -> None:
    """A line for each day, or for each week of a longer time."""
    by_week = (result.last - result.first).days >= _DAYS_SHOWN
    totals: dict[date, int] = {}
    day = result.first
    while day <= result.last:
        begin = max(day - timedelta(days=day.weekday()), result.first) if by_week else day
        totals[begin] = totals.get(begin, 0) + (
            result.load[day].total() if day in result.load else 0
        )
        day += timedelta(days=1)
    most = max(totals.values(), default=0)
    table = plain_table("week from" if by_week else "day", "messages", "", right=("messages",))
    for begin, number in totals.items():
        bar = "█" * -(-number * _BAR // most) if most else ""
        table.add_row(f"{begin:%a} {begin}", f"{number:,}", bar)
    out.print(table)


def _show_spread(whose: str, spread: "Spread") -> None:
    print_line(
        f"Messages to {whose}: {spread.median} in the middle, "
        f"{spread.p99} at the 99th percentile, {spread.worst} at most."
    )

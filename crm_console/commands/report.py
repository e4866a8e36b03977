"""`sampark report`: what campaigns came to."""

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from crm_console.call import JsonOption, SamparkGroup, call_of
from crm_console.commands.report_versions import versions
from crm_console.moments import read_moment, show_day
from crm_console.terminal import note, out, print_json
from crm_store.event_names import MEMBERSHIP_RENEWED

if TYPE_CHECKING:
    from crm_store.attribution import Credit

report = typer.Typer(cls=SamparkGroup, no_args_is_help=True, help="What campaigns came to.")


@report.callback()
def _report() -> None:
    """What campaigns came to."""


report.command("versions")(versions)


@report.command("campaigns")
def campaigns(
    context: typer.Context,
    since: Annotated[
        str, typer.Option("--from", metavar="DAY", help="The first day. [default: 30 days ago]")
    ] = "",
    until: Annotated[
        str, typer.Option("--to", metavar="DAY", help="The last day. [default: today]")
    ] = "",
    goal: Annotated[
        list[str] | None, typer.Option(help="An event that counts. [default: membership_renewed]")
    ] = None,
    window: Annotated[
        int, typer.Option(min=1, max=365, help="Days before a goal in which a message counts.")
    ] = 30,
    as_json: JsonOption = False,
) -> None:
    """Messages, and which campaign's came first and last before each renewal and purchase.

    It says what was there, not what it brought about: of those who would have come anyway a
    campaign's holdout tells.

    Example: sampark report campaigns --from 2026-11-01 --to 2026-11-30
    """
    from crm_console.naming import refuse_unknown_event
    from crm_store.attribution import Goals, attribution, messages_sent
    from flows.clock import wall_clock
    from flows.project import open_club

    project = call_of(context).project()
    zone, day = project.zone, timedelta(days=1)
    today = wall_clock().astimezone(zone).date()
    begins = read_moment(since or str(today - 29 * day), zone)
    ends = read_moment(until or str(today), zone) + day
    goals = Goals(begins, ends, events=goal or [MEMBERSHIP_RENEWED], purchases=True)
    with open_club(project, wall_clock) as (store, club_id), store.read() as connection:
        for name in goal or []:
            refuse_unknown_event(connection, project, name)
        credits = attribution(connection, club_id, goals, window * day)
        sent = messages_sent(connection, club_id, begins, ends)
    rows = _rows(credits, sent)
    if as_json:
        print_json({"from": begins.isoformat(), "to": ends.isoformat(), "campaigns": rows})
        return
    last_day = (ends - timedelta(seconds=1)).astimezone(zone)
    note(f"{show_day(begins.astimezone(zone))} to {show_day(last_day)}")
    _show(rows, project.settings.club.currency)


Row = dict[str, str | int | float | None]


def _rows(credits: "list[Credit]", sent: dict[str, int]) -> list[Row]:
    """A row for each campaign that sent or gets credit, and one for goals without a message."""
    by_campaign = {one.campaign: one for one in credits}
    names = [*by_campaign, *(name for name in sorted(sent) if name not in by_campaign)]
    rows: list[Row] = []
    for name in names:
        one = by_campaign.get(name)
        rows.append(
            {
                "campaign": name,
                "messages": sent.get(name, 0) if name else 0,
                "first_touch": one.first if one else 0,
                "last_touch": one.last if one else 0,
                "first_touch_amount": float(one.first_amount) if one else 0.0,
                "last_touch_amount": float(one.last_amount) if one else 0.0,
            }
        )
    return rows


def _show(rows: list[Row], currency: str) -> None:
    from rich.table import Table

    table = Table("Campaign", box=None, pad_edge=False, header_style="bold")
    for heading in ("Messages", "First", "Last", f"First, {currency}", f"Last, {currency}"):
        table.add_column(heading, justify="right")
    for row in rows:
        counts = [f"{row[key]:,}" for key in ("messages", "first_touch", "last_touch")]
        amounts = [f"{row[key]:,.2f}" for key in ("first_touch_amount", "last_touch_amount")]
        table.add_row(str(row["campaign"] or "(no message before)"), *counts, *amounts)
    out.print(table)

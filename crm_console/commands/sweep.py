"""`sampark sweep`: one pass over all campaigns, now."""

from datetime import datetime, time
from typing import TYPE_CHECKING, Annotated

import typer

from crm_console.call import PARTLY_DONE, JsonOption, call_of
from crm_console.terminal import note, print_json
from crm_store.errors import UsageError

if TYPE_CHECKING:
    from flows.project import Project

NOON = time(12)
"""A day without a time of day."""


def sweep(
    context: typer.Context,
    as_of: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="As if it were then; a day alone is its noon. [default: now]"
        ),
    ] = None,
    campaign: Annotated[str | None, typer.Option(help="Only this campaign.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Run one pass now: admit who is due, make what is due, and hand it over.

    The table counts per campaign: admitted, due, accepted by the server, not sent and why, and
    the customers who wait for a next step. A second sweep finds nothing to do: nobody gets a
    message twice. In `mode: rehearsal` everything goes to the catchers.

    Exit code 4 when a campaign is broken or paused, or its file is gone while customers are inside,
    when a message was rejected, failed or is in doubt, or when no server was reached.
    """
    from crm_console.moments import read_moment
    from crm_console.naming import refuse_unknown_campaign
    from crm_console.sweep_table import is_partly_done, show_report
    from crm_console.sweeping import sweep_now
    from crm_store.models.touchpoint import State

    project = call_of(context).project()
    moment = read_moment(as_of, project.zone, clock=NOON) if as_of else None
    refuse_unknown_campaign(project, campaign)
    _refuse_running_ahead(project, moment)
    report = sweep_now(project, as_of=moment, only=campaign)
    if as_json:
        print_json(report.to_json())
    else:
        show_report(report)
        if project.settings.mode == "rehearsal" and report.count(State.ACCEPTED):
            note("This was a rehearsal: the catchers have the messages. To read them: sampark up")
    if is_partly_done(report):
        raise typer.Exit(PARTLY_DONE)


def _refuse_running_ahead(project: "Project", moment: datetime | None) -> None:
    from flows.clock import wall_clock

    if moment and project.settings.mode == "live" and moment > wall_clock():
        raise UsageError(
            "In `mode: live` a sweep cannot run ahead: its messages would leave too early.",
            "Leave --as-of out, or try it in `mode: rehearsal`.",
        )

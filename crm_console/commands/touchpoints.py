"""`sampark touchpoints`: the ledger, as a list."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_console.call import JsonOption, call_of
from crm_console.terminal import note, print_json
from crm_store.errors import UsageError

if TYPE_CHECKING:
    from crm_store.history import TouchpointRecord


def touchpoints(
    context: typer.Context,
    campaign: Annotated[str | None, typer.Option(help="Only of this campaign.")] = None,
    state: Annotated[
        list[str] | None, typer.Option(help="Only in this state, such as in_doubt; repeatable.")
    ] = None,
    customer: Annotated[
        str | None,
        typer.Option(help="Only one customer's: a reference, e-mail address or phone number."),
    ] = None,
    since: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only those due from this moment on.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 50,
    as_json: JsonOption = False,
) -> None:
    """List touchpoints, the latest first: what was sent, what waits, what was not sent and why.

    States: planned, queued, claimed, sending, accepted, rejected, suppressed, expired, cancelled,
    failed, in_doubt.
    """
    from crm_console.touchpoint_list import show_touchpoints, touchpoint_json

    project = call_of(context).project()
    found = _find(project, campaign, state or [], customer, since, limit)
    if as_json:
        print_json([touchpoint_json(one) for one in found])
        return
    show_touchpoints(found, project.zone)
    if len(found) == limit:
        note("There may be more: --limit")


def _find(
    project: Any,
    campaign: str | None,
    states: list[str],
    customer: str | None,
    since: str | None,
    limit: int,
) -> list["TouchpointRecord"]:
    from crm_console.moments import read_moment
    from crm_console.naming import customer_named, refuse_unknown_campaign
    from crm_store import history
    from crm_store.models.touchpoint import State
    from flows.clock import wall_clock
    from flows.project import open_club
    from triggers.problems import choose_from

    for one in states:
        if one not in set(State):
            raise UsageError(f"There is no state {one}.", choose_from(one, map(str, State)))
    with open_club(project, wall_clock) as (store, club_id), store.read() as connection:
        country = project.settings.club.country
        found = history.list_touchpoints(
            connection,
            club_id,
            campaign=campaign,
            states=states,
            customer_id=customer_named(connection, club_id, customer, country)
            if customer
            else None,
            since=read_moment(since, project.zone) if since else None,
            limit=limit,
        )
    if not found:
        # The ledger outlives a campaign's file: only a name that nothing has is misspelt.
        refuse_unknown_campaign(project, campaign)
    return found

"""`sampark pause` and `sampark resume`: the red button."""

from typing import Annotated

import typer

from crm_console.call import JsonOption, call_of
from crm_console.terminal import note, print_json, print_line

CampaignArgument = Annotated[
    str | None, typer.Argument(metavar="CAMPAIGN", help="Only this campaign. [default: everything]")
]


def pause(
    context: typer.Context,
    campaign: CampaignArgument = None,
    reason: Annotated[str, typer.Option(help="For those who wonder later.")] = "paused by hand",
    as_json: JsonOption = False,
) -> None:
    """Stop sending: everything, or one campaign. It holds from the next message on.

    Customers still enter, and messages wait; what gets too late meanwhile is not sent afterwards.
    """
    from crm_console.naming import refuse_unknown_campaign
    from crm_store.models.operation import EVERYTHING
    from crm_store.pauses import pause as pause_in
    from flows.clock import wall_clock
    from flows.project import open_club

    project = call_of(context).project()
    refuse_unknown_campaign(project, campaign)
    with open_club(project, wall_clock) as (store, _), store.write() as connection:
        changed = pause_in(connection, campaign or EVERYTHING, reason, wall_clock())
    said = "is paused" if changed else "was paused already"
    _answer(campaign, said, changed=changed, as_json=as_json)
    if not as_json:
        note(f"To go on: sampark resume {campaign or ''}".rstrip())


def resume(
    context: typer.Context, campaign: CampaignArgument = None, as_json: JsonOption = False
) -> None:
    """Go on sending, after `pause`, or after Sampark itself stopped at a copied or older database.

    Look why it is paused before you resume: `sampark sweep` and `sampark doctor` say it.
    """
    from crm_console.naming import refuse_unknown_campaign
    from crm_store.models.operation import EVERYTHING
    from crm_store.pauses import pauses
    from crm_store.pauses import resume as resume_in
    from flows.clock import wall_clock
    from flows.project import open_club

    project = call_of(context).project()
    refuse_unknown_campaign(project, campaign)
    with open_club(project, wall_clock) as (store, _), store.write() as connection:
        changed = resume_in(connection, campaign or EVERYTHING)
        still = [one.campaign for one in pauses(connection)]
    said = "goes on" if changed else "was not paused"
    _answer(campaign, said, changed=changed, as_json=as_json)
    for one in () if as_json else still:
        if one == EVERYTHING:
            note("It waits all the same, for everything is paused: sampark resume", "yellow")
        elif campaign is None:
            note(f"{one} has a pause of its own: sampark resume {one}", "yellow")


def _answer(campaign: str | None, said: str, *, changed: bool, as_json: bool) -> None:
    if as_json:
        print_json({"campaign": campaign, "changed": changed})
    else:
        print_line(f"{campaign or 'Everything'} {said}.")

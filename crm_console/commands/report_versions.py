"""`sampark report versions`: what each version of a campaign came to, step by step."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_console.call import JsonOption, call_of
from crm_console.shares import Share, difference, share
from crm_console.terminal import many, out, plain_table, print_json, print_line, say

if TYPE_CHECKING:
    from crm_store.version_figures import Met, VersionFigures


def versions(
    context: typer.Context,
    campaign: Annotated[
        str | None, typer.Argument(metavar="CAMPAIGN", help="Only this campaign.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Who entered each version, what its steps came to, and whose goal was met.

    Shares are of customers, with the range in which they lie with 95 % confidence. Where the
    campaign holds customers out, the difference to them is what the campaign brought about.
    """
    from crm_console.naming import refuse_unknown_campaign
    from crm_store.version_figures import version_figures
    from flows.clock import wall_clock
    from flows.project import open_club

    project = call_of(context).project()
    refuse_unknown_campaign(project, campaign)
    with open_club(project, wall_clock) as (store, club_id), store.read() as connection:
        found = version_figures(connection, club_id, campaign)
    if as_json:
        print_json({"versions": [_json(one) for one in found]})
        return
    for one in found:
        _show(one)
    if not found:
        say("Nobody has entered yet.")


def _share(met: "Met | None") -> Share | None:
    return share(met.met, met.of) if met else None


def _show(one: "VersionFigures") -> None:
    from rich.text import Text

    from crm_store.reasons import sentence_of

    print_line(f"{one.campaign}, version {one.version}: {many(one.entered, 'customer')}", "bold")
    print_line("  " + ", ".join(f"{number:,} {name}" for name, number in _statuses(one)), "dim")
    goal, held = _share(one.goal), _share(one.held_out)
    if goal is not None:
        say(f"goal met: {goal.met:,} of {goal.of:,}, {goal}", indent=2)
    if goal is not None and held is not None:
        more, low, high = difference(goal, held)
        say(f"held out: {held.met:,} of {held.of:,}, {held}", indent=2)
        clear = "" if low > 0 or high < 0 else "; chance alone may have done that"
        points = f"{more * 100:+.1f} points ({low * 100:+.1f} to {high * 100:+.1f})"
        say(f"the campaign made {points}{clear}", indent=2)
    of_goal = ("goal met",) if one.goal is not None else ()
    table = plain_table("  step", "sent", *of_goal, "not sent", right=("sent",))
    for step in one.steps:
        name = f"{step.step}.{step.variant}" if step.variant else step.step
        reasons = ", ".join(
            f"{number:,} {sentence_of(reason) or reason}"
            for reason, number in step.not_sent.most_common()
        )
        met = (str(_share(step.goal) or ""),) if of_goal else ()
        table.add_row(f"  {name}", f"{step.sent:,}", *met, Text(reasons))
    out.print(table)
    print_line()


def _statuses(one: "VersionFigures") -> list[tuple[str, int]]:
    return [(name.replace("_", " "), number) for name, number in one.by_status.most_common()]


def _json(one: "VersionFigures") -> dict[str, Any]:
    goal, held = _share(one.goal), _share(one.held_out)
    return {
        "campaign": one.campaign,
        "version": one.version,
        "entered": one.entered,
        "by_status": dict(sorted(one.by_status.items())),
        "goal": _share_json(goal),
        "held_out": _share_json(held),
        "difference": difference(goal, held) if goal and held else None,
        "steps": [
            {
                "step": step.step,
                "variant": step.variant,
                "sent": step.sent,
                "not_sent": dict(sorted(step.not_sent.items())),
                "goal": _share_json(_share(step.goal)),
            }
            for step in one.steps
        ],
    }


def _share_json(one: Share | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {"met": one.met, "of": one.of, "share": one.value, "low": one.low, "high": one.high}

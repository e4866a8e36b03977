"""`sampark doubt`: messages of which nobody knows whether the server took them."""

from enum import StrEnum
from typing import Annotated

import typer

from crm_console.call import JsonOption, call_of, row_id
from crm_console.terminal import many, note, print_json, print_line
from crm_store.errors import UsageError


class Verdict(StrEnum):
    """What somebody who looked has found, or wants."""

    ARRIVED = "arrived"
    GIVE_UP = "give-up"
    RESEND = "resend"


def doubt(
    context: typer.Context,
    ids: Annotated[
        list[int] | None,
        typer.Argument(
            metavar="IDS",
            parser=row_id,
            help="Touchpoints, by their id. [default: list them]",
        ),
    ] = None,
    verdict: Annotated[
        Verdict | None,
        typer.Option("--as", help="It arrived; it did not and is given up; or send it once more."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the touchpoints in doubt, or settle some of them.

    A message is in doubt when the program or the connection broke after its last byte may have
    left. Look into the mail server's log for its Message-ID: `sampark doubt --json` shows it.
    `--as resend` sends the same message again: perhaps it arrives twice.

    Example: sampark doubt 812 813 --as arrived
    """
    from crm_console.touchpoint_list import show_touchpoints, touchpoint_json
    from crm_store import doubts, history
    from crm_store.models.touchpoint import State
    from flows.clock import wall_clock
    from flows.project import open_club

    if bool(ids) != (verdict is not None):
        raise UsageError(
            "Say both: which touchpoints, and what became of them.",
            "Such as: sampark doubt 812 --as arrived. Alone, `sampark doubt` lists them.",
        )
    project = call_of(context).project()
    with open_club(project, wall_clock) as (store, club_id):
        if not ids or verdict is None:
            with store.read() as connection:
                found = history.list_touchpoints(connection, club_id, states=[State.IN_DOUBT])
            if as_json:
                print_json([touchpoint_json(one) for one in found])
            else:
                show_touchpoints(found, project.zone)
            return
        if verdict is Verdict.RESEND:
            settled = store.transact(doubts.resend, ids, wall_clock())
        else:
            arrived = verdict is Verdict.ARRIVED
            settled = store.transact(doubts.resolve, ids, arrived=arrived, now=wall_clock())
    if as_json:
        print_json({"settled": settled})
    else:
        print_line(f"{many(settled, 'touchpoint')} settled as {verdict}.")
    if settled < len(set(ids)):
        note(f"{len(set(ids)) - settled} of them were not in doubt: nothing was changed there.")

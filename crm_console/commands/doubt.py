"""`sampark doubt`: messages of which nobody knows whether the server took them."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from crm_console.call import PARTLY_DONE, JsonOption, call_of, row_id
from crm_console.terminal import many, note, print_json, print_line
from crm_store.errors import UnknownName, UsageError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from crm_store.models.touchpoint import State


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
    `--as resend` sends the same message again: perhaps it arrives twice. Exit code 4 when only
    some of IDS could be settled, 1 when none.

    Example: sampark doubt 812 813 --as arrived
    """
    from crm_console.touchpoint_list import show_touchpoints, touchpoint_json
    from crm_store import history
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
        settled, before = store.transact(_settle, club_id, ids, verdict, wall_clock())
    others = [*_others(ids, before)]
    if others and not settled:
        raise UnknownName(" ".join(others), "`sampark doubt` lists those that are in doubt.")
    if as_json:
        print_json({"settled": settled})
    else:
        print_line(f"{many(settled, 'touchpoint')} settled as {verdict}.")
    for sentence in others:
        note(sentence, "yellow")
    if others:
        raise typer.Exit(PARTLY_DONE)


def _settle(
    connection: "Connection", club_id: int, ids: Sequence[int], verdict: Verdict, now: datetime
) -> tuple[int, "Mapping[int, State]"]:
    """How many were settled, and the state in which each of the club's was before."""
    from crm_store import doubts
    from crm_store.models.touchpoint import State

    before = doubts.states_of(connection, club_id, ids)
    doubted = [one for one, state in before.items() if state is State.IN_DOUBT]
    if verdict is Verdict.RESEND:
        return doubts.resend(connection, doubted, now), before
    arrived = verdict is Verdict.ARRIVED
    return doubts.resolve(connection, doubted, arrived=arrived, now=now), before


def _others(ids: Sequence[int], before: "Mapping[int, State]") -> Iterator[str]:
    """What is said of those that are not there, or not in doubt."""
    from crm_store.models.touchpoint import State

    for one in dict.fromkeys(ids):
        if one not in before:
            yield f"There is no touchpoint {one}."
        elif before[one] is not State.IN_DOUBT:
            yield f"Touchpoint {one} is {before[one]}, not in doubt: nothing was changed there."

"""`sampark inbox`: what others have sent us that could not be used."""

from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from crm_console.call import JsonOption, call_of, row_id
from crm_console.terminal import many, note, out, plain_table, print_json, print_line
from crm_store.errors import UsageError

if TYPE_CHECKING:
    from crm_store.inbox import Failed


def inbox(
    context: typer.Context,
    ids: Annotated[
        list[int] | None,
        typer.Argument(
            metavar="IDS",
            parser=row_id,
            help="Messages, by their id. [default: list them]",
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Read these once more: their cause has been mended.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """List what came in and could not be used: reports of providers, leads, answers.

    Each has its reason. The others were read; nothing waits for these. What they said is kept
    for 30 days and is not shown, for people's addresses are in it.

    Example: sampark inbox 31 32 --again
    """
    from crm_store import inbox
    from flows.clock import wall_clock
    from flows.project import open_club

    if again != bool(ids):
        raise UsageError(
            "Say both: which messages, and that they are to be read again.",
            "Such as: sampark inbox 31 --again. Alone, `sampark inbox` lists them.",
        )
    project = call_of(context).project()
    with open_club(project, wall_clock) as (store, club_id):
        if ids:
            found = store.transact(inbox.read_again, club_id, ids, wall_clock())
            _tell(found, len(set(ids)), as_json=as_json)
            return
        with store.read() as connection:
            failed = inbox.failed(connection, club_id)
            waiting = inbox.count_waiting(connection, club_id)
    if as_json:
        print_json({"waiting": waiting, "failed": [_json(one) for one in failed]})
    else:
        _show(failed, waiting, project.zone)


def _tell(found: int, asked: int, *, as_json: bool) -> None:
    if as_json:
        print_json({"again": found})
    else:
        print_line(
            f"{many(found, 'message')} will be read again: by `up` at once, else by a sweep."
        )
    if found < asked:
        note(f"{asked - found} of them had not failed: nothing was changed there.")


def _show(failed: "list[Failed]", waiting: int, zone: ZoneInfo) -> None:
    if failed:
        table = plain_table(*("id", "received", "from", "tries", "why it could not be used"))
        for one in failed:
            received = f"{one.received_at.astimezone(zone):%Y-%m-%d %H:%M}"
            table.add_row(str(one.id), received, one.source, str(one.attempts), one.failure)
        out.print(table)
    note(f"{many(len(failed), 'message')} could not be used; {many(waiting, 'message')} wait.")


def _json(one: "Failed") -> dict[str, str | int]:
    return {
        "id": one.id,
        "source": one.source,
        "received_at": one.received_at.isoformat(),
        "attempts": one.attempts,
        "failure": one.failure,
    }

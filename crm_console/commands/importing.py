"""`sampark import`: customers, memberships, visits and purchases from a file."""

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_console.call import PARTLY_DONE, JsonOption, call_of
from crm_console.terminal import counting, err, many, note, print_json, print_line
from crm_store.errors import UsageError

if TYPE_CHECKING:
    from crm_store.imports.result import ImportResult
    from flows.project import Project

_SHOWN = 5
"""So many rejected rows are shown; the file has them all."""


class Dates(StrEnum):
    """How 03/04/2026 is meant."""

    DMY = "dmy"
    MDY = "mdy"


def import_(
    context: typer.Context,
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="customers, memberships, visits or purchases.")
    ],
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE", exists=True, dir_okay=False, readable=True, help="A CSV file."
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Read and judge every row; change nothing.")
    ] = False,
    dates: Annotated[
        Dates | None, typer.Option(help="Which comes first in 03/04/2026: the day or the month.")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help="Of the file, such as cp1251. [default: found out]")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=HEADING",
            help="Say which heading a column has; repeatable. A wrong NAME lists the right ones.",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Bring customers, memberships, visits or purchases from a CSV file of another program.

    Columns are found by their headings. An opt-out column becomes an opt-out here. The same file
    twice changes nothing the second time. Rows that cannot be taken go to FILE.rejected.csv, each
    with the reason; mend them there and import that file. Exit code 4 when there are any.

    Example: sampark import customers members.csv --dry-run
    """
    from crm_store.imports.result import write_rejected

    result, strange_plans = _import(
        call_of(context).project(),
        kind,
        file,
        dry_run=dry_run,
        encoding=encoding,
        mapping=_mapping(column or []),
        dates=dates,
    )
    rejected = file.with_name(f"{file.name}.rejected.csv") if result.rejected else None
    if rejected:
        write_rejected(rejected, result)
    if as_json:
        print_json(_to_json(result, rejected, dry_run=dry_run))
    else:
        _show(result, kind, rejected, dry_run=dry_run)
        for plan in strange_plans:
            note(
                f"No campaign can name the plan {plan}: add it to `plans:` in club.yaml.", "yellow"
            )
    if rejected:
        raise typer.Exit(PARTLY_DONE)


def _import(
    project: "Project", kind: str, file: Path, **options: Any
) -> tuple["ImportResult", list[str]]:
    """What was done, and the plans in the store that club.yaml does not name."""
    from crm_store.clubs import plans_held
    from crm_store.imports.cells import DateOrder
    from crm_store.imports.run import import_file
    from flows.clock import wall_clock
    from flows.project import open_club

    dates = options.pop("dates")
    now: datetime = wall_clock()
    with open_club(project, wall_clock) as (store, club_id), counting("rows") as progress:
        bar = progress.add_task(f"{kind} from {file.name}", total=_lines(file))
        result = import_file(
            store,
            kind,
            file,
            club_id=club_id,
            catalogue=project.catalogue,
            now=now,
            dates=DateOrder(dates) if dates else None,
            on_progress=lambda rows: progress.update(bar, completed=rows),
            **options,
        )
        with store.read() as connection:
            strange = plans_held(connection, club_id) - set(project.settings.plans)
    return result, sorted(strange) if kind == "memberships" and project.settings.plans else []


def _lines(file: Path) -> int:
    """About how many rows there are: enough for a progress bar."""
    with file.open("rb") as stream:
        return max(sum(1 for _ in stream) - 1, 1)


def _mapping(columns: list[str]) -> dict[str, str]:
    pairs = [column.partition("=") for column in columns]
    for name, sign, _ in pairs:
        if not sign:
            raise UsageError(
                f"--column {name} says no heading.", 'Write it as --column phone="Mobile No".'
            )
    return {name.strip(): heading.strip() for name, _, heading in pairs}


def _to_json(result: "ImportResult", rejected: Path | None, *, dry_run: bool) -> dict[str, Any]:
    return {
        "dry_run": dry_run,
        "encoding": result.encoding,
        "read": result.read,
        "added": result.added,
        "updated": result.updated,
        "unchanged": result.unchanged,
        "rejected": len(result.rejected),
        "rejected_file": str(rejected) if rejected else None,
        "unknown_columns": list(result.unknown_columns),
        "worked_out_columns": list(result.worked_out),
    }


def _show(result: "ImportResult", kind: str, rejected: Path | None, *, dry_run: bool) -> None:
    counts = (
        f"{result.added:,} new, {result.updated:,} changed, {result.unchanged:,} unchanged, "
        f"{len(result.rejected):,} rejected"
    )
    print_line(f"{many(result.read, 'row')} of {kind} read: {counts}.", "bold")
    strange = [one for one in result.unknown_columns if one not in result.worked_out]
    if strange:
        note(
            f"Nothing was read from: {', '.join(strange)}. "
            'To say what one of them is: --column NAME="HEADING", where NAME is one of: '
            f"{', '.join(result.missing_columns)}.",
            "yellow",
        )
    if result.worked_out:
        note(
            f"Nothing was read from: {', '.join(result.worked_out)}. Sampark works that out by "
            "itself. To keep what another program says, add a field of your own below `fields:` in "
            f'club.yaml, and import with --column FIELD="{result.worked_out[0]}"',
            "yellow",
        )
    for row in result.rejected[:_SHOWN]:
        problems = " ".join(f"{problem.column}: {problem.text}" for problem in row.problems)
        print_line(f"  line {row.line}: {problems}", "yellow", to=err)
    if rejected:
        note(f"All rejected rows, each with its reason: {rejected}", "yellow")
    if dry_run:
        note("This was a dry run: nothing was imported.")

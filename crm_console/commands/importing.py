"""`sampark import`: customers, memberships, visits and purchases from a file."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_console.call import PARTLY_DONE, JsonOption, call_of
from crm_console.terminal import counting, err, many, note, print_json, print_line
from crm_store.errors import SamparkError, UsageError

if TYPE_CHECKING:
    from crm_store.imports.result import ImportResult
    from flows.project import Project

_SHOWN = 5
"""So many rejected rows and unknown plans are shown."""


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
    with the reason; mend them there and import that file. What you have mended there is never
    written over: other rows go to FILE.rejected-2.csv. Exit code 4 when there are any.

    Example: sampark import customers members.csv --dry-run
    """
    project = call_of(context).project()
    result = _import(
        project,
        kind,
        file,
        dry_run=dry_run,
        encoding=encoding,
        mapping=_mapping(column or []),
        dates=dates,
    )
    usual = file.with_name(f"{file.name}.rejected.csv")
    rejected = _write_rejected(usual, result) if result.rejected and not dry_run else None
    if as_json:
        print_json(_to_json(result, rejected, dry_run=dry_run))
    else:
        _show(result, kind)
        _show_strange_plans(result, project.settings.plans)
        if rejected:
            note(f"All rejected rows, each with its reason: {rejected}", "yellow")
        if rejected not in (None, usual):
            note(f"{usual.name} was there before, and stays as it is.", "yellow")
        if dry_run:
            note("This was a dry run: nothing was imported, and nothing written.")
    if result.rejected:
        raise typer.Exit(PARTLY_DONE)


def _write_rejected(path: Path, result: "ImportResult") -> Path:
    from crm_store.imports.result import write_rejected

    try:
        return write_rejected(path, result)
    except OSError as error:
        raise SamparkError(
            f"{many(len(result.rejected), 'row was', 'rows were')} rejected, and {path.name} "
            f"cannot be written: {error.strerror}.",
            "The others are in. Copy the file to where you may write, and import it from there.",
        ) from error


def _import(project: "Project", kind: str, file: Path, **options: Any) -> "ImportResult":
    from crm_store.imports.cells import DateOrder
    from crm_store.imports.run import import_file
    from flows.clock import wall_clock
    from flows.project import open_club

    dates = options.pop("dates")
    now: datetime = wall_clock()
    with open_club(project, wall_clock) as (store, club_id), counting("rows") as progress:
        bar = progress.add_task(f"{kind} from {file.name}", total=_lines(file))
        return import_file(
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


def _show(result: "ImportResult", kind: str) -> None:
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
    if len(result.rejected) > _SHOWN:
        print_line(f"  and {len(result.rejected) - _SHOWN:,} more", "yellow", to=err)


def _show_strange_plans(result: "ImportResult", known: Collection[str]) -> None:
    """The plans of the file that club.yaml does not name, where it names any."""
    from triggers.problems import nearest

    if not known:
        return
    strange = [(plan, rows) for plan, rows in result.plans.most_common() if plan not in known]
    for plan, rows in strange[:_SHOWN]:
        near = nearest(plan, known)
        mend = f"did you mean `{near}`? Mend the file and import it again, or " if near else ""
        note(
            f"No campaign can name the plan {plan} of {many(rows, 'row')}: {mend}add it to "
            "`plans:` in club.yaml.",
            "yellow",
        )
    if len(strange) > _SHOWN:
        note(f"Nor can it name {len(strange) - _SHOWN:,} more plans of the file.", "yellow")

"""`sampark segments`: the named groups of customers, and how many are in each."""

from typing import TYPE_CHECKING, Any

import typer

from crm_console.call import FINDINGS, JsonOption, call_of
from crm_console.terminal import many, note, out, plain_table, print_json, print_line

if TYPE_CHECKING:
    from flows.project import Project


def segments(context: typer.Context, as_json: JsonOption = False) -> None:
    """List the segments of segments.yaml with their number of customers at this moment."""
    project = call_of(context).project()
    found = _count(project)
    if as_json:
        print_json({"segments": found, "problems": [one.to_json() for one in _problems(project)]})
    else:
        _show(found)
        for problem in _problems(project):
            print_line(str(problem), "red")
    if _problems(project):
        raise typer.Exit(FINDINGS)


def _count(project: "Project") -> list[dict[str, Any]]:
    from crm_store.scope import Scope
    from crm_store.segments import count_of
    from flows.clock import wall_clock
    from flows.project import open_club

    now = wall_clock()
    scope = Scope.at(now, project.zone)
    with open_club(project, wall_clock) as (store, club_id), store.read() as connection:
        return [
            {
                "name": one.name,
                "customers": count_of(connection, club_id, one.condition.sql(scope)),
                "where": one.condition.text,
                "description": one.description,
            }
            for one in project.rules.segments
        ]


def _problems(project: "Project") -> list[Any]:
    from triggers.segments import FILE

    return [problem for problem in project.rules.problems if problem.file == FILE]


def _show(found: list[dict[str, Any]]) -> None:
    table = plain_table("segment", "customers", "", right=("customers",), whole=("segment",))
    for one in found:
        table.add_row(one["name"], f"{one['customers']:,}", one["description"] or one["where"])
    if found:
        out.print(table)
    note(f"{many(len(found), 'segment')}." if found else "There are no segments in segments.yaml.")

"""`sampark test`: the tests that stand in campaign files, played."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_console.call import FINDINGS, JsonOption, call_of
from crm_console.terminal import many, note, out, plain_table, print_json, print_line, say

if TYPE_CHECKING:
    from flows.foresight.case_play import Played
    from flows.project import Project
    from triggers.check import CheckedFile
    from triggers.problems import Problem
    from triggers.test_cases import TestCase


def test(
    context: typer.Context,
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="PATH", help="One campaign, by its file or name. [default: all of this club]"
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Play the `tests:` of the campaign files: who is given, and which steps come when.

    Each test has a customer of its own on an empty scratch store, the engine that really sends,
    and a clock that jumps to what is due next. Nothing is sent and no database is opened. Exit
    code 1 when a test fails or cannot be read.
    """
    from flows.foresight.case_play import play_cases

    call = call_of(context)
    if path is not None and (path / "club.yaml").is_file():
        call.folder, path = path, None
    project = call.project()
    cases, problems = _read(project, path)
    results = []
    for played in play_cases(project, cases):
        results.append(played)
        if not as_json:
            _show(played)
    if as_json:
        told = [problem.to_json() for problem in problems]
        print_json({"tests": [_json(one) for one in results], "problems": told})
    else:
        for problem in problems:
            print_line(str(problem), "red")
        _sum_up(results, problems)
    if problems or not all(one.passed for one in results):
        raise typer.Exit(FINDINGS)


def _read(
    project: "Project", only: Path | None
) -> tuple[list[tuple["CheckedFile", Sequence["TestCase"]]], list["Problem"]]:
    """The tests of the sound files, and what is wrong with the others."""
    from crm_console.campaign_files import files_named
    from triggers.test_cases import read_tests
    from triggers.yaml_source import read_yaml

    files = project.check() if only is None else files_named(project, only)
    cases: list[tuple[CheckedFile, Sequence[TestCase]]] = []
    problems: list[Problem] = []
    for one in files:
        if one.definition is None:
            problems += one.problems
            continue
        source = read_yaml(one.path, one.path.relative_to(project.folder).as_posix())
        found, wrong = read_tests(source, one.definition, project.catalogue)
        cases.append((one, found))
        problems += wrong
    return cases, problems


def _show(played: "Played") -> None:
    from rich.padding import Padding
    from rich.text import Text

    case = played.case
    if played.passed:
        print_line(f"✓ {played.campaign}: {case.name}", "green")
        return
    print_line(f"✗ {played.campaign}: {case.name}", "bold red")
    print_line(f"  {case.file}:{case.line}:{case.column}", "dim")
    if played.unfit is not None:
        say(f"It cannot be played: {played.unfit}", "red", indent=2)
        return
    table = plain_table("step", "expected", "got", "because", whole=("step", "expected", "got"))
    for one in played.differences:
        table.add_row(one.step, one.expected or "-", one.got or "-", Text(one.why))
    out.print(Padding(table, (0, 0, 0, 2), expand=False))
    came = ", ".join(f"{one.step}@{one.on}" for one in played.got) or "nothing"
    say(f"All that came: {came}.", "dim", indent=2)


def _sum_up(results: Sequence["Played"], problems: Sequence["Problem"]) -> None:
    failed = sum(not one.passed for one in results)
    if failed or problems:
        unread = f", {many(len(problems), 'problem')} in the files" if problems else ""
        note(f"{failed} of {many(len(results), 'test')} failed{unread}.", "red")
    else:
        note(f"{many(len(results), 'test')} passed.", "green")


def _json(played: "Played") -> dict[str, Any]:
    case = played.case
    return {
        "campaign": played.campaign,
        "name": case.name,
        "file": case.file,
        "line": case.line,
        "column": case.column,
        "passed": played.passed,
        "got": [
            {"step": one.step, "variant": one.variant, "on": str(one.on)} for one in played.got
        ],
        "differences": [
            {"step": one.step, "expected": one.expected, "got": one.got, "why": one.why}
            for one in played.differences
        ],
        "cannot_be_played": played.unfit,
    }

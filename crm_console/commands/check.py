"""`sampark check`: every error in every file, before any of them is needed."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crm_console.call import FINDINGS, Call, JsonOption, call_of
from crm_console.terminal import many, note, out, print_json
from crm_store.errors import UsageError

if TYPE_CHECKING:
    from flows.project import Project
    from triggers.problems import Problem


def check(
    context: typer.Context,
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="PATH",
            help="A club's folder, or one campaign file. [default: all of this club]",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check club.yaml, the campaigns and their messages; name every error, its line and its fix.

    Only files are read: no database, no network, nothing is sent. Exit code 1 when there is
    something to mend.
    """
    call = call_of(context)
    if path is not None and (path / "club.yaml").is_file():
        call.folder, path = path, None
    checked, problems = _look(call, path)
    if as_json:
        print_json({"files": checked, "problems": [problem.to_json() for problem in problems]})
    else:
        for problem in problems:
            _show(problem)
        _sum_up(checked, problems)
    if problems:
        raise typer.Exit(FINDINGS)


def _look(call: Call, only: Path | None) -> tuple[list[str], Sequence["Problem"]]:
    """The files that were checked, and what is wrong in them."""
    from flows.settings import BrokenSettings

    try:
        project = call.project()
    except BrokenSettings as error:
        # Nothing else can be judged: which words campaigns may use stands in club.yaml.
        return ["club.yaml"], error.problems
    files = project.check()
    if only is not None:
        files = [one for one in files if one.path.resolve() == only.resolve()]
        if not files:
            raise UsageError(
                f"{only} is no campaign of this club.",
                f"Campaigns are the .yaml files in {project.campaigns_folder}.",
            )
    names = [one.path.relative_to(project.folder).as_posix() for one in files]
    found = [problem for one in files for problem in one.problems]
    if only is None:
        found += _in_templates(project)
    # A template that two campaigns share is wrong once.
    places: dict[tuple[str, int, int, str], Problem] = {}
    for problem in found:
        places.setdefault((problem.file, problem.line, problem.column, problem.message), problem)
    return ["club.yaml", *names], list(places.values())


def _in_templates(project: "Project") -> Iterator["Problem"]:
    """What is wrong inside any template, in use or not: a draft is checked before it is used."""
    from triggers.problems import Problem

    for channel in ("email", "sms"):
        for name in project.library.names(channel):
            for one in project.library.problems(channel, name):
                if one.file:
                    line, column = max(one.line, 1), max(one.column, 1)
                    yield Problem(one.file, line, column, one.message, one.fix)


def _show(problem: "Problem") -> None:
    """`file:line:col: message; fix`: editors and terminals jump to the place."""
    from rich.text import Text

    place, _, rest = str(problem).partition(": ")
    out.print(Text.assemble((f"{place}: ", "bold"), rest), soft_wrap=True)


def _sum_up(checked: Sequence[str], problems: Sequence["Problem"]) -> None:
    campaigns = many(len(checked) - 1, "campaign")
    if problems:
        files = len({problem.file for problem in problems})
        note(f"{many(len(problems), 'problem')} in {many(files, 'file')}.", "red")
    else:
        note(f"club.yaml and {campaigns} with their messages: nothing to mend.", "green")

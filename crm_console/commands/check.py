"""`sampark check`: every error in every file, before any of them is needed."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from crm_console.call import FINDINGS, Call, JsonOption, call_of
from crm_console.terminal import many, note, out

if TYPE_CHECKING:
    from flows.project import Project
    from triggers.check import CheckedFile
    from triggers.problems import Problem


Form = Literal["text", "json", "github"]


def check(
    context: typer.Context,
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="PATH",
            help="A club's folder, or one campaign, by its file or name. [default: this club]",
        ),
    ] = None,
    form: Annotated[
        Form,
        typer.Option(
            "--format",
            help="For people, for programs, or as GitHub's workflow commands, which mark the "
            "line in a pull request.",
        ),
    ] = "text",
    strict: Annotated[bool, typer.Option("--strict", help="Exit code 1 for warnings too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Check club.yaml, the campaigns and their messages; name every mistake, its line and its fix.

    Only files are read: no database, no network, nothing is sent. Exit code 1 when there is
    something to mend. A warning is about what runs, but is probably not meant so.
    """
    call = call_of(context)
    if path is not None and (path / "club.yaml").is_file():
        call.folder, path = path, None
    checked, problems = _look(call, path)
    if as_json or form == "json":
        told = {"files": checked, "problems": [problem.to_json() for problem in problems]}
        print(json.dumps(told, ensure_ascii=False, indent=2))
    elif form == "github":
        for problem in problems:
            print(_annotation(problem, call.folder))
    else:
        for problem in problems:
            _show(problem)
        _sum_up(checked, problems)
    if any(strict or problem.severity == "error" for problem in problems):
        raise typer.Exit(FINDINGS)


def _look(call: Call, only: Path | None) -> tuple[list[str], Sequence["Problem"]]:
    """The files that were checked, and what is wrong in them."""
    from crm_console.campaign_files import files_named
    from crm_console.examination.obligations import obligations
    from flows.reading_settings import BrokenSettings

    try:
        project = call.project()
    except BrokenSettings as error:
        # Nothing else can be judged: which words campaigns may use stands in club.yaml.
        return ["club.yaml"], error.problems
    files = project.check() if only is None else files_named(project, only)
    names = [one.path.relative_to(project.folder).as_posix() for one in files]
    found = [problem for one in files for problem in (*one.problems, *one.warnings)]
    if only is None:
        found += project.rules.problems
    templates = _all(project) if only is None else list(dict.fromkeys(_used(files)))
    found += _in_templates(project, templates)
    found += obligations(project, files)
    # A template that two campaigns share is wrong once.
    places: dict[tuple[str, int, int, str], Problem] = {}
    for problem in found:
        places.setdefault((problem.file, problem.line, problem.column, problem.message), problem)
    return ["club.yaml", *names], list(places.values())


Template = tuple[str, str]
"""A channel, and a name on its shelf."""


def _all(project: "Project") -> list[Template]:
    """Every template, in use or not: a draft is checked before it is used."""
    channels = ("email", "sms", *project.settings.channels.messages)
    return [(channel, name) for channel in channels for name in project.library.names(channel)]


def _used(files: Sequence["CheckedFile"]) -> Iterator[Template]:
    """The templates of these campaigns; of a broken one those that it names itself."""
    from triggers.definition import CampaignDefinition
    from triggers.model_walk import marked_texts
    from triggers.names import Kind
    from triggers.yaml_source import read_yaml

    for one in files:
        if one.definition is None:
            for text in marked_texts(CampaignDefinition, read_yaml(one.path).data):
                if text.kind in (Kind.EMAIL, Kind.SMS):
                    yield text.kind.value, text.text
            continue
        for act in one.definition.acts():
            if act.action.writes:
                for channel in (act.action.channel, *act.action.fallback):
                    yield channel, act.action.template


def _in_templates(project: "Project", templates: Sequence[Template]) -> Iterator["Problem"]:
    """What is wrong inside these templates."""
    from crm_messaging.dlt_check import not_registered
    from crm_messaging.nameless import needs_a_name
    from crm_messaging.raw_links import links_that_are_none
    from crm_messaging.sms_worst import too_long
    from triggers.problems import Problem

    warnings = []
    for channel, name in templates:
        for one in project.library.problems(channel, name):
            if one.file:
                line, column = max(one.line, 1), max(one.column, 1)
                yield Problem(one.file, line, column, one.message, one.fix)
        warnings += needs_a_name(project.library, channel, name)
        if channel == "email":
            warnings += links_that_are_none(project.library, name)
    facts = project.settings.club
    club = {f"club.{key}": getattr(facts, key) for key in ("name", "website", "phone", "address")}
    for name in (name for channel, name in templates if channel == "sms"):
        warnings += too_long(project.library, name, club)
        if project.settings.channels.sms and project.settings.channels.sms.dlt:
            warnings += not_registered(project.library, name, club)
    for one in warnings:
        yield Problem(one.file, one.line, one.column, one.message, one.fix, severity="warning")


def _annotation(problem: "Problem", folder: Path) -> str:
    """A workflow command of GitHub's; the file's path as seen from where the command was called.

    https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    file = folder / problem.file
    if file.resolve().is_relative_to(Path.cwd()):
        file = file.resolve().relative_to(Path.cwd())
    place = f"file={_property(file.as_posix())},line={problem.line},col={problem.column}"
    return f"::{problem.severity} {place}::{_escaped(problem.told())}"


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def _show(problem: "Problem") -> None:
    """`file:line:col: message; fix`: editors and terminals jump to the place."""
    from rich.text import Text

    place, _, rest = str(problem).partition(": ")
    sign, style = ("warning: ", "yellow") if problem.severity == "warning" else ("", "")
    rest = rest.removeprefix(sign)
    told = Text.assemble((f"{place}: ", "bold"), (sign, style), rest)
    out.print(told, soft_wrap=True)


def _sum_up(checked: Sequence[str], problems: Sequence["Problem"]) -> None:
    campaigns = len(checked) - 1
    told = f"club.yaml and {many(campaigns, 'campaign')}"
    told += f" with {'its' if campaigns == 1 else 'their'} messages"
    errors = [problem for problem in problems if problem.severity == "error"]
    warned = many(len(problems) - len(errors), "warning") if len(errors) < len(problems) else ""
    if errors:
        files = len({problem.file for problem in errors})
        also = f", and {warned}" if warned else ""
        note(f"{many(len(errors), 'problem')} in {many(files, 'file')}{also}.", "red")
    elif warned:
        note(f"{told}: {warned}.", "yellow")
    else:
        note(f"{told}: nothing to mend.", "green")

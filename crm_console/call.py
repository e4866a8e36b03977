"""One call of the command line: its club folder, and how it answers and fails."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from crm_console.terminal import show_error
from crm_store.errors import SamparkError

if TYPE_CHECKING:
    from flows.project import Project

PARTLY_DONE = 4
"""Exit code: some of it was done, and the rest is named in the output."""
FINDINGS = 1
"""Exit code: the command ran, and found something that has to be mended."""


@dataclass
class Call:
    """What the options before and behind the command's name said."""

    folder: Path
    json: bool = False

    def project(self) -> "Project":
        """The club of this call. Raises `SamparkError` when there is none or it cannot be read."""
        # Imported here, as in every command: what a command does not use must not slow it down.
        from flows.project import open_project

        return open_project(self.folder)


def call_of(context: typer.Context) -> Call:
    """The call that a command runs in."""
    call = context.obj
    assert isinstance(call, Call)  # noqa: S101 - the application's callback has put it there
    return call


def _note_json(context: typer.Context, value: bool) -> bool:
    if isinstance(context.obj, Call):
        context.obj.json = value
    return value


JsonOption = Annotated[
    bool,
    typer.Option(
        "--json", callback=_note_json, help="Answer as JSON on stdout; its form is stable."
    ),
]


def row_id(text: str) -> int:
    """The id of a row, as the command shows it that takes it."""
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise typer.BadParameter(f"{text[:40]} is no id. Without one, the command lists them.")
    return int(text)


class SamparkGroup(TyperGroup):
    """The commands: `--project` may stand anywhere, and a `SamparkError` ends in one message."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if any("\udc80" <= letter <= "\udcff" for arg in args for letter in arg):
            raise typer.BadParameter("an argument is not written in UTF-8")
        return super().parse_args(ctx, _project_first(args))

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except typer.BadParameter as error:
            # Typer hands on what pydantic says of its own ValueError, pydantic's label with it.
            error.message = error.message.removeprefix("Value error, ")
            raise
        except SamparkError as error:
            show_error(error, as_json=isinstance(ctx.obj, Call) and ctx.obj.json)
            raise typer.Exit(error.exit_code) from error


def _project_first(args: list[str]) -> list[str]:
    """`sweep --project club` → `--project club sweep`: people write it in either place."""
    end = args.index("--") if "--" in args else len(args)
    for place, arg in enumerate(args[:end]):
        if arg == "--project":
            if place + 1 == end:
                raise typer.BadParameter("--project needs a folder behind it")
            return [*args[place : place + 2], *args[:place], *args[place + 2 :]]
        if arg.startswith("--project="):
            return [arg, *args[:place], *args[place + 1 :]]
    return args

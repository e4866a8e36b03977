"""The command line, `sampark`: all its commands, in the order in which a new club needs them.

Exit codes: 0 well, 1 findings, 2 called wrongly, 3 the environment is not ready (settings,
database, mail server, Prefect), 4 partly done.
"""

from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer

from crm_console.call import Call, SamparkGroup
from crm_console.commands import (
    bounces,
    check,
    demo,
    doctor,
    doubt,
    event,
    importing,
    inbox,
    init,
    pause,
    plan,
    preview,
    privacy,
    report,
    segments,
    simulate,
    sweep,
    test,
    token,
    touchpoints,
    up,
    why,
    worker,
)

app = typer.Typer(
    name="sampark",
    cls=SamparkGroup,
    no_args_is_help=True,
    # A traceback with local variables would show names and addresses.
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit codes: 0 well, 1 findings, 2 called wrongly, 3 environment, 4 partly done.",
)


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"sampark {version('sampark')}")
        raise typer.Exit


@app.callback()
def sampark(
    context: typer.Context,
    project: Annotated[
        Path,
        typer.Option(metavar="DIR", help="The club's folder. May stand anywhere on the line."),
    ] = Path(),
    show_version: Annotated[  # noqa: ARG001 - its callback answers
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Campaigns for a club's customers: written as YAML, checked, sent, and accounted for."""
    context.obj = Call(project)


_BEGIN, _CAMPAIGNS, _RUN, _LOOK = "Begin", "Campaigns", "Run", "Look closer"

app.command("demo", rich_help_panel=_BEGIN)(demo.demo)
app.command("init", rich_help_panel=_BEGIN)(init.init)
app.command("import", rich_help_panel=_BEGIN)(importing.import_)
app.command("check", rich_help_panel=_CAMPAIGNS)(check.check)
app.command("test", rich_help_panel=_CAMPAIGNS)(test.test)
app.command("plan", rich_help_panel=_CAMPAIGNS)(plan.plan)
app.command("simulate", rich_help_panel=_CAMPAIGNS)(simulate.simulate)
app.command("preview", rich_help_panel=_CAMPAIGNS)(preview.preview)
app.command("event", rich_help_panel=_RUN)(event.event)
app.command("sweep", rich_help_panel=_RUN)(sweep.sweep)
app.command("up", rich_help_panel=_RUN)(up.up)
app.command("worker", rich_help_panel=_RUN)(worker.worker)
app.command("pause", rich_help_panel=_RUN)(pause.pause)
app.command("resume", rich_help_panel=_RUN)(pause.resume)
app.command("bounces", rich_help_panel=_RUN)(bounces.bounces)
app.add_typer(token.token, name="token", rich_help_panel=_RUN)
app.command("why", rich_help_panel=_LOOK)(why.why)
app.command("segments", rich_help_panel=_LOOK)(segments.segments)
app.command("touchpoints", rich_help_panel=_LOOK)(touchpoints.touchpoints)
app.command("doubt", rich_help_panel=_LOOK)(doubt.doubt)
app.command("inbox", rich_help_panel=_LOOK)(inbox.inbox)
app.add_typer(report.report, name="report", rich_help_panel=_LOOK)
app.command("export", rich_help_panel=_LOOK)(privacy.export)
app.command("erase", rich_help_panel=_LOOK)(privacy.erase)
app.command("doctor", rich_help_panel=_LOOK)(doctor.doctor)

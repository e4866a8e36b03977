"""`sampark up`: everything in one command."""

import logging

import typer

from crm_console.call import call_of
from crm_console.terminal import err, out

_STYLES = {"ready": "bold green", "warning": "bold yellow"}


def up(context: typer.Context) -> None:
    """Run everything until Ctrl-C: console, public pages, Prefect and its UI, schedule, intake.

    In `mode: rehearsal` the mail and SMS catchers too, whose messages the console shows. It
    prints each address once it answers. Stopping it in the middle loses nothing: what is being
    handed over is finished, the rest waits in the ledger.
    """
    from rich.logging import RichHandler

    from crm_console.web.app import create_app
    from crm_console.web.public.app import create_public_app
    from flows.clock import wall_clock
    from flows.event_loop import run
    from flows.up import up as run_until_stopped

    project = call_of(context).project()
    # Prefect's loggers say more than a terminal wants; its UI keeps all of it.
    warnings = RichHandler(logging.WARNING, console=err, show_path=False)
    logging.basicConfig(format="%(message)s", handlers=[warnings])
    settings = project.settings
    console = create_app(project.caught(), settings.club.name, project.zone)
    run(
        run_until_stopped(
            project,
            say_where,
            console,
            lambda engine: create_public_app(project, engine.store, engine.club_id, wall_clock),
        )
    )


def say_where(what: str, text: str) -> None:
    """`console    http://127.0.0.1:4290`"""
    from rich.markup import escape

    style = _STYLES.get(what, "cyan")
    out.print(f"[{style}]{what:<10}[/] {escape(text)}", soft_wrap=True)

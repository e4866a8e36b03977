"""`sampark worker`: one more process that sends."""

import logging

import typer

from crm_console.call import call_of
from crm_console.commands.up import say_where
from crm_console.terminal import err


def worker(context: typer.Context) -> None:
    """Hand over what is queued, beside `sampark up`, until Ctrl-C. Needs PostgreSQL.

    `up` decides who gets what; a worker takes a share of the sending, on this machine or on
    another that has the club's folder. Stopping it in the middle loses nothing: what is on the
    wire is finished, the rest waits for the others.
    """
    from rich.logging import RichHandler

    from flows.event_loop import run
    from flows.worker import work

    project = call_of(context).project()
    warnings = RichHandler(logging.WARNING, console=err, show_path=False)
    logging.basicConfig(format="%(message)s", handlers=[warnings])
    run(work(project, say_where))

"""`sampark demo`: one day of a whole club, without writing to anybody."""

from pathlib import Path
from typing import Annotated

import typer

from crm_console.call import FINDINGS


def demo(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", help="Where the demo club is made, anew each time.")
    ] = Path(".demo/club"),
    members: Annotated[int, typer.Option(min=500, help="About so many people.")] = 5_000,
) -> None:
    """Show it all: make a club of 5,000 people, run its day, and count what arrived.

    The day's sweep runs as Prefect flow runs. Every e-mail and SMS really leaves, over SMTP and
    HTTP, into catchers on this machine. Then the same sweep again, which must do nothing; and the
    catchers' messages are compared with the ledger, id by id. Exit code 1 if they differ.
    """
    from crm_console.demo.show import show_day

    if not show_day(folder, members):
        raise typer.Exit(FINDINGS)

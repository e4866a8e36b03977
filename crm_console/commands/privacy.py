"""`sampark export` and `sampark erase`: what a customer may ask of those who hold her data."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from crm_console.call import JsonOption, call_of
from crm_console.terminal import note, print_json, print_line
from crm_store.errors import UsageError

Who = Annotated[
    str,
    typer.Argument(metavar="CUSTOMER", help="A reference, e-mail address or phone number."),
]


def export(
    context: typer.Context,
    customer: Who,
    to: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write it to a new file that only you can read."),
    ] = None,
) -> None:
    """Tell everything that is held of a customer, as JSON: theirs to ask for (GDPR, article 15).

    Example: sampark export M-1042 --to asha.json
    """
    from crm_console.naming import customer_named
    from crm_store.disclosure import disclose
    from flows.clock import wall_clock
    from flows.project import open_club

    project = call_of(context).project()
    with open_club(project, wall_clock) as (store, club_id), store.read() as connection:
        who = customer_named(connection, club_id, customer, project.settings.club.country)
        told = disclose(connection, who)
    if to is None:
        print_json(told)
        return
    try:
        file = os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except OSError as error:
        raise UsageError(f"{to} cannot be made: {error.strerror}.", "Name a new file.") from error
    with os.fdopen(file, "w", encoding="utf-8") as out:
        json.dump(told, out, ensure_ascii=False, indent=1)
    note(f"Everything held of the customer is in {to}.")


def erase(
    context: typer.Context,
    customer: Who,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Erase a customer: what identifies them goes, the numbers stay, no message is sent again.

    The addresses are kept as keyed hashes only, so that no later import brings them back. It
    cannot be undone. Copies elsewhere, such as backups and the files you imported, are yours.

    Example: sampark erase M-1042
    """
    from crm_console.naming import customer_named
    from crm_store.erasure import erase as erase_in
    from flows.clock import wall_clock
    from flows.project import open_club

    project = call_of(context).project()
    with open_club(project, wall_clock) as (store, club_id):
        with store.read() as connection:
            who = customer_named(connection, club_id, customer, project.settings.club.country)
        if not yes:
            typer.confirm(f"Erase {customer} for good?", abort=True, err=True)
        done = store.transact(erase_in, who, wall_clock())
    if as_json:
        print_json({"customer": who, "rows": done})
        return
    print_line(f"{customer} is erased.", "bold green")
    for table, count in done.items():
        if count:
            print_line(f"  {count:>6,}  {table.replace('_', ' ')}")

"""`sampark token`: tokens by which other programs use the HTTP API."""

from typing import Annotated

import typer

from crm_console.call import JsonOption, SamparkGroup, call_of
from crm_console.moments import show_moment
from crm_console.terminal import note, print_json, print_line

token = typer.Typer(
    cls=SamparkGroup, no_args_is_help=True, help="Tokens of other programs for the HTTP API."
)
_Name = Annotated[str, typer.Argument(metavar="NAME", help="Whose it is, such as turnstile.")]


@token.command("create")
def create(context: typer.Context, name: _Name, as_json: JsonOption = False) -> None:
    """Make a token. It is shown this once: only its hash is kept.

    Example: sampark token create turnstile
    """
    from crm_store import api_tokens
    from flows.clock import wall_clock
    from flows.project import open_club

    project = call_of(context).project()
    with open_club(project, wall_clock) as (store, club_id), store.write() as connection:
        made = api_tokens.create(connection, club_id, name, wall_clock())
    if as_json:
        print_json({"name": name, "token": made})
        return
    print_line(made)
    note(f"Send it as `Authorization: Bearer …` to {project.settings.public.url}/api/v1.")


@token.command("list")
def list_(context: typer.Context, as_json: JsonOption = False) -> None:
    """Name the tokens that open the API."""
    from crm_store import api_tokens
    from flows.clock import wall_clock
    from flows.project import open_club

    project = call_of(context).project()
    with open_club(project, wall_clock) as (store, club_id), store.read() as connection:
        found = api_tokens.tokens(connection, club_id)
    if as_json:
        print_json([{"name": one.name, "created_at": one.created_at.isoformat()} for one in found])
        return
    for one in found:
        print_line(f"{one.name}  since {show_moment(one.created_at, project.zone)}")
    if not found:
        note("There is no token: nobody can use the API.")


@token.command("revoke")
def revoke(context: typer.Context, name: _Name) -> None:
    """Take a token back, at once."""
    from crm_store import api_tokens
    from flows.clock import wall_clock
    from flows.project import open_club

    project = call_of(context).project()
    with open_club(project, wall_clock) as (store, club_id), store.write() as connection:
        api_tokens.revoke(connection, club_id, name)
    print_line(f"{name} opens nothing any more.")

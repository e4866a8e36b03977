"""`sampark init`: a working club folder from the starter."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column, Table
from rich.text import Text

from crm_console.call import JsonOption
from crm_console.terminal import out, print_json, print_line


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or an empty folder.")],
    name: Annotated[
        str, typer.Option(help="The club's name, as customers read it. [default: the folder's]")
    ] = "",
    timezone: Annotated[
        str, typer.Option(help="The club's clock, an IANA name such as Asia/Kolkata.")
    ] = "Asia/Kolkata",
    country: Annotated[str, typer.Option(help="Two letters, ISO 3166: IN, RU, GB.")] = "IN",
    languages: Annotated[
        str, typer.Option(help="Of the messages; the first is the club's own.")
    ] = "en,hi,ru",
    as_json: JsonOption = False,
) -> None:
    """Make a working club folder: settings, campaigns for a member's life, and their messages.

    It starts in rehearsal: whatever you try, nobody is written to.

    Example: sampark init lotus --name "Lotus Fitness" --languages en,hi
    """
    from crm_console.new_club import ClubFacts, make_club

    facts = ClubFacts.of(
        name or folder.resolve().name.replace("-", " ").title(),
        timezone,
        country.upper(),
        tuple(part.strip() for part in languages.split(",") if part.strip()),
    )
    made = make_club(folder, facts)
    if as_json:
        print_json({"folder": str(folder), "files": made})
        return
    print_line(f"{facts.name} is ready in {folder}.", "bold green")
    print_line()
    folder_shown = json.dumps(str(folder)) if " " in str(folder) else str(folder)
    steps = Table.grid(Column(no_wrap=True), Column(), padding=(0, 2, 0, 0))
    for command, what in (
        (f"cd {folder_shown}", ""),
        ("sampark check", "is every campaign and every message sound?"),
        ("sampark preview membership-renewal heads_up", "the message as it would leave"),
        ("sampark import customers FILE.csv", "bring your customers; then memberships, visits"),
        ("sampark sweep", "one pass: whoever is due gets a message, into the catcher"),
        ("sampark up", "the console, the schedule and the catchers, all at once"),
    ):
        steps.add_row(Text(f"  {command}", "cyan"), what)
    out.print(steps)
    print_line()
    print_line("club.yaml says who the club is. Until you change `mode`, nobody is written to.")

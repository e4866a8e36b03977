"""The demonstration: one day of a club with thousands of members, told as it happens."""

from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import datetime, time
from pathlib import Path

from rich.rule import Rule

from crm_console.commands.why import read_trail, show_trail
from crm_console.demo.club import fresh_club
from crm_console.demo.comparison import compare
from crm_console.demo.population import populate
from crm_console.message_frame import show_message
from crm_console.sweep_table import show_report
from crm_console.sweeping import sweep_progress
from crm_console.terminal import counting, err, many, note, out, print_line, program_name
from crm_messaging.rehearsal.caught import Caught, CaughtMail
from crm_store.models.touchpoint import State
from flows.clock import clock_from, wall_clock
from flows.event_loop import run
from flows.orchestrate import run_sweep
from flows.prefect_server import prefect_server
from flows.project import Project, open_club
from flows.report import SweepReport

SEED = 2026
DEFAULT_FOLDER = Path(".demo/club")
OF_THE_DAY = time(11)
"""When the day's messages are due and nobody's quiet hours hold them back."""


def show_day(folder: Path, members: int) -> bool:
    """Make the club, send its day, and tell about it; whether all added up."""
    project = fresh_club(folder)
    today = wall_clock().astimezone(project.zone).date()
    as_of = datetime.combine(today, OF_THE_DAY, project.zone)

    _title(f"A club and {members:,} people, as of {today:%A}, {today.day} {today:%B %Y}, 11:00")
    _fill(project, as_of, members)
    first, second = run(_sweep_twice(project, as_of))

    _title("The day's sweep")
    show_report(first)
    _title("One of its messages, as the catcher got it")
    somebody = "CUSTOMER"
    if example := _example(project.caught()):
        show_message(example.subject, example.text, f"to {example.recipient}")
        _title("Why was it sent?")
        trail = read_trail(project, example.recipient, None, as_of)
        somebody = trail.card.ref
        # The campaigns that do not concern them are asked for with `why`.
        show_trail(replace(trail, outside=[]), project.zone, project.settings.club.languages)
    _title("The same sweep again")
    sent_again = second.count(State.ACCEPTED)
    print_line(
        f"{second.admitted:,} admitted, {sent_again:,} sent.",
        "green" if not second.admitted and not sent_again else "bold red",
    )
    agrees = _compare(project, as_of)
    _say_what_next(folder, somebody)
    return agrees and not second.admitted and not sent_again


def _title(text: str) -> None:
    out.print()
    out.print(Rule(f"[bold]{text}[/]", align="left", style="cyan"), width=min(out.width, 100))


def _fill(project: Project, as_of: datetime, members: int) -> None:
    with (
        open_club(project, clock_from(as_of)) as (store, club_id),
        counting("people") as progress,
    ):
        bar = progress.add_task("Filling the club", total=members)
        people = populate(
            store,
            club_id,
            seed=SEED,
            today=as_of.date(),
            members=members,
            on_progress=lambda done: progress.update(bar, completed=done),
        )
        progress.update(bar, completed=people, total=people)
    note(f"{many(people, 'person', 'people')} with their memberships, visits and purchases.")


async def _sweep_twice(project: Project, as_of: datetime) -> tuple[SweepReport, SweepReport]:
    """The same sweep twice, shown by one Prefect server."""
    async with AsyncExitStack() as stack:
        with err.status("Starting a Prefect server of the club's own: some ten seconds …"):
            server = await stack.enter_async_context(prefect_server(project.state_folder))
        prefect = project.settings.prefect.model_copy(update={"api_url": server.api})
        settings = project.settings.model_copy(update={"prefect": prefect})
        shown = replace(project, settings=settings)
        with sweep_progress() as on_progress:
            first = await run_sweep(shown, as_of=as_of, on_progress=on_progress)
        return first, await run_sweep(shown, as_of=as_of)


def _example(caught: CaughtMail) -> Caught | None:
    """An e-mail in Hindi, else any."""
    emails = caught.newest(channel="email", limit=caught.count() or 1)
    return next((one for one in emails if one.language.startswith("hi")), None) or next(
        iter(emails), None
    )


def _compare(project: Project, as_of: datetime) -> bool:
    """Say aloud whether the catchers hold what the ledger calls accepted."""
    with open_club(project, clock_from(as_of)) as (store, club_id), store.read() as connection:
        comparison = compare(connection, club_id, project.caught())
    _title("Does it add up?")
    caught, accepted = comparison.caught.total(), comparison.accepted.total()
    if comparison.agrees:
        print_line(
            f"Yes: the ledger calls {accepted:,} messages accepted, and the catchers hold "
            f"{caught:,}: the same ids, each exactly once.",
            "green",
        )
    else:
        print_line(
            f"No: {accepted:,} accepted and {caught:,} caught; {comparison.lost:,} are missing, "
            f"{comparison.unaccounted:,} unaccounted for.",
            "bold red",
        )
    return comparison.agrees


def _say_what_next(folder: Path, somebody: str) -> None:
    _title("Look around")
    program = f"{program_name()} --project {folder}"
    with_make = folder == DEFAULT_FOLDER and Path("Makefile").is_file()
    for command, what in (
        ("make up" if with_make else f"{program} up", "The console and the Prefect UI, to open:"),
        (f"{program} why {somebody}", "The trail of anybody:"),
        (f"{program} touchpoints", "The ledger:"),
    ):
        print_line(what)
        print_line(f"    {command}", "cyan")

"""`sampark doctor`: what is wrong with this installation, and how to mend it."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import typer

from crm_console.call import Call, JsonOption, call_of
from crm_console.terminal import err, many, note, out, print_json

if TYPE_CHECKING:
    from crm_console.examination.finding import Finding

_ENVIRONMENT = 3
_MARKS = {"ok": ("✓", "green"), "note": ("·", "cyan"), "broken": ("✗", "bold red")}


def doctor(context: typer.Context, as_json: JsonOption = False) -> None:
    """Look at everything that a sweep needs, and say how to mend what is broken.

    Nothing is sent and nothing is changed. In `mode: live` it connects to the mail server,
    encrypts and logs in. Exit code 3 when something is broken.
    """
    with err.status("Looking …"):
        findings = list(_examine(call_of(context)))
    for finding in () if as_json else findings:
        _show(finding)
    ill = [one for one in findings if one.health == "broken"]
    if as_json:
        print_json({"healthy": not ill, "findings": [one.to_json() for one in findings]})
    elif ill:
        note(f"{many(len(ill), 'thing')} to mend.", "red")
    else:
        note("Nothing is broken.", "green")
    if ill:
        raise typer.Exit(_ENVIRONMENT)


def _examine(call: Call) -> Iterator["Finding"]:
    from crm_console.examination.club import examine_campaigns, examine_database, examine_key
    from crm_console.examination.finding import broken, ok
    from crm_console.examination.machine import examine_disk, examine_prefect, examine_program
    from crm_console.examination.ways_out import examine_ways_out
    from crm_store.errors import SamparkError

    yield from examine_program()
    try:
        project = call.project()
    except SamparkError as error:
        yield broken("settings", error.reason, error.instruction or "Run: sampark check")
        return
    yield ok("settings", f"{project.settings.club.name}, {project.settings.club.timezone}")
    yield from examine_disk(project.folder)
    parts = (
        *(examine_key, examine_campaigns, examine_database),
        *(examine_ways_out, examine_prefect),
    )
    for examine in parts:
        look: Callable[..., Iterator[Finding]] = examine
        yield from look(project)


def _show(finding: "Finding") -> None:
    from rich.markup import escape

    mark, style = _MARKS[finding.health]
    out.print(f"[{style}]{mark}[/] {finding.what:<15} {escape(finding.text)}", soft_wrap=True)
    if finding.mend:
        out.print(f"  {'':<15} → {escape(finding.mend)}", soft_wrap=True)

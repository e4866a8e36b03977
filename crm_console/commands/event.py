"""`sampark event`: something happened to a customer."""

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_console.call import JsonOption, call_of
from crm_console.terminal import note, print_json, print_line
from crm_store.errors import UsageError

if TYPE_CHECKING:
    from crm_console.recording import Recorded


def event(
    context: typer.Context,
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="In the past tense: lead_created, stage_changed, trial_booked."
        ),
    ],
    customer: Annotated[
        str, typer.Option(help="A reference, e-mail address or phone number.", show_default=False)
    ],
    data: Annotated[str, typer.Option(metavar="JSON", help="What else is known of it.")] = "{}",
    at: Annotated[
        str | None, typer.Option(metavar="TIME", help="When it happened. [default: now]")
    ] = None,
    source_id: Annotated[
        str | None,
        typer.Option("--id", help="The sender's own id: the same id twice is one event."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Record an event. It starts campaigns, or ends them; `up` notices at once, a sweep later.

    `lead_created` makes the customer when the reference is new, from the data's first_name,
    last_name, email, phone, language, source, tags and so on. `stage_changed` needs `to`, and
    `pipeline` where the club has several; it moves the customer too.

    Examples:

    sampark event lead_created --customer L-7 --data '{"first_name": "Asha", "source": "web"}'

    sampark event stage_changed --customer L-7 --data '{"to": "trial_booked"}'
    """
    from crm_console.recording import record_event

    recorded = record_event(
        call_of(context).project(),
        name,
        customer=customer,
        data=_read(data),
        at=at,
        source_id=source_id,
    )
    if as_json:
        print_json(recorded.to_json())
    else:
        _show(recorded)


def _read(data: str) -> dict[str, Any]:
    try:
        read = json.loads(data)
        # Half a character, or a number that is none, could be written but not read by all.
        json.dumps(read, ensure_ascii=False, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise UsageError(
            f"--data is no JSON: {_said(error)}.",
            """Write it as --data '{"to": "trial_booked"}'.""",
        ) from error
    if "\\u0000" in data:
        raise UsageError("--data holds a null character.", "Remove it.")
    if not isinstance(read, dict):
        raise UsageError(
            "--data must be a JSON object.", """Write it as --data '{"to": "trial_booked"}'."""
        )
    return read


def _said(error: ValueError | RecursionError) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeEncodeError):
        return "it holds half a character"
    return str(error)


def _show(recorded: "Recorded") -> None:
    if recorded.event_id is None:
        print_line(f"{recorded.name} with this --id was recorded before; nothing has changed.")
        return
    whose = "a new customer" if recorded.customer_made else "a known customer"
    print_line(f"{recorded.name} recorded for {whose}, as event {recorded.event_id}.", "green")
    for key, field in recorded.misspelt.items():
        note(f"Nothing was read from {key}. Did you mean {field}?", "yellow")
    if recorded.campaigns:
        note(f"It concerns: {', '.join(recorded.campaigns)}.")
    else:
        near = f" Did you mean {recorded.nearest}?" if recorded.nearest else ""
        note(f"No campaign starts or ends with {recorded.name}.{near}", "yellow")
    if recorded.broken:
        names = ", ".join(recorded.broken)
        note(f"What it means to {names} is not known, being broken: sampark check", "yellow")

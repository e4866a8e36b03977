"""`sampark preview`: one message, as it would leave."""

import re
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_console.call import JsonOption, call_of
from crm_console.terminal import many, note, print_json, print_line
from crm_store.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from crm_console.message_preview import Preview, SmsPreview
    from crm_store.scope import Scope
    from flows.project import Project
    from triggers.definition import CampaignDefinition
    from triggers.steps import Act


def preview(
    context: typer.Context,
    campaign: Annotated[
        str, typer.Argument(metavar="CAMPAIGN", help="The campaign's name in its file.")
    ],
    step: Annotated[str, typer.Argument(metavar="STEP", help="The step's id.")],
    customer: Annotated[
        str | None,
        typer.Option(help="With a customer's values: a reference, e-mail address or phone number."),
    ] = None,
    lang: Annotated[
        str | None, typer.Option(help="In this language. [default: the customer's, or the club's]")
    ] = None,
    html: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            dir_okay=False,
            writable=True,
            help="Write the e-mail's page to this file.",
        ),
    ] = None,
    open_page: Annotated[
        bool, typer.Option("--open", help="Open the e-mail's page in the browser.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Show a step's message as it would leave: subject and text, or the SMS with its segments.

    Without --customer the values are examples, and no database is opened. What an event says
    is then as in the campaign's tests, else made up.

    Example: sampark preview membership-renewal heads_up --lang hi --open
    """
    if html and not html.parent.is_dir():
        raise UsageError(f"There is no folder {html.parent}.", "Make it first, or name another.")
    project = call_of(context).project()
    made = make_preview(project, campaign, step, customer=customer, lang=lang)
    if made.email is None and (html or open_page):
        note("A text message has no page: it is shown here only.", "yellow")
    if made.email and (html or open_page):
        html = html or _own_page(project, f"{campaign}-{step}-{made.language}.html")
        html.write_text(made.email.html, encoding="utf-8")
        note(f"The page is in {html}")
        if open_page:
            webbrowser.open(html.resolve().as_uri())
    if as_json:
        print_json(made.to_json())
    else:
        show_preview(made)
    if lang and made.language.lower().split("-")[0] != re.split("[-_]", lang.lower())[0]:
        # A sound campaign has its messages in every language of the club's.
        ours = ", ".join(project.settings.club.languages)
        note(f"{lang} is no language of this club ({ours}): shown in {made.language}.", "yellow")


def _own_page(project: "Project", name: str) -> Path:
    """A file of that name where pages go that nobody has said a place for."""
    folder = project.state_folder / "preview"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / name


def make_preview(
    project: "Project", campaign: str, step: str, *, customer: str | None, lang: str | None
) -> "Preview":
    """A step's message, for a customer of this name or with example values."""
    from crm_console.message_preview import example_values, find_act, preview_of

    definition, chosen = find_act(project, campaign, step)
    if customer is not None:
        return _with_her_values(project, definition, chosen, customer, lang)
    language = lang or project.settings.club.languages[0]
    values_of = example_values(project, definition, chosen, language)
    return preview_of(project, definition, chosen, language=language, values_of=values_of)


def _with_her_values(
    project: "Project",
    definition: "CampaignDefinition",
    act: "Act",
    customer: str,
    lang: str | None,
) -> "Preview":
    from crm_console.message_preview import example_data, preview_of
    from crm_console.naming import customer_named
    from crm_messaging.message_fields import examples, in_store
    from crm_store import field_values, history
    from crm_store.catalogue.event_fields import event_fields
    from crm_store.scope import Scope
    from flows.clock import wall_clock
    from flows.project import open_club

    now = wall_clock()
    scope = Scope.at(now, project.zone)
    with open_club(project, wall_clock) as (store, club_id), store.read() as connection:
        who = customer_named(connection, club_id, customer, project.settings.club.country)
        card = history.customer_card(connection, who)
        language = lang or card.language

        def values_of(fields: frozenset[str]) -> dict[str, Any]:
            told = event_fields(fields)
            known = in_store(fields).difference(told)
            return {
                **field_values.of_customer(connection, project.catalogue, known, who, scope),
                **examples(fields),
                **example_data(project, definition, act, language, told),
                **_by_her_event(connection, project, definition, who, told, scope),
            }

        return preview_of(
            project, definition, act, language=language, number=card.phone, values_of=values_of
        )


def _by_her_event(
    connection: "Connection",
    project: "Project",
    definition: "CampaignDefinition",
    customer_id: int,
    fields: Sequence[str],
    scope: "Scope",
) -> dict[str, Any]:
    """What the event said that last let a customer in; nothing of who was never in the campaign."""
    from crm_store import field_values, history

    entered = [
        one.id
        for one in history.enrollments_of(connection, customer_id)
        if one.campaign == definition.campaign
    ]
    if not fields or not entered:
        return {}
    latest = entered[-1:]
    return field_values.of_enrolled(connection, project.catalogue, fields, latest, scope)[latest[0]]


def show_preview(made: "Preview") -> None:
    """Print a message between two lines, with what it is and what it costs."""
    from crm_console.message_frame import show_message

    what = f"{made.campaign} · {made.step} · {made.channel} · {made.language}"
    if made.email is not None:
        show_message(made.email.subject, made.email.text, what)
    elif made.sms is not None:
        is_sms = made.channel == "sms"
        show_message("SMS" if is_sms else made.channel, made.sms.text, what)
        if is_sms:
            _show_cost(made.sms)


def _show_cost(sms: "SmsPreview") -> None:
    size, found = sms.estimate.size, sms.estimate
    print_line(
        f"{many(size.segments, 'segment')} of {size.encoding}: {size.units} units, "
        f"{size.left} more fit into the last."
    )
    if found.cost is not None:
        print_line(f"It costs {found.cost:.2f} {sms.currency} to {found.country}.")
    if found.national is not None:
        print_line(
            f"In {found.national.language}'s own shift tables it would be"
            f" {many(found.national.segments, 'segment')}; few operators know them."
        )
    if sms.not_registered:
        note(sms.not_registered, "yellow")

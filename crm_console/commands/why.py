"""`sampark why`: the decision trail of one customer, in plain sentences."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any
from zoneinfo import ZoneInfo

import typer

from crm_console.call import JsonOption, call_of
from crm_console.terminal import out, print_json, print_line, say, yes_no
from crm_store.errors import UnknownName

if TYPE_CHECKING:
    from crm_console.trail import EnrollmentTrail, Outside, StepTrail, Trail
    from flows.project import Project


def why(
    context: typer.Context,
    customer: Annotated[
        str,
        typer.Argument(metavar="CUSTOMER", help="Her reference, e-mail address or phone number."),
    ],
    campaign: Annotated[
        str | None, typer.Argument(metavar="CAMPAIGN", help="Only this campaign.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what every campaign decided about a customer, and the exact reason.

    When she entered and why; each step: sent, waiting until, or not sent and why not. For the
    campaigns she is not in: whether their occasion has come, and whether their condition holds.
    """
    from flows.clock import wall_clock

    project = call_of(context).project()
    trail = read_trail(project, customer, campaign, wall_clock())
    if as_json:
        print_json(trail.to_json())
    else:
        show_trail(trail, ZoneInfo(trail.card.timezone), project.settings.club.languages)


def read_trail(project: "Project", customer: str, campaign: str | None, now: datetime) -> "Trail":
    """The trail of the customer of this name, as it stands at `now`. Raises `UnknownName`."""
    from crm_console.naming import customer_named
    from crm_console.trail import trail_of
    from flows.project import open_club
    from triggers.problems import choose_from

    files = project.check()
    with open_club(project, lambda: now) as (store, club_id), store.read() as connection:
        customer_id = customer_named(connection, club_id, customer, project.settings.club.country)
        trail = trail_of(
            connection,
            customer_id,
            club_id=club_id,
            files=files,
            catalogue=project.catalogue,
            now=now,
            club_zone=project.zone,
            only=campaign,
        )
    if campaign and not (trail.enrollments or trail.outside or trail.disabled):
        known = [one.definition.campaign for one in files if one.definition is not None]
        raise UnknownName(f"There is no campaign {campaign}.", choose_from(campaign, known))
    return trail


def show_trail(trail: "Trail", zone: ZoneInfo, languages: Sequence[str]) -> None:
    """Print a trail; its times are of `zone`, and the club writes in `languages`."""
    card = trail.card
    print_line(f"{card.name} · {card.ref}", "bold")
    written = f"She is written to in {card.language}."
    if card.language.split("-")[0] not in languages:
        written = f"Her language is {card.language}; where a message lacks it, {languages[0]}."
    print_line(f"Times are hers: {zone.key}. {written}", "dim")
    for sentence in _refusals(trail, zone):
        say(sentence, "yellow")
    for enrollment in trail.enrollments:
        _show_enrollment(enrollment, zone)
    if trail.outside:
        print_line()
        print_line("Not in:", "bold")
        for outside in trail.outside:
            say(f"{outside.campaign}: {_why_not(outside)}", indent=2)
            for name, value in outside.facts.items() if not outside.admitted else ():
                say(f"{name} is {_said(value)}", "dim", indent=6)
    for campaign in trail.disabled:
        print_line(f"{campaign} is broken and does not run: sampark check", "bold red")


def _refusals(trail: "Trail", zone: ZoneInfo) -> Iterator[str]:
    from crm_console.moments import show_moment

    for one in trail.refusals:
        since = f"since {show_moment(one.since, zone)} ({one.source})"
        if one.topic is None:
            cause = one.cause.replace("_", " ")
            yield f"Her {one.channel} address is suppressed: {cause}, {since}."
        else:
            what = "all of it" if one.topic == "*" else f"the topic {one.topic}"
            yield f"She opted out of {one.channel}, {what}, {since}."


def _show_enrollment(one: "EnrollmentTrail", zone: ZoneInfo) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from crm_console.moments import show_moment

    record = one.record
    print_line()
    print_line(f"{one.name} · {record.campaign}, version {record.version}", "bold")
    say(f"entered {show_moment(record.entered_at, zone)}: {_occasion(one, zone)}", indent=2)
    steps = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for step in one.steps:
        mark, style, sentence = _step(step, zone)
        steps.add_row(Text(mark, style), step.step, step.channel, Text(sentence))
    out.print(Padding(steps, (0, 0, 0, 2), expand=False))
    match record.status:
        case "completed":
            say("No more steps to come.", "dim", indent=2)
        case "exited" if record.ended_at:
            say(f"left {show_moment(record.ended_at, zone)}: an exit event ended it", indent=2)


def _occasion(one: "EnrollmentTrail", zone: ZoneInfo) -> str:
    """What brought her in."""
    from crm_console.moments import show_day, show_moment

    record = one.record
    if record.anchor_at is not None:
        to = record.event_data.get("to") if record.event_data else None
        name = f"{record.event_name} to {to}" if to else record.event_name or "the event"
        return f"{name} on {show_moment(record.anchor_at, zone)}"
    day = show_day(record.anchor_on) if record.anchor_on else "a day unknown"
    if record.plan is not None:
        return f"her {record.plan} membership ends on {day}"
    return f"her {record.occurrence.partition(':')[0]} is on {day}"


def _step(step: "StepTrail", zone: ZoneInfo) -> tuple[str, str, str]:
    """A mark, its colour, and the sentence of one step."""
    from crm_console.moments import show_moment
    from crm_store.reasons import sentence_of

    touchpoint = step.touchpoint
    if touchpoint is None:
        only_if = f", if then {step.condition}" if step.condition else ""
        return "…", "dim", f"waits for {show_moment(step.due_at, zone)}{only_if}"
    because = sentence_of(touchpoint.reason)
    due = show_moment(touchpoint.due_at, zone)
    match touchpoint.state:
        case "accepted" if touchpoint.sent_at:
            return "✓", "green", f"sent {show_moment(touchpoint.sent_at, zone)}, and accepted"
        case "delivered" if touchpoint.sent_at:
            return "✓", "green", f"sent {show_moment(touchpoint.sent_at, zone)}, and delivered"
        case "bounced" | "complained" as state if touchpoint.sent_at:
            said = "and she called it spam" if state == "complained" else f"but {because}"
            detail = f" ({touchpoint.detail})" if touchpoint.detail else ""
            return "✗", "bold red", f"sent {show_moment(touchpoint.sent_at, zone)}, {said}{detail}"
        case "planned" | "queued":
            until = show_moment(touchpoint.not_before, zone)
            return "…", "dim", f"waits until {until}" + (f": {because}" if because else "")
        case "claimed" | "sending":
            return "…", "dim", "is being handed over now"
        case "in_doubt":
            return "?", "bold yellow", f"in doubt, and not sent again: {because}"
        case "rejected" | "failed" as state:
            detail = f" ({touchpoint.detail})" if touchpoint.detail else ""
            return "✗", "bold red", f"{state}, due {due}: {because}{detail}"
        case state:
            return "-", "yellow", f"not sent ({state}), due {due}: {because}"


def _why_not(outside: "Outside") -> str:
    if outside.has_occasion and outside.admitted:
        return "its occasion has come; she enters with the next sweep"
    absent = "its occasion has not come for her"
    if outside.other_plan:
        absent = f"it is not for her plan, {outside.other_plan}"
    if outside.admitted:
        return absent
    occasion = "its occasion has come, but" if outside.has_occasion else f"{absent}, and"
    return f"{occasion} its condition leaves her out: {outside.where}"


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return yes_no(value)
    if value is None or value == []:
        return "empty"
    return ", ".join(value) if isinstance(value, list) else str(value)

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
        typer.Argument(metavar="CUSTOMER", help="A reference, e-mail address or phone number."),
    ],
    campaign: Annotated[
        str | None, typer.Argument(metavar="CAMPAIGN", help="Only this campaign.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Tell what every campaign decided about a customer, and the exact reason.

    When they entered and why; each step: sent, waiting until, or not sent and why not, with the
    file and line of the rule that decided. For the campaigns they are not in: whether the
    occasion has come, and which part of the condition does not hold. Where the occasion has not
    come, name the CAMPAIGN to hear of its condition.
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
    from crm_console.rule_places import RulePlaces
    from crm_console.trail import trail_of
    from flows.foresight.play import HandClock
    from flows.foresight.scratch_engine import engine_on
    from flows.project import open_club
    from triggers.problems import choose_from

    files = project.check()
    clock = HandClock(now)
    with open_club(project, clock) as (store, club_id):
        engine = engine_on(project, store, clock)
        country = project.settings.club.country
        with store.read() as connection:
            customer_id = customer_named(connection, club_id, customer, country)
            trail = trail_of(
                connection,
                engine,
                customer_id,
                files=files,
                places=RulePlaces(files, project.folder),
                now=now,
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
    written = f"Written to in {card.language}."
    if card.language.split("-")[0] not in languages:
        written = f"The language is {card.language}; where a message lacks it, {languages[0]}."
    print_line(f"Times are the customer's own: {zone.key}. {written}", "dim")
    if trail.paused is not None:
        say(f"Everything is paused, and nothing leaves: {trail.paused}.", "bold yellow")
    for sentence in _refusals(trail, zone):
        say(sentence, "yellow")
    for enrollment in trail.enrollments:
        _show_enrollment(enrollment, zone)
    _show_outside(trail.outside)
    _show_next(trail, zone)
    for campaign in trail.disabled:
        print_line(f"{campaign} is broken and does not run: sampark check", "bold red")


def _refusals(trail: "Trail", zone: ZoneInfo) -> Iterator[str]:
    from crm_console.moments import show_moment

    for one in trail.refusals:
        since = f"since {show_moment(one.since, zone)} ({one.source})"
        if one.topic is None:
            cause = one.cause.replace("_", " ")
            yield f"The {one.channel} address is suppressed: {cause}, {since}."
        else:
            what = "all topics but transactional ones" if one.topic == "*" else f"topic {one.topic}"
            yield f"Opted out of {one.channel}, {what}, {since}."


def _show_outside(outside: "Sequence[Outside]") -> None:
    """The campaigns the customer is not in: those that wait for their occasion share a line."""
    if not outside:
        return
    print_line()
    print_line("Not in:", "bold")
    silent = [one for one in outside if not (one.answer.has_occasion or one.answer.other_plan)]
    told = [one for one in outside if one not in silent] if len(silent) > 1 else outside
    for one in told:
        answer = one.answer
        place = f" ({one.rule})" if one.rule and not answer.admitted else ""
        say(f"{answer.campaign}: {answer.sentence()}{place}", indent=2)
        for name, value in answer.facts.items():
            say(f"{name} is {_said(value)}", "dim", indent=6)
    if len(silent) > 1:
        names = ", ".join(one.answer.campaign for one in silent)
        say(f"Their occasion has not come: {names}.", "dim", indent=2)


def _show_enrollment(one: "EnrollmentTrail", zone: ZoneInfo) -> None:
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from crm_console.moments import show_moment
    from flows.campaigns import PUT_FILE_BACK

    record = one.record
    print_line()
    print_line(f"{one.name} · {record.campaign}, version {record.version}", "bold")
    say(f"entered {show_moment(record.entered_at, zone)}: {_occasion(one, zone)}", indent=2)
    steps = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for step in one.steps:
        mark, style, sentence = _step(step, zone)
        place = f" ({step.rule})" if step.rule else ""
        name = f"{step.step}.{step.variant}" if step.variant else step.step
        steps.add_row(Text(mark, style), name, step.channel, Text(sentence + place))
    out.print(Padding(steps, (0, 0, 0, 2), expand=False))
    match record.status:
        case "completed":
            say("No more steps to come.", "dim", indent=2)
        case "exited" if record.ended_at:
            moved = record.end_reason == "anchor_moved"
            why = "the date it counts from was moved" if moved else "an exit event ended it"
            place = f" ({one.rule})" if one.rule else ""
            say(f"left {show_moment(record.ended_at, zone)}: {why}{place}", indent=2)
        case "held_out":
            place = f" ({one.rule})" if one.rule else ""
            say(f"Held out for comparison: never written to by this campaign{place}.", indent=2)
    if one.file_gone:
        say(f"Its file is gone, and nothing of it leaves: {PUT_FILE_BACK}.", "bold red", indent=2)
    if one.paused is not None:
        say(f"The campaign is paused, and nothing of it leaves: {one.paused}.", "yellow", indent=2)


_MOMENTS = {
    "visit": "a visit",
    "purchase": "a purchase",
    "package": "a package that ran low",
    "stay": "a change of segment",
    "cron": "the schedule",
}
"""What occurrences are called whose anchor is a moment and that are no recorded event."""
_DAYS = {
    "absent": "the last visit was long enough ago on",
    "never": "there had been no visit by",
    "drop": "the visits were far fewer than before from",
    "day": "the date is on",
    "term": "the date of the membership is on",
    "package": "the date of the package is on",
}
"""The same for days; a birthday, an anniversary and a holiday bear their names."""


def _occasion(one: "EnrollmentTrail", zone: ZoneInfo) -> str:
    """What brought the customer in."""
    from crm_console.moments import show_day, show_moment

    record = one.record
    kind = record.occurrence.partition(":")[0]
    if record.anchor_at is not None:
        to = record.event_data.get("to") if record.event_data else None
        other = _MOMENTS.get(kind, "the event")
        name = f"{record.event_name} to {to}" if to else record.event_name or other
        return f"{name} on {show_moment(record.anchor_at, zone)}"
    day = show_day(record.anchor_on) if record.anchor_on else "a day unknown"
    if record.plan is not None:
        return f"the {record.plan} membership ends on {day}"
    return f"{_DAYS.get(kind, f'the {kind} is on')} {day}"


def _step(step: "StepTrail", zone: ZoneInfo) -> tuple[str, str, str]:
    """A mark, its colour, and the sentence of one step."""
    from crm_console.moments import show_moment
    from crm_store.reasons import sentence_of

    touchpoint = step.touchpoint
    if touchpoint is None:
        if step.held:
            since = show_moment(step.due_at, zone)
            return "…", "dim", f"held since {since}: the campaign's `pause_while` holds"
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
            said = "and the customer called it spam" if state == "complained" else f"but {because}"
            detail = f" ({touchpoint.detail})" if touchpoint.detail else ""
            return "✗", "bold red", f"sent {show_moment(touchpoint.sent_at, zone)}, {said}{detail}"
        case "planned" | "queued":
            until = show_moment(touchpoint.not_before, zone)
            return "…", "dim", f"waits until {until}" + (f": {because}" if because else "")
        case "done" if touchpoint.settled_at:
            return "✓", "green", f"done {show_moment(touchpoint.settled_at, zone)}"
        case "claimed" | "sending":
            return "…", "dim", "is being handed over now"
        case "in_doubt":
            return "?", "bold yellow", f"in doubt, and not sent again: {because}"
        case "rejected" | "failed" as state:
            detail = f" ({touchpoint.detail})" if touchpoint.detail else ""
            return "✗", "bold red", f"{state}, due {due}: {because}{detail}"
        case state:
            return "-", "yellow", f"not sent ({state}), due {due}: {because}"


def _show_next(trail: "Trail", zone: ZoneInfo) -> None:
    """The first thing that is still to come."""
    from crm_console.moments import show_moment
    from crm_console.trail import waiting

    first = min(waiting(trail), key=lambda one: one[0], default=None)
    if first is not None:
        at, enrollment, step = first
        print_line()
        print_line(
            f"Next: {step.step} of {enrollment.record.campaign}, {show_moment(at, zone)}.", "bold"
        )


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return yes_no(value)
    if value is None or value == []:
        return "empty"
    return ", ".join(value) if isinstance(value, list) else str(value)

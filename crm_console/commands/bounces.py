"""`sampark bounces`: mails that came back, read now."""

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from crm_console.call import JsonOption, call_of
from crm_console.terminal import many, note, out, plain_table, print_json
from crm_store.errors import SamparkError, UsageError

if TYPE_CHECKING:
    from crm_messaging.feedback import Feedback
    from crm_store.bounced import Became
    from flows.bounces import ReadMail
    from flows.project import Project

_STDIN = "-"


def bounces(
    context: typer.Context,
    mails: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="MAIL",
            help="Files with a mail each, or - for one on stdin. [default: the mailbox]",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Read bounces, complaints and automatic answers, and write down what they say.

    Without MAIL it looks once into the mailbox of `bounces:` in club.yaml, as `up` does every two
    minutes and each sweep. A mail that was read before changes nothing.

    Examples:

    sampark bounces

    sampark bounces - < returned.eml
    """
    from flows.event_loop import run

    project = call_of(context).project()
    read, became = run(_read(project, mails or []))
    if as_json:
        print_json({"mails": [_mail_json(name, mail, became) for name, mail in read]})
    else:
        _show(read, became)


async def _read(
    project: "Project", paths: list[Path]
) -> tuple[list[tuple[str, "ReadMail"]], dict[str, list["Became"]]]:
    """The mails by the name a person knows them by; and what became of each fact."""
    from flows.bounces import collect_from_mailbox, keep, take_in
    from flows.clock import wall_clock
    from flows.project import open_engine

    raws = [_contents(path) for path in paths]
    if not raws:
        _check_mailbox(project)
    async with open_engine(project, wall_clock) as engine:
        if raws:
            mails = keep(engine.store, engine.club_id, raws, engine.clock)
            names = [str(path) for path in paths]
        else:
            mails = collect_from_mailbox(project, engine)
            names = [mail.source_id[:12] for mail in mails]
        became: dict[str, list[Became]] = {}
        for one in await take_in(engine, mails):
            became.setdefault(one.fact, []).append(one)
    return list(zip(names, mails, strict=True)), became


def _contents(path: Path) -> bytes:
    if str(path) == _STDIN:
        return typer.get_binary_stream("stdin").read()
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.", "Name a mail.") from error


def _check_mailbox(project: "Project") -> None:
    if project.settings.bounces is None:
        raise SamparkError(
            "No mailbox for bounces is named.",
            "Write `bounces:` into club.yaml (docs/bounces.md), or name a file.",
        )
    if project.settings.mode != "live":
        raise SamparkError(
            "In a rehearsal the mailbox is left alone: its mails are not about what was rehearsed.",
            "Name a file, or write `mode: live` into club.yaml.",
        )


def _show(read: list[tuple[str, "ReadMail"]], became: dict[str, list["Became"]]) -> None:
    table = plain_table("mail", "verdict", "code", "recipient", "done", whole=("verdict", "code"))
    found = Counter[str]()
    for name, mail in read:
        for fact in mail.facts:
            found[fact.verdict] += 1
            done = "; ".join(_done(one) for one in became.get(fact.source_id or "", []))
            table.add_row(name, fact.verdict, fact.status, fact.recipient or "", done or "nothing")
    if found:
        out.print(table)
    reports = sum(1 for _, mail in read if mail.facts)
    told = ", ".join(f"{verdict} {number}" for verdict, number in found.most_common())
    note(
        f"{many(len(read), 'mail')}, {reports} of them about messages{': ' + told if told else ''}."
    )


def _done(one: "Became") -> str:
    where = f"touchpoint {one.touchpoint_id} is {one.state}" if one.touchpoint_id else one.event
    suppressed = ", the address is not written to again" if one.takes_address_out else ""
    return f"{one.customer}: {where}{suppressed}"


def _mail_json(name: str, mail: "ReadMail", became: dict[str, list["Became"]]) -> dict[str, Any]:
    return {
        "mail": name,
        "id": mail.source_id,
        "facts": [_fact_json(fact, became.get(fact.source_id or "", [])) for fact in mail.facts],
    }


def _fact_json(fact: "Feedback", became: list["Became"]) -> dict[str, Any]:
    return {
        "verdict": fact.verdict,
        "recipient": fact.recipient,
        "status": fact.status,
        "detail": fact.detail,
        "message_id": fact.message_id,
        "return_path": fact.return_path,
        "occurred_at": fact.occurred_at.isoformat() if fact.occurred_at else None,
        "done": [
            {
                "customer": one.customer,
                "event": one.event,
                "touchpoint": one.touchpoint_id,
                "state": one.state,
                "suppressed": one.takes_address_out,
            }
            for one in became
        ],
    }

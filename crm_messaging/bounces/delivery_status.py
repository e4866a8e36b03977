"""Delivery status notifications (RFC 3464): the part for machines, and one spilt into the text."""

import re
from collections.abc import Iterator, Mapping

from crm_messaging.bounces.addresses import address_of_field
from crm_messaging.bounces.finding import Finding, moment
from crm_messaging.bounces.mail import Mail
from crm_messaging.bounces.meaning import telling_line, verdict_of_failure
from crm_messaging.bounces.notice import notice_about
from crm_messaging.feedback import Verdict

_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9-]*)[ \t]*:[ \t]*(.*)")
_RECIPIENT = ("original-recipient", "final-recipient")
_OF_RECIPIENT = (*_RECIPIENT, "action", "status", "diagnostic-code")
_SPILT = re.compile(r"^[ \t]*(?:final|original)-recipient[ \t]*:", re.IGNORECASE | re.MULTILINE)
_DELAYED, _DELIVERED, _FAILED = "delayed", "delivered", "failed"

MAX_PEOPLE = 100
"""Each of our messages has one recipient; a report about more is not worth more reading."""

Fields = dict[str, str]


def read_delivery_status(mail: Mail) -> list[Finding] | None:
    """A finding for each recipient of whom the report knows the end or a delay, in its order.

    `None` when the mail has no such report, or one that names nobody.
    """
    people = [
        group
        for text in _texts(mail)
        for group in _groups(text)
        if any(name in group for name in _RECIPIENT)
    ]
    if not people:
        return None
    alone = len(people) == 1
    found = [one for group in people[:MAX_PEOPLE] for one in _finding(group, mail, alone=alone)]
    return list({(one.recipient or "").lower(): one for one in found}.values())


def _texts(mail: Mail) -> Iterator[str]:
    reports = [one.text for one in mail.reports if one.kind.endswith("delivery-status")]
    if reports:
        yield from reports
    elif _SPILT.search(mail.words):
        yield mail.words


def _groups(text: str) -> list[Fields]:
    """The groups of fields (section 2.1), also where the empty lines between them are missing."""
    groups: list[Fields] = [{}]
    last = ""
    for line in text.splitlines():
        field = _FIELD.fullmatch(line.strip())
        if not line.strip():
            groups.append({})
            last = ""
        elif line[0] in " \t" and last and not (field and field[1].lower() in _OF_RECIPIENT):
            groups[-1][last] += " " + line.strip()
        elif field:
            last = field[1].lower()
            if last in _RECIPIENT and last in groups[-1]:
                groups.append({})
            groups[-1].setdefault(last, field[2].strip())
        else:
            last = ""
    return groups


def _finding(fields: Mapping[str, str], mail: Mail, *, alone: bool) -> list[Finding]:
    recipient = next(
        filter(None, (address_of_field(fields.get(name, "")) for name in _RECIPIENT)), None
    )
    if recipient is None and alone:
        recipient = only_one(mail)
    status = fields.get("status", "")
    kind, semicolon, said = fields.get("diagnostic-code", "").partition(";")
    answer = said if semicolon else kind
    occurred_at = moment(fields.get("last-attempt-date", "")) or moment(mail.header("Date"))
    action = (fields.get("action") or _action_of(status)).split("(")[0].strip().lower()
    if action == _FAILED:
        notice = notice_about(mail, recipient, alone=alone)
        verdict, code = verdict_of_failure(answer, status, notice)
        return [Finding(verdict, recipient, code, answer or telling_line(notice), occurred_at)]
    verdict_of = {_DELAYED: Verdict.DELAYED, _DELIVERED: Verdict.DELIVERED}
    if action in verdict_of:
        return [Finding(verdict_of[action], recipient, status[:9], answer, occurred_at)]
    return []  # relayed, expanded: nobody knows yet


def _action_of(status: str) -> str:
    """Where the field is missing, against section 2.3.3."""
    return {"2": _DELIVERED, "4": _DELAYED, "5": _FAILED}.get(status[:1], "")


def only_one(mail: Mail) -> str | None:
    """The recipient of the returned message, where there is but one."""
    named = mail.headers("X-Failed-Recipients") or mail.returned_headers("To")
    people = {address_of_field(one) for value in named for one in value.split(",")} - {None}
    return people.pop() if len(people) == 1 and not mail.returned_headers("Cc") else None

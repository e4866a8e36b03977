"""Complaints: abuse reports (RFC 5965), and the forms that some providers use instead."""

from collections.abc import Sequence

from crm_messaging.bounces.addresses import address_of_field, addresses_in
from crm_messaging.bounces.finding import Finding, moment
from crm_messaging.bounces.mail import Mail
from crm_messaging.feedback import Verdict

_VERDICTS = {
    "abuse": Verdict.COMPLAINT,
    "fraud": Verdict.COMPLAINT,
    "opt-out": Verdict.UNSUBSCRIBED,
    "opt-out-list": Verdict.UNSUBSCRIBED,
}
"""By Feedback-Type. `not-spam`, `auth-failure`, `virus`, `other`: nobody has complained."""

_RECIPIENT_FIELDS = ("original-rcpt-to", "removal-recipient")
_RETURNED_FIELDS = ("X-HmXmrOriginalRecipient", "X-Original-Rcpt-To", "To")


def read_complaint(mail: Mail) -> list[Finding] | None:
    """A finding for each recipient of an abuse report; `None` when the mail is none."""
    reports = [one.text for one in mail.reports if one.kind == "message/feedback-report"]
    if reports:
        return _read_report(reports[0], mail)
    if _is_without_report(mail):
        return _findings(Verdict.COMPLAINT, _returned_recipients(mail), mail, "abuse")
    return None


def _read_report(report: str, mail: Mail) -> list[Finding]:
    fields: dict[str, list[str]] = {}
    for line in report.splitlines():
        name, colon, value = line.partition(":")
        if colon and line[:1] not in " \t":
            fields.setdefault(name.strip().lower(), []).append(value.strip())
    kind = next(iter(fields.get("feedback-type", [])), "").lower()
    verdict = _VERDICTS.get(kind)
    if verdict is None:
        return []
    named = [address_of_field(one) for name in _RECIPIENT_FIELDS for one in fields.get(name, [])]
    recipients = [one for one in named if one] or _returned_recipients(mail)
    return _findings(verdict, recipients, mail, kind)


def _is_without_report(mail: Mail) -> bool:
    """The junk mail reports of Microsoft: the message itself, and this header in it."""
    return bool(mail.returned_headers("X-HmXmrOriginalRecipient")) and (
        "complaint" in mail.header("Subject").lower()
    )


def _returned_recipients(mail: Mail) -> list[str]:
    for name in _RETURNED_FIELDS:
        people = [one for value in mail.returned_headers(name) for one in addresses_in(value)]
        if people:
            return people
    return []


def _findings(verdict: Verdict, recipients: list[str], mail: Mail, detail: str) -> list[Finding]:
    date = moment(mail.header("Date"))
    people: Sequence[str | None] = recipients or [None]
    return [Finding(verdict, one, "", detail, date) for one in people]

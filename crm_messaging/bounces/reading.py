"""From the bytes of a mail to what it says of our messages.

The parts for machines are asked first (RFC 5965, RFC 3464, RFC 8098), then reports in words are
told from automatic answers. Whom it suppresses is not decided here. `docs/bounces.md` says what
is read as what.
"""

import re
from collections.abc import Iterable
from hashlib import sha256
from itertools import chain

from crm_messaging.bounces.addresses import addresses_in
from crm_messaging.bounces.answers import read_answer, read_receipt, read_wish_to_leave
from crm_messaging.bounces.complaints import read_complaint
from crm_messaging.bounces.delivery_status import MAX_PEOPLE, read_delivery_status
from crm_messaging.bounces.finding import Finding
from crm_messaging.bounces.free_text import read_free_text
from crm_messaging.bounces.mail import Mail, open_mail
from crm_messaging.channels.wording import without_addresses
from crm_messaging.feedback import Feedback

_CAME_TO = ("To", "X-Original-To", "Delivered-To", "Envelope-To", "X-Envelope-To")
"""Where a mail system writes the address that a mail was sent to. A report is sent to the
envelope sender of the message that it is about (RFC 5321, section 6.1)."""

_WITH_TOKEN = re.compile(r".*\+[0-9a-f]{20,}", re.IGNORECASE)
"""The local part of an envelope sender that names its message; see `Links.return_token`."""


def read_mail(raw: bytes) -> tuple[Feedback, ...]:
    """What a mail says, a `Feedback` for each recipient; empty when it is no report of any kind.

    Takes any bytes. Of a mail over `MAX_READ` bytes the beginning is read.
    """
    try:
        mail = open_mail(raw)
    except RecursionError:
        return ()  # hundreds of messages in each other: nobody's report
    findings = _findings(mail)
    source = sha256(raw).hexdigest()[:40]
    message_id, return_path = _our_message_id(mail), _our_return_path(mail)
    return tuple(
        Feedback(
            verdict=one.verdict,
            channel="email",
            occurred_at=one.occurred_at,
            message_id=message_id,
            recipient=one.recipient,
            return_path=return_path,
            status=one.status,
            detail=without_addresses(one.detail, one.recipient or ""),
            source_id=f"mail:{source}:{number}",
        )
        for number, one in enumerate(findings[:MAX_PEOPLE])
    )


def _findings(mail: Mail) -> list[Finding]:
    for read_report in (read_wish_to_leave, read_complaint, read_delivery_status, read_receipt):
        told = read_report(mail)
        if told is not None:
            return told
    return read_free_text(mail) or read_answer(mail)


def _our_message_id(mail: Mail) -> str | None:
    """The Message-ID of the returned message, else the one that the mail answers."""
    for value in chain(
        mail.returned_headers("Message-ID"),
        mail.headers("X-Original-Message-ID", "In-Reply-To"),
        reversed(mail.headers("References")),
    ):
        for word in reversed(value.split()):
            if word.startswith("<") and word.endswith(">") and 3 < len(word) < 500:
                return word
    return None


def _our_return_path(mail: Mail) -> str | None:
    """The address that the report came back to: before others one that bears a token of ours."""
    candidates = [*_addresses(mail.headers(*_CAME_TO)), *_addresses(_told_return_paths(mail))]
    signed = [one for one in candidates if _WITH_TOKEN.fullmatch(one.rpartition("@")[0])]
    return next(iter([*signed, *candidates]), None)


def _told_return_paths(mail: Mail) -> list[str]:
    """The envelope sender as the report or the returned message tells it."""
    told = [
        value
        for report in mail.reports
        for name, _, value in (line.partition(":") for line in report.text.splitlines())
        if name.strip().lower() == "original-mail-from"
    ]
    return told + mail.returned_headers("Return-Path")


def _addresses(values: Iterable[str]) -> list[str]:
    return [address for value in values for address in addresses_in(value)]

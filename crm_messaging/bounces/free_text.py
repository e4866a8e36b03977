"""Reports of delivery in words alone: the mail systems that know nothing of RFC 3464."""

import logging
import re
from collections.abc import Callable
from email import message_from_bytes

from flufl.bounce import all_failures

from crm_messaging.bounces.addresses import addresses_in
from crm_messaging.bounces.answers import is_automatic
from crm_messaging.bounces.delivery_status import only_one
from crm_messaging.bounces.finding import Finding, moment
from crm_messaging.bounces.mail import Mail
from crm_messaging.bounces.meaning import (
    plain,
    telling_line,
    tells_of_delay,
    verdict_of_failure,
    verdict_of_words,
)
from crm_messaging.bounces.notice import notice_about
from crm_messaging.bounces.phrase_pattern import pattern
from crm_messaging.bounces.report_phrases import REPORT_SUBJECTS, REPORT_WORDS
from crm_messaging.feedback import Verdict

# Its detectors log what went wrong in them, with the text of the mail.
logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)

_FLUFL_READ = 64 * 1024
"""Bytes of a mail that flufl.bounce gets: on long lines its patterns take their time."""

_DAEMON = re.compile(
    r"\b(?:mailer[-_ ]?daemon|post[-_]?master|mail[-_ ]?daemon|mail(?:er)? deliver|"
    r"mail\.delivery\.system|mailer@|bounces?@)",
    re.IGNORECASE,
)
_SUBJECTS = pattern(REPORT_SUBJECTS)
_WORDS = pattern(REPORT_WORDS)
_AT_BEGIN = re.compile(
    r"[^\w<]*(?:\d{3}[ -])?(?:rcpt to|recipient|address|to)?:? ?<?"
    r"([^ <>\"'()]+@[^ <>\"'():;,]+)",
    re.IGNORECASE,
)
"""A line that begins with an address, behind a code or a word for it."""
_NAMED = re.compile(
    r"(?:rcpt to|recipients?|mail to|message to|delivered to|address|addressed to|"
    r"undeliverable to|gateway for) ?:? ?<?([^ <>\"'()]+@[^ <>\"'():;,\]]+)",
    re.IGNORECASE,
)
"""An address behind words that name a recipient."""
_MAX_LINE = 300


def read_free_text(mail: Mail) -> list[Finding]:
    """A finding for each recipient whom a report in words names; empty when it is no report."""
    if not _is_report(mail):
        return []
    people: list[str | None] = [*_recipients(mail)] or [only_one(mail)]
    told = f"{mail.header('Subject')}\n{mail.notice}"
    if tells_of_delay(told):
        date = moment(mail.header("Date"))
        return [Finding(Verdict.DELAYED, one, "", "", date) for one in people]
    found = [_finding(one, mail, alone=len(people) == 1) for one in people]
    # A daemon's mail that names nobody and says nothing known is no report.
    return found if people != [None] or verdict_of_words(mail.notice) else []


def _is_report(mail: Mail) -> bool:
    """Whether the mail comes from a mail system; an answering person or robot is none."""
    if mail.headers("X-Failed-Recipients"):
        return True
    by_subject = bool(_SUBJECTS.search(plain(mail.header("Subject"))))
    by_words = bool(_WORDS.search(plain(mail.notice)))
    if _DAEMON.search(" ".join(mail.headers("From", "Sender"))):
        # A daemon writes of other things too, such as what it holds in quarantine.
        return by_subject or by_words or verdict_of_words(mail.notice) is not None
    if is_automatic(mail):
        return False
    nobody = mail.headers("Return-Path")[:1] in (["<>"], [""])
    return by_subject or (nobody and by_words)


def _finding(recipient: str | None, mail: Mail, *, alone: bool) -> Finding:
    notice = notice_about(mail, recipient, alone=alone)
    verdict, code = verdict_of_failure("", "", notice)
    return Finding(verdict, recipient, code, telling_line(notice), moment(mail.header("Date")))


def _recipients(mail: Mail) -> list[str]:
    """Whom the report is about: as a header says, as flufl.bounce finds, as the text looks."""
    if declared := addresses_in(" ".join(mail.headers("X-Failed-Recipients"))):
        return declared
    ours = {one.lower() for one in addresses_in(" ".join(mail.headers("To", "Cc", "From")))}
    named = {one.lower(): one for one in addresses_in(mail.notice)}
    for guess in (
        _by_flufl(mail),
        _by_look(mail, _AT_BEGIN.match),
        _by_look(mail, _NAMED.search),
        [*named],
    ):
        people = [named[one] for one in dict.fromkeys(guess) if one in named]
        others = [one for one in people if one.lower() not in ours]
        if others or people:
            return others or people
    return []


def _by_flufl(mail: Mail) -> list[str]:
    try:
        delayed, failed = all_failures(message_from_bytes(mail.raw[:_FLUFL_READ]))
    except Exception:
        # Its two dozen detectors were made for whole mails: on a broken one any of them may fail
        # in any way, and then it has found nothing.
        return []
    return sorted(one.decode("ascii", "replace").lower() for one in {*delayed, *failed})


def _by_look(mail: Mail, look: Callable[[str], re.Match[str] | None]) -> list[str]:
    lines = (" ".join(line.split())[:_MAX_LINE] for line in mail.notice.splitlines())
    found = (match[1] for match in map(look, lines) if match)
    return [address.lower() for one in found for address in addresses_in(one)[:1]]

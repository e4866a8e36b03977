"""What a failed delivery came to, judged by codes and words; "hard" only where nothing speaks
against it.

Words go before codes: servers give 5.1.1 to full mailboxes and to blocked senders as well, and
5.7.1 to users they don't know. Of the codes, the one in the answer of the last server goes before
the one that the reporting server has put beside it.
"""

import re

from crm_messaging.bounces.codes import Code, code_in, reply_class
from crm_messaging.bounces.failure_phrases import BLOCKLISTS, FAILURE_PHRASES
from crm_messaging.bounces.phrase_pattern import pattern
from crm_messaging.bounces.report_phrases import DELAY_PHRASES, GIVING_UP_PHRASES
from crm_messaging.feedback import Verdict

_MAX_READ = 20_000
_FAILURES = [(verdict, pattern(phrases)) for verdict, phrases in FAILURE_PHRASES]
_DELAY = pattern(DELAY_PHRASES)
_GIVING_UP = pattern(GIVING_UP_PHRASES)
_CONTINUED = re.compile(r"(?<![\w.])[245]\d\d[- ][245]\.\d\.\d{1,3} ")
_NAMES = re.compile(
    r"https?:\S+|[^\s<>:\"']{0,128}@[^\s<>:\"']+|(?<![\w.-])(?:[\w-]+\.)+[a-z0-9-]{2,}(?:\[[^\]]*\])?"
)
_SPACES = re.compile(r"\s+")


def plain(text: str) -> str:
    """`text` in small letters on one line, ready to look for phrases.

    Addresses, links and names of hosts are left out, and the codes with which a server begins
    each line of a long answer.
    """
    line = _SPACES.sub(" ", text[:_MAX_READ].lower().replace("’", "'"))
    return _SPACES.sub(" ", _NAMES.sub(" ", _CONTINUED.sub("", line)))


def verdict_of_words(text: str) -> Verdict | None:
    """What a server's words say of a failed delivery; `None` when no phrase is known."""
    words = plain(text)
    for verdict, found in _FAILURES:
        if verdict is Verdict.BLOCKED and any(one in text.lower() for one in BLOCKLISTS):
            return verdict
        if found.search(words):
            return verdict
    return None


def tells_of_delay(text: str) -> bool:
    """Whether a report's words say that delivery is still being tried."""
    words = plain(text)
    return bool(_DELAY.search(words)) and not _GIVING_UP.search(words)


def verdict_of_failure(answer: str, status: str = "", notice: str = "") -> tuple[Verdict, str]:
    """The verdict on a recipient whom a message did not reach, and the code that says it.

    `answer` is what the last server said (Diagnostic-Code), `status` the report's own code,
    `notice` what the report says to a person about this recipient, asked when the others say
    nothing.
    """
    said, beside = code_in(answer), code_in(status)
    code = said if said and not said.is_generic else beside or said
    verdict = verdict_of_words(answer) or (code.verdict if code else None)
    if verdict is None and notice and (code is None or code.is_vague):
        verdict = verdict_of_words(notice)
        told = code_in(notice)
        if told and (code is None or not told.is_vague):
            said = code = told
            verdict = verdict or told.verdict
        answer = f"{answer} {notice}"
    if verdict is Verdict.HARD_BOUNCE and not answer.strip():
        # A code by itself is often careless; the notice may know better.
        verdict = verdict_of_words(notice) or verdict
    if verdict is Verdict.HARD_BOUNCE and _may_pass(answer, said, beside):
        verdict = None
    return verdict or Verdict.SOFT_BOUNCE, str(code or "")


def telling_line(text: str) -> str:
    """The line of a report that says why: the first with a code, or with a known phrase."""
    lines = text.splitlines()
    for says_why in (code_in, reply_class, verdict_of_words):
        for line in lines:
            if says_why(line):
                return line
    return text


def _may_pass(answer: str, said: Code | None, beside: Code | None) -> bool:
    """Whether the server spoke of a failure that may pass: the class of its code is 4.

    A report's 4.0.0 counts for nothing: some write it whatever has happened.
    """
    reply = reply_class(answer)
    if reply is not None:
        return reply != 5
    if said is not None:
        return said.kind != 5
    return beside is not None and beside.kind != 5 and not beside.is_generic

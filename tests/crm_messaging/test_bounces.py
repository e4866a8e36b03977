"""What is read in single mails: docs/bounces.md row by row, and any bytes at all."""

import re
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from bounce_letters import ASHA, OURS, RETURN_PATH, auto_reply, bounce, complaint, letter, report
from bounces_document import rows
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crm_messaging.bounces.mail import MAX_READ
from crm_messaging.bounces.reading import read_mail
from crm_messaging.feedback import Feedback, Verdict


def only(raw: bytes) -> Feedback:
    found = read_mail(raw)
    assert len(found) == 1, found
    return found[0]


@pytest.mark.parametrize(
    ("answer", "status", "verdict"), rows("What a server says, and what it is read as")
)
def test_the_table_of_answers_is_true(answer: str, status: str, verdict: str) -> None:
    assert str(only(bounce(answer.strip("`"), status)).verdict) == verdict


def test_a_report_tells_all_that_is_needed() -> None:
    told = only(bounce("550 5.1.1 <asha@example.org> unknown user asha", "5.1.1"))
    assert told == Feedback(
        verdict=Verdict.HARD_BOUNCE,
        channel="email",
        occurred_at=datetime(2026, 3, 1, 4, 30, tzinfo=UTC),
        message_id=OURS,
        recipient=ASHA,
        return_path=RETURN_PATH,
        status="5.1.1",
        detail="550 5.1.1 <address> unknown user <address>",
        source_id=told.source_id,
    )


FULL_AND_GONE = """\
Reporting-MTA: dns; mx.example.org
Arrival-Date: Sun, 1 Mar 2026 09:00:00 +0530

Original-Recipient: rfc822;asha@example.org
Final-Recipient: rfc822; box17@inner.example.org
Action: failed
Status: 5.2.2 (no room)
Diagnostic-Code: smtp; 552 5.2.2 Mailbox
    full
Last-Attempt-Date: Sun, 1 Mar 2026 09:30:00 +0530

Final-Recipient: rfc822; <ravi@example.org>
Action: failed
Status: 5.1.1

Final-Recipient: rfc822; list@example.org
Action: expanded
Status: 2.0.0
"""


def test_each_recipient_of_a_report_has_a_verdict_of_its_own() -> None:
    asha, ravi = read_mail(report(FULL_AND_GONE))
    assert (asha.verdict, asha.recipient) == (Verdict.MAILBOX_FULL, ASHA)
    assert asha.occurred_at == datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
    assert (ravi.verdict, ravi.recipient) == (Verdict.HARD_BOUNCE, "ravi@example.org")
    assert asha.source_id != ravi.source_id


QMAIL = """\
Hi. This is the qmail-send program at mx.example.org.
I'm afraid I wasn't able to deliver your message to the following addresses.

<ravi@example.org>:
Remote host said: 552 5.2.2 Mailbox full

<asha@example.org>:
Remote host said: 550 5.1.1 User unknown

--- Below this line is a copy of the message.

Message-ID: <0123456789abcdef@lotus.example>
To: someone@example.org
"""
WARNING = """\
THIS IS A WARNING MESSAGE ONLY.
Delivery to asha@example.org has been delayed: 550 User unknown
"""
SPILT = """\
The mail could not be delivered.

Final-Recipient: rfc822; asha@example.org
Action: failed
Status: 5.0.0

Message-ID: <0123456789abcdef@lotus.example>
"""
VAGUE = """\
<asha@example.org>: the dog ate it. Perhaps there is no longer anybody.
"""
NOT_THE_ADDRESS = """\
<asha@example.org>: 550 5.1.1 User unknown; your host is on our blacklist
"""


@pytest.mark.parametrize(
    ("subject", "body", "verdicts"),
    [
        ("failure notice", QMAIL, {"ravi": "mailbox_full", "asha": "hard_bounce"}),
        ("Warning", WARNING, {"asha": "delayed"}),
        ("Returned mail", SPILT, {"asha": "soft_bounce"}),
        ("Returned mail", VAGUE, {"asha": "soft_bounce"}),
        ("Returned mail", NOT_THE_ADDRESS, {"asha": "blocked"}),
        ("Lunch?", "Shall we have lunch?", {}),
        ("Your digest", "Held for you: 3 mails from asha@example.org", {}),
    ],
)
def test_reports_in_words(subject: str, body: str, verdicts: dict[str, str]) -> None:
    found = read_mail(letter(f"Subject: {subject}", body=body))
    named = {(one.recipient or "").partition("@")[0]: str(one.verdict) for one in found}
    assert named == verdicts
    assert {one.return_path for one in found} <= {RETURN_PATH}


@pytest.mark.parametrize(
    ("raw", "verdict"),
    [
        (bounce("451 4.4.1 no answer", "4.4.1", action="delayed"), Verdict.DELAYED),
        (bounce("250 2.0.0 ok", "2.0.0", action="delivered"), Verdict.DELIVERED),
        (complaint(), Verdict.COMPLAINT),
        (complaint("fraud"), Verdict.COMPLAINT),
        (complaint("opt-out"), Verdict.UNSUBSCRIBED),
        (auto_reply(), Verdict.AUTO_REPLY),
        (letter("Subject: Автоответ: Привет", body="", sender=ASHA), Verdict.AUTO_REPLY),
        (
            report("Disposition: manual-action/MDN-sent-manually; displayed",
                   kind="disposition-notification", sender=ASHA),
            Verdict.DELIVERED,
        ),
    ],
)  # fmt: skip
def test_the_other_kinds(raw: bytes, verdict: Verdict) -> None:
    told = only(raw)
    assert (told.verdict, told.recipient) == (verdict, ASHA)
    assert told.return_path == RETURN_PATH


@pytest.mark.parametrize(
    "raw",
    [
        complaint("not-spam"),
        complaint("auth-failure"),
        bounce("250 ok", "2.0.0", action="relayed"),
        letter("Subject: My membership", body="My old address is unknown now.", sender=ASHA),
        letter("Subject: Undeliverable?", body="", sender=ASHA, kind="message/rfc822"),
        b"",
        b"\x00\xff\xfe",
    ],
)
def test_what_says_nothing(raw: bytes) -> None:
    assert read_mail(raw) == ()


def test_who_wants_to_leave_is_named_by_the_token_else_by_the_sender() -> None:
    raw = letter("Subject: Unsubscribe", body="", sender=ASHA)
    assert (only(raw).verdict, only(raw).recipient) == (Verdict.UNSUBSCRIBED, None)
    bare = raw.replace(b"bounces+t0k3n", b"bounces")
    assert (only(bare).verdict, only(bare).recipient) == (Verdict.UNSUBSCRIBED, ASHA)


def test_an_answer_while_away_is_never_a_bounce() -> None:
    told = only(auto_reply("Undeliverable: I have left, user unknown"))
    assert told.verdict is Verdict.AUTO_REPLY
    assert told.message_id == OURS


def test_a_bounce_of_a_bounce_is_about_the_outer_one() -> None:
    """The report within the returned message is not ours to read."""
    inner = bounce("550 5.1.1 User unknown", "5.1.1", recipient="ravi@example.org").decode()
    raw = letter(
        "Subject: Undelivered Mail Returned to Sender",
        kind="multipart/mixed; boundary=outer",
        body="--outer\nContent-Type: text/plain\n\n<asha@example.org>: 552 Mailbox full\n"
        f"\n--outer\nContent-Type: message/rfc822\n\n{inner}\n--outer--",
    )
    told = only(raw)
    assert (told.verdict, told.recipient) == (Verdict.MAILBOX_FULL, ASHA)


LETTERS = [bounce("550 5.1.1 User unknown", "5.1.1"), complaint(), auto_reply(),
           report(FULL_AND_GONE), letter("Subject: failure notice", body=QMAIL)]  # fmt: skip
PIECES = [b"\r\n\r\n", b"--b\r\n", b"Content-Type: message/rfc822\r\n\r\n", b"\x1b$B", b"\x00",
          b"; charset*0*=x", b'; charset="a\0b"', b"; charset=utf-16", b"; charset=unicode_escape",
          b"\\ud800", b"=?utf-8?b?%", b"Content-Transfer-Encoding: base64\r\n", b"\xff", b"@", b";",
          b"Date: Thu, 99 Foo 99999 99:99:99 +9999\r\n", b"Message-ID: [\r\n"]  # fmt: skip
CHANGE = st.tuples(st.floats(0, 1), st.integers(0, 80), st.sampled_from(PIECES) | st.binary())


NO_CHARSETS = ["unicode_escape", "raw_unicode_escape", "idna", "punycode", "rot13", "undefined",
               "base64", "zlib", "x-unknown", "utf-8\N{NO-BREAK SPACE}"]  # fmt: skip


def in_charsets_that_are_none(test: Callable[..., None]) -> Callable[..., None]:
    """Python's own codecs, which a mail can name and must not choose, and names of nothing."""
    for name in NO_CHARSETS:
        body = "<asha@example.org>: \\p \\ud800 \\u0041 552 Mailbox full"
        mail = letter(
            f"Subject: =?{name}?q?failure_=5Cp?=", kind=f"text/plain; charset={name}", body=body
        )
        test = example(mail, [], 1.0)(test)
    return test


@pytest.mark.parametrize("name", NO_CHARSETS)
def test_what_is_no_charset_is_read_as_one_that_nobody_knows(name: str) -> None:
    body = "<asha@example.org>: 552 Mailbox full: \\u0041 приём"
    told = only(letter("Subject: failure", kind=f"text/plain; charset={name}", body=body))
    assert (told.verdict, told.recipient) == (Verdict.MAILBOX_FULL, ASHA)
    assert told.detail.endswith("\\u0041 приём")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(LETTERS), st.lists(CHANGE, max_size=8), st.floats(0.2, 1))
@in_charsets_that_are_none
def test_no_bytes_break_it(raw: bytes, changes: list[tuple[float, int, bytes]], end: float) -> None:
    """Mails cut off, mangled and mixed with what parsers stumble over."""
    mail = bytearray(raw[: int(len(raw) * end)])
    for where, gone, put in changes:
        start = int(where * len(mail))
        mail[start : start + gone] = put
    for told in read_mail(bytes(mail)):
        assert not re.search(r"\w@\w+\.\w", told.detail)
        assert told.source_id


@given(st.binary(max_size=300))
def test_nor_do_bytes_that_were_never_a_mail(raw: bytes) -> None:
    assert all(
        one.verdict not in (Verdict.HARD_BOUNCE, Verdict.COMPLAINT) for one in read_mail(raw)
    )


def daemon(body: bytes) -> bytes:
    return b"From: MAILER-DAEMON@x.example\r\nSubject: failure notice\r\n" + body


@pytest.mark.parametrize(
    "raw",
    [
        daemon(b"\r\n" + b"a" * MAX_READ),
        daemon(b"\r\n" + b"a." * MAX_READ),
        daemon(b"\r\n" + b" " * MAX_READ),
        daemon(b"\r\n" + b"\r\n" * MAX_READ),
        daemon(b"\r\n" + b"<asha@example.org>: 550 user unknown\r\n" * 20_000),
        daemon(b"Content-Type: text/html\r\n\r\n" + b"<head " * 60_000),
        daemon(b"X: " + b"=?utf-8?q?a" * 40_000 + b"\r\n\r\n"),
        report("\n\n".join(f"Final-Recipient: rfc822; u{n}@x.example\nAction: failed"
                           for n in range(5_000))),
        b"Content-Type: message/rfc822\r\n\r\n" * 5_000,
        b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n)
                 for n in range(2_000)),
    ],
    ids=["letters", "dots", "spaces", "lines", "people",
         "tags", "words", "groups", "mails", "parts"],
)  # fmt: skip
def test_none_keeps_it_busy(raw: bytes) -> None:
    begun = time.process_time()
    found = read_mail(raw)
    assert time.process_time() - begun < 5
    assert len(found) <= 100

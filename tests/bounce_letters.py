"""Mails as mail systems send them about a message of ours, with as little in them as they need."""

OURS = "<0123456789abcdef@lotus.example>"
RETURN_PATH = "bounces+t0k3n@lotus.example"
ASHA = "asha@example.org"
RETURNED = f"""\
Return-Path: <{RETURN_PATH}>
From: Lotus Fitness <hello@lotus.example>
To: Asha <{ASHA}>
Subject: Your membership
Message-ID: {OURS}
"""


def letter(*headers: str, body: str, kind: str = "text/plain", sender: str = "") -> bytes:
    """A mail to our return path."""
    lines = [
        f"From: {sender or 'Mail Delivery System <MAILER-DAEMON@mx.example.org>'}",
        f"To: {RETURN_PATH}",
        "Date: Sun, 01 Mar 2026 10:00:00 +0530",
        "MIME-Version: 1.0",
        f"Content-Type: {kind}",
        *headers,
    ]
    return "\r\n".join([*lines, "", *body.splitlines(), ""]).encode()


def report(fields: str, *, notice: str = "", kind: str = "delivery-status", **more: str) -> bytes:
    """A `multipart/report` (RFC 6522): a notice, the fields, and the headers of our message."""
    body = f"""\
--b
Content-Type: text/plain; charset=utf-8

{notice}

--b
Content-Type: message/{kind}

{fields}

--b
Content-Type: text/rfc822-headers

{RETURNED}
--b--
"""
    return letter(
        "Subject: Undelivered Mail Returned to Sender",
        body=body,
        kind=f'multipart/report; report-type={kind}; boundary="b"',
        **more,
    )


def bounce(answer: str, status: str, *, action: str = "failed", recipient: str = ASHA) -> bytes:
    """A delivery report (RFC 3464) about one recipient."""
    return report(
        f"Reporting-MTA: dns; mx.example.org\n\n"
        f"Final-Recipient: rfc822; {recipient}\nAction: {action}\nStatus: {status}\n"
        f"Diagnostic-Code: smtp; {answer}"
    )


def complaint(kind: str = "abuse", recipient: str = ASHA) -> bytes:
    """An abuse report (RFC 5965)."""
    return report(
        f"Feedback-Type: {kind}\nVersion: 1\nOriginal-Rcpt-To: <{recipient}>\n"
        f"Original-Mail-From: <{RETURN_PATH}>",
        kind="feedback-report",
        sender="fbl@example.org",
    )


def auto_reply(subject: str = "Re: Your membership") -> bytes:
    """An answer while she is away (RFC 3834)."""
    return letter(
        f"Subject: {subject}",
        "Auto-Submitted: auto-replied (vacation)",
        f"In-Reply-To: {OURS}",
        body="I am away until Monday. User unknown? Ask my mailbox.",
        sender=f"Asha <{ASHA}>",
    )

"""docs/delivery.md is true about servers: every row is played through the engine into the ledger.

A row is read as it stands; nothing here says what ought to come of it.
"""

import re
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import product

from delivery_document import Row, table
from delivery_playing import CAMPAIGN, Said, lead_in, mail_through, meddle, said_of, texts_through
from engines import Workshop
from http_script import CLOSE as BREAK_OFF
from http_script import HANG as KEEP_SILENT
from http_script import answer, scripted_http
from smtp_script import CLOSE, GARBAGE, HANG, STOP_READING, scripted

from crm_messaging.channels import http_outcomes
from crm_messaging.channels.smtp_outcomes import Fault, Point
from crm_messaging.message import Letter, OutgoingEmail
from crm_store.reasons import Reason

EMAIL = table("E-mail: what the server does, and what the ledger says")
SMS = table("Text messages: what the provider does")

# E-mail.

AT = {
    "greeting": "greeting",
    "EHLO": "EHLO",
    "STARTTLS": "STAR",
    "AUTH": "AUTH",
    "MAIL": "MAIL",
    "RCPT": "RCPT",
    "DATA": "DATA",
    "before the dot": "DATA",
    "after the dot": "dot",
}
DOES = {
    "hangs up": CLOSE,
    "says nothing": HANG,
    "stops reading": STOP_READING,
    "talks nonsense": GARBAGE,
}
EXTENSIONS = {"STARTTLS": "STARTTLS", "AUTH": "AUTH PLAIN LOGIN"}


def script_of(row: Row) -> dict[str, str]:
    """What the scripted server is told, from the words of the row alone."""
    where, does = row.happens
    words = "".join(f"{text}\r\n" for text in row.quoted)
    if not words:
        words = DOES[does]
    elif does.endswith("and hangs up"):
        words += CLOSE
    if where == "before the dot":
        words = "354 go on\r\n" + words
    script = {AT[where]: words}
    if where in EXTENSIONS:
        script["EHLO"] = f"250-scripted\r\n250 {EXTENSIONS[where]}\r\n"
    return script


def long_as_no_network_takes_it_at_once(message: OutgoingEmail) -> OutgoingEmail:
    much = b"Good day, and good night.\r\n" * 400_000
    return message._replace(letter=Letter.of(bytes(message.letter) + much))


def words_kept(row: Row, said: Said) -> bool:
    """Whether the detail has what the server said, where it has said a thing to its end."""
    complete = said.reason != Reason.NO_REPLY
    return not complete or all(text[len("250 ") :] in said.detail for text in row.quoted)


async def test_the_table_of_email_is_true(lite_club: Workshop, unused_tcp_port: int) -> None:
    lite_club.campaign(CAMPAIGN.format(step="email: note/one"))
    lies = []
    for row in EMAIL:
        where, does = row.happens
        if where == "connecting":
            async with mail_through(lite_club, unused_tcp_port):
                said = said_of(lite_club, await lead_in(lite_club))
        else:
            async with (
                scripted(script_of(row)) as server,
                mail_through(lite_club, server.port, where),
            ):
                if does == "stops reading":
                    meddle(lite_club, long_as_no_network_takes_it_at_once)
                said = said_of(lite_club, await lead_in(lite_club))
        if said.contradicts(row) or not words_kept(row, said):
            lies.append((row, said))
    assert not lies, "\n".join(f"{row}\n  but {said}" for row, said in lies)


def test_the_table_of_email_is_whole() -> None:
    """Each point of a hand-over with each thing that can go wrong there."""
    points = {point.upper(): point for point in (Point.MAIL, Point.RCPT, Point.DATA)}
    points |= {"before the dot": Point.BODY, "after the dot": Point.DOT}
    faults = {"4": Fault.TEMPORARY, "5": Fault.PERMANENT, "t": Fault.GARBAGE}
    shown = {
        (points.get(where, Point.SESSION), faults.get(does.strip("`")[0], Fault.SILENCE))
        for where, does in (row.happens for row in EMAIL)
        if not does.startswith("`2")
    }
    assert shown == set(product(Point, Fault))


# Text messages.


def answer_of(row: Row) -> bytes:
    (does,) = row.happens
    if not row.quoted:
        return {
            "says nothing": KEEP_SILENT,
            "hangs up": BREAK_OFF,
            "talks nonsense": b"this is not HTTP\r\n\r\n",
        }[does]
    headers = {"Date": "Sun, 22 Nov 2026 05:00:00 GMT"}
    if seconds := re.search(r"come again in (\d+) seconds", does):
        headers["Retry_After"] = seconds[1]
    body = '{"sid": "SM1"}' if does.endswith("with a message id") else "some words"
    return answer(f"{row.quoted[0]} Words", body, **headers)


@contextmanager
def deaf_port() -> Iterator[int]:
    """A port whose backlog is full: the system answers no further knock."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        port: int = server.getsockname()[1]
        knocking = [socket.socket() for _ in range(4)]
        for one in knocking:
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        yield port
        for one in knocking:
            one.close()


async def test_the_table_of_text_messages_is_true(
    lite_club: Workshop, unused_tcp_port: int
) -> None:
    lite_club.campaign(CAMPAIGN.format(step="sms: note/short"))
    lies = []
    for row in SMS:
        match row.happens:
            case ("nobody listens",):
                async with texts_through(lite_club, f"http://127.0.0.1:{unused_tcp_port}"):
                    said = said_of(lite_club, await lead_in(lite_club))
            case ("does not take the connection",):
                with deaf_port() as port:
                    async with texts_through(lite_club, f"http://127.0.0.1:{port}"):
                        said = said_of(lite_club, await lead_in(lite_club))
            case _:
                async with (
                    scripted_http(answer_of(row)) as server,
                    texts_through(lite_club, server.url),
                ):
                    said = said_of(lite_club, await lead_in(lite_club))
        if said.contradicts(row):
            lies.append((row, said))
    assert not lies, "\n".join(f"{row}\n  but {said}" for row, said in lies)


def test_the_table_of_text_messages_is_whole() -> None:
    shown = {int(row.quoted[0]) for row in SMS if row.quoted}
    named = http_outcomes.NOT_TAKEN_NOW | http_outcomes.SET_UP_WRONG
    assert named <= shown
    for hundred in (2, 3, 4, 5):
        assert any(status // 100 == hundred for status in shown - named), f"no plain {hundred}xx"

"""docs/delivery.md is true: every row is played through the engine into the ledger.

A row is read as it stands; nothing here says what ought to come of it.
"""

import inspect
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
import pytest_asyncio
from delivery_document import DOCUMENT, Row, table
from engines import Workshop, workshop
from http_script import CLOSE as BREAK_OFF
from http_script import HANG as KEEP_SILENT
from http_script import answer, scripted_http
from making import make_consent, make_customer, make_event, rows_of
from smtp_script import CLOSE, GARBAGE, HANG, STOP_READING, scripted
from sqlalchemy import update

from crm_messaging.channels import http_outcomes
from crm_messaging.channels.limits import Rate
from crm_messaging.channels.opening import open_channels
from crm_messaging.channels.settings import ChannelsSettings, EmailSettings
from crm_messaging.channels.sms_settings import TwilioSettings
from crm_messaging.channels.smtp_outcomes import Fault, Point
from crm_messaging.message import Channel, MaySend, Outgoing, OutgoingEmail, Receipt
from crm_store import doubts, sending, touchpoints
from crm_store.database import Store
from crm_store.models.touchpoint import Touchpoint
from crm_store.reasons import Reason
from crm_store.tables import table_of
from flows import line, verdict
from flows.admit import admit
from flows.advance import advance
from flows.prepare import prepare
from flows.sweep import handle_events, plan_sweep
from flows.traffic import IN_A_ROW, Traffic
from flows.verdict import RETRIES
from triggers.yaml_source import parse_yaml

EMAIL = table("E-mail: what the server does, and what the ledger says")
SMS = table("Text messages: what the provider does")
OURS = table("What happens on our side")

CAMPAIGN = """
campaign: leads
name: Leads
topic: news
trigger: {{type: new_lead}}
steps:
  - {{id: welcome, at: now, {step}}}
"""
TIMES = {"connect_timeout": 0.3, "reply_timeout": 0.3}
SPREAD = 1.2
"""The most that a pause is stretched by."""


@pytest_asyncio.fixture
async def club(sqlite_store: Store, tmp_path: Path) -> AsyncIterator[Workshop]:
    async with workshop(sqlite_store, tmp_path / "club") as made:
        yield made


@dataclass(frozen=True)
class Said:
    """What the ledger says of one touchpoint, in the document's terms."""

    state: str
    reason: str | None
    counts: bool
    pause: timedelta | None
    """Until it may be claimed again; `None` when it never will be."""
    detail: str

    def contradicts(self, row: Row) -> bool:
        if (self.state, self.reason, self.counts) != (row.state, row.reason, row.counts):
            return True
        if row.pause is None:
            return row.again == "no" and self.pause is not None
        return self.pause is None or not row.pause <= self.pause <= row.pause * SPREAD


async def lead_in(club: Workshop) -> int:
    """A new lead comes in and her message is delivered, or not; the touchpoint's id."""
    make_event(club.store, make_customer(club.store))
    await handle_events(club.engine, plan_sweep(club.engine, club.files))
    newest: int = rows_of(club.store, Touchpoint, "id")[-1][0]
    return newest


def said_of(club: Workshop, touchpoint_id: int) -> Said:
    columns = ("id", "state", "reason", "attempts", "not_before", "settled_at", "detail")
    for number, state, reason, attempts, not_before, settled_at, detail in rows_of(
        club.store, Touchpoint, *columns
    ):
        if number == touchpoint_id:
            pause = None if settled_at else max(not_before - club.clock.now, timedelta(0))
            return Said(state, reason, attempts > 0, pause, detail)
    raise AssertionError("no such touchpoint")


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


@asynccontextmanager
async def mail_through(club: Workshop, port: int, where: str = "") -> AsyncIterator[None]:
    """The club's e-mail goes to `port`."""
    smtp = {"host": "127.0.0.1", "port": port, "tls": "none", "sessions": 1} | TIMES
    smtp["final_reply_timeout"] = 0.3
    if where == "STARTTLS":
        smtp["tls"] = "starttls"
    if where == "AUTH":
        smtp |= {"username": "club", "password": "s3cret"}
    email = EmailSettings.model_validate({"from": "hello@lotus.example", "smtp": smtp})
    await club.engine.channels["email"].close()
    club.engine.channels.update(open_channels(email, None))
    yield
    await club.engine.channels["email"].close()


class Meddled:
    """A channel with something done to each message before it is handed over."""

    name = "email"
    concurrency = 1

    def __init__(self, channel: Channel, before: Callable[[OutgoingEmail], OutgoingEmail]) -> None:
        self._channel = channel
        self._before = before

    async def hand_over(self, message: Outgoing, may_send: MaySend) -> Receipt | None:
        assert isinstance(message, OutgoingEmail)
        return await self._channel.hand_over(self._before(message), may_send)

    async def close(self) -> None:
        await self._channel.close()


def meddle(club: Workshop, before: Callable[[OutgoingEmail], OutgoingEmail]) -> None:
    club.engine.channels["email"] = Meddled(club.engine.channels["email"], before)


def long_as_no_network_takes_it_at_once(message: OutgoingEmail) -> OutgoingEmail:
    return replace(message, content=message.content + b"Good day, and good night.\r\n" * 400_000)


def words_kept(row: Row, said: Said) -> bool:
    """Whether the detail has what the server said, where it has said a thing to its end."""
    complete = said.reason != Reason.NO_REPLY
    return not complete or all(text[len("250 ") :] in said.detail for text in row.quoted)


async def test_the_table_of_email_is_true(club: Workshop, unused_tcp_port: int) -> None:
    club.campaign(CAMPAIGN.format(step="email: note/one"))
    lies = []
    for row in EMAIL:
        where, does = row.happens
        if where == "connecting":
            async with mail_through(club, unused_tcp_port):
                said = said_of(club, await lead_in(club))
        else:
            async with scripted(script_of(row)) as server, mail_through(club, server.port, where):
                if does == "stops reading":
                    meddle(club, long_as_no_network_takes_it_at_once)
                said = said_of(club, await lead_in(club))
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

GOOD_ANSWER = answer("201 Created", '{"sid": "SM1"}')


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


@asynccontextmanager
async def texts_through(club: Workshop, url: str) -> AsyncIterator[None]:
    """The club's text messages go to `url`."""
    sms = {"provider": "twilio", "from": "LOTUS", "account": "AC1", "token": "t", "base_url": url}
    await club.engine.channels["sms"].close()
    settings = TwilioSettings.model_validate(sms | TIMES)
    club.engine.channels.update(open_channels(None, settings))
    yield
    await club.engine.channels["sms"].close()


async def test_the_table_of_text_messages_is_true(club: Workshop, unused_tcp_port: int) -> None:
    club.campaign(CAMPAIGN.format(step="sms: note/short"))
    lies = []
    for row in SMS:
        match row.happens:
            case ("nobody listens",):
                async with texts_through(club, f"http://127.0.0.1:{unused_tcp_port}"):
                    said = said_of(club, await lead_in(club))
            case ("does not take the connection",):
                with deaf_port() as port:
                    async with texts_through(club, f"http://127.0.0.1:{port}"):
                        said = said_of(club, await lead_in(club))
            case _:
                async with (
                    scripted_http(answer_of(row)) as server,
                    texts_through(club, server.url),
                ):
                    said = said_of(club, await lead_in(club))
        if said.contradicts(row):
            lies.append((row, said))
    assert not lies, "\n".join(f"{row}\n  but {said}" for row, said in lies)


def test_the_table_of_text_messages_is_whole() -> None:
    shown = {int(row.quoted[0]) for row in SMS if row.quoted}
    named = http_outcomes.NOT_TAKEN_NOW | http_outcomes.SET_UP_WRONG
    assert named <= shown
    for hundred in (2, 3, 4, 5):
        assert any(status // 100 == hundred for status in shown - named), f"no plain {hundred}xx"


# Our side.


def claim_one(club: Workshop) -> str:
    """A lead comes in, her message is claimed, and the worker is seen no more; its token."""
    make_event(club.store, make_customer(club.store))
    [campaign] = plan_sweep(club.engine, club.files).running
    admit(club.engine, campaign)
    advance(club.engine, campaign)
    held = prepare(club.engine, campaign)
    assert held is not None
    return held.token


def begin_sending(club: Workshop, token: str) -> None:
    with club.store.write() as connection:
        assert sending.begin_sending(
            connection, [1], token=token, topic="news", exit_on=(), now=club.clock.now
        )


def recover(club: Workshop) -> None:
    club.clock.on(minutes=21)
    with club.store.write() as connection:
        touchpoints.recover(connection, club.clock.now)


async def opts_out_late(club: Workshop) -> None:
    def opt_out(message: OutgoingEmail) -> OutgoingEmail:
        [(customer,)] = rows_of(club.store, Touchpoint, "customer_id")
        make_consent(club.store, customer)
        return message

    async with scripted() as server, mail_through(club, server.port):
        meddle(club, opt_out)
        await lead_in(club)
        assert [one for one in server.commands if one == "DATA"] == ["DATA"]
        await club.sweep()
        assert server.taken == []


async def gone_before_sending(club: Workshop) -> None:
    claim_one(club)
    recover(club)


async def gone_after_sending(club: Workshop) -> None:
    begin_sending(club, claim_one(club))
    recover(club)


async def lease_lost(club: Workshop) -> None:
    def take_away(message: OutgoingEmail) -> OutgoingEmail:
        with club.store.write() as connection:
            connection.execute(update(table_of(Touchpoint)).values(claim_token="another"))
        return message

    async with scripted() as server, mail_through(club, server.port):
        meddle(club, take_away)
        await lead_in(club)
        assert server.taken == []


async def resent(club: Workshop) -> None:
    begin_sending(club, claim_one(club))
    recover(club)
    [(version,)] = rows_of(club.store, Touchpoint, "version_id")
    with club.store.write() as connection:
        doubts.resend_steps(connection, "leads", version, ["welcome"], club.clock.now)


async def resent_and_in_doubt_again(club: Workshop) -> None:
    club.campaign(CAMPAIGN.format(step="email: note/one, on_doubt: resend"))
    async with scripted({"dot": CLOSE}) as server, mail_through(club, server.port):
        await lead_in(club)
        for _ in range(4):
            await club.sweep()
        assert len(server.taken) == 2


async def rate_limited(club: Workshop) -> None:
    club.engine = replace(club.engine, traffic=Traffic({"email": Rate(per_hour=1)}))
    async with scripted() as server, mail_through(club, server.port):
        for _ in range(2):
            await lead_in(club)
        assert len(server.taken) == 1
    assert said_of(club, 2).pause == pytest.approx(timedelta(hours=1), abs=timedelta(minutes=1))


async def provider_is_left_alone(club: Workshop) -> None:
    async with scripted({"RCPT": "450 busy\r\n"}) as server, mail_through(club, server.port):
        for _ in range(IN_A_ROW):
            await lead_in(club)
        tried = len(server.commands)
        last = await lead_in(club)
        assert len(server.commands) == tried
    pauses = [said_of(club, number).pause or timedelta(0) for number in range(1, last + 1)]
    assert max(pauses) == pauses[-1]


async def no_server_for_the_one_before(club: Workshop) -> None:
    async with scripted({"greeting": CLOSE}) as server, mail_through(club, server.port):
        for _ in range(2):
            await lead_in(club)
        assert server.connections == 1


async def seven_tries(club: Workshop) -> None:
    async with scripted({"RCPT": "450 busy\r\n"}) as server, mail_through(club, server.port):
        await lead_in(club)
        for pause in RETRIES:
            club.clock.on(seconds=pause.total_seconds() - 1)
            assert (await club.sweep()).campaigns[0].due == 0
            club.clock.on(seconds=pause.total_seconds() * (SPREAD - 1) + 1)
            await club.sweep()
        assert sum(one.startswith("RCPT") for one in server.commands) == 7


async def not_now_and_then_too_late(club: Workshop) -> None:
    club.campaign(CAMPAIGN.format(step="email: note/one, late: {grace: 4m}"))
    async with scripted({"RCPT": "450 busy\r\n"}) as server, mail_through(club, server.port):
        await lead_in(club)
    assert said_of(club, 1).detail == "450 busy"


async def no_connection_and_then_too_late(club: Workshop) -> None:
    club.campaign(CAMPAIGN.format(step="email: note/one, late: {grace: 1m}"))
    async with scripted({"greeting": "421 no\r\n"}) as server, mail_through(club, server.port):
        await lead_in(club)
    assert said_of(club, 1).detail.endswith("421 no")


async def limited_until_too_late(club: Workshop) -> None:
    club.campaign(CAMPAIGN.format(step="email: note/one, late: {grace: 30m}"))
    await rate_limited_for_an_hour(club)
    club.clock.on(minutes=31)
    await club.sweep()


async def rate_limited_for_an_hour(club: Workshop) -> None:
    club.engine = replace(club.engine, traffic=Traffic({"email": Rate(per_hour=1)}))
    for _ in range(2):
        await lead_in(club)


HAPPENINGS: dict[str, Callable[[Workshop], Awaitable[None]]] = {
    "she opts out when the server waits for her message already": opts_out_late,
    "the worker is gone before `sending`": gone_before_sending,
    "the worker is gone after `sending`": gone_after_sending,
    "the lease was lost, and another worker has the message": lease_lost,
    "in doubt, in a step with `on_doubt: resend`": resent,
    "in doubt again after it was resent": resent_and_in_doubt_again,
    "a rate limit is reached": rate_limited,
    'her provider said "not now" to ten in a row': provider_is_left_alone,
    "the message before it found no server": no_server_for_the_one_before,
    '"not now" for the seventh time': seven_tries,
    '"not now", and the next try would be too late': not_now_and_then_too_late,
    "no connection, and the next try would be too late": no_connection_and_then_too_late,
    "a rate limit is reached, and time runs out": limited_until_too_late,
}


def test_the_table_of_our_side_is_whole() -> None:
    assert [row.happens[0] for row in OURS] == list(HAPPENINGS)


@pytest.mark.parametrize("row", OURS, ids=lambda row: row.happens[0])
async def test_the_table_of_our_side_is_true(club: Workshop, row: Row) -> None:
    club.campaign(CAMPAIGN.format(step="email: note/one"))
    await HAPPENINGS[row.happens[0]](club)
    [(newest,)] = rows_of(club.store, Touchpoint, "id")[-1:]
    said = said_of(club, newest)
    assert not said.contradicts(row), said


def test_every_reason_that_delivery_gives_is_in_a_table() -> None:
    source = inspect.getsource(verdict) + inspect.getsource(line)
    given = {str(Reason[name]) for name in re.findall(r"Reason\.([A-Z_]+)", source)}
    assert given <= {row.reason for row in (*EMAIL, *SMS, *OURS)}


def test_the_retry_schedule_is_the_one_in_the_text() -> None:
    [sentence] = re.findall(r"is tried again after (.*)\. After that it has failed", document())
    units = {"minute": "minutes", "hour": "hours"}
    told = [
        timedelta(**{units[unit]: int(number)})
        for number, unit in re.findall(r"(\d+) (minute|hour)s?", sentence)
    ]
    assert tuple(told) == RETRIES


def test_the_limits_in_the_text_are_valid() -> None:
    [example] = re.findall(r"```yaml\n(channels:.*?)```", document(), re.DOTALL)
    channels = ChannelsSettings.model_validate(parse_yaml(example, "club.yaml").data["channels"])
    assert channels.email is not None and channels.sms is not None
    assert channels.email.limits.providers["google"].interval == pytest.approx(0.1)
    assert channels.sms.limits.interval == pytest.approx(0.1)


def document() -> str:
    return DOCUMENT.read_text(encoding="utf-8")

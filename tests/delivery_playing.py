"""Playing rows of docs/delivery.md: a club, its channels led to a script, and the ledger's word."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

from delivery_document import Row
from engines import Workshop
from making import make_customer, make_event, rows_of

from crm_messaging.channels.opening import open_channels
from crm_messaging.channels.settings import EmailSettings
from crm_messaging.channels.sms_settings import TwilioSettings
from crm_messaging.message import Channel, MaySend, Outgoing, OutgoingEmail, Receipt
from crm_store.models.touchpoint import Touchpoint
from flows.sweep import handle_events, plan_sweep

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


@asynccontextmanager
async def texts_through(club: Workshop, url: str) -> AsyncIterator[None]:
    """The club's text messages go to `url`."""
    sms = {"provider": "twilio", "from": "LOTUS", "account": "AC1", "token": "t", "base_url": url}
    await club.engine.channels["sms"].close()
    settings = TwilioSettings.model_validate(sms | TIMES)
    club.engine.channels.update(open_channels(None, settings))
    yield
    await club.engine.channels["sms"].close()


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

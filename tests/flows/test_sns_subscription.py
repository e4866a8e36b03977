"""An SNS topic asks whether it may send here: it may, if it is the club's and asks from Amazon."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio
import webhook_senders as senders
from engines import Workshop
from making import NOW, rows_of

from crm_messaging.webhooks.posted import Posted
from crm_messaging.webhooks.providers import PROVIDERS
from crm_store import inbox
from crm_store.inbox import Arrival
from crm_store.models.inbox import InboundMessage
from flows.inbox import InboxReport, handle_inbox
from flows.provider_reports import report_reader


@pytest_asyncio.fixture
async def asked(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[list[str]]:
    """What a proxy was asked to connect to; it is the only way out, and lets nobody through."""
    places: list[str] = []

    async def turn_away(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        places.append((await reader.readline()).decode().split()[1])
        writer.write(b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(turn_away, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    async with server:
        yield places


async def confirm(club: Workshop, url: str) -> InboxReport:
    post = senders.ses(
        {},
        Type="SubscriptionConfirmation",
        Message="You have chosen …",
        Token="t",
        SubscribeURL=url,
    )
    posted = Posted(post.body, post.headers)
    with club.store.write() as connection:
        arrival = Arrival("ses", PROVIDERS["ses"].source_id(posted), post.body, post.headers)
        inbox.receive(connection, club.engine.club_id, arrival, NOW)
    engine = replace(club.engine, readers={"ses": report_reader(PROVIDERS["ses"])})
    report = await handle_inbox(engine)
    assert report is not None
    return report


async def test_amazon_is_visited_and_visited_again_when_it_cannot_be_reached(
    lite_club: Workshop, asked: list[str]
) -> None:
    report = await confirm(lite_club, senders.SUBSCRIBE_URL)
    assert asked == ["sns.eu-west-1.amazonaws.com:443"]
    assert list(report.later.values()) == [timedelta(minutes=1)]
    assert not report.failed


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/?Action=ConfirmSubscription",
        "http://sns.eu-west-1.amazonaws.com/?Action=ConfirmSubscription",
        "https://169.254.169.254/latest/meta-data/",
        "https://sns.eu-west-1.amazonaws.com@127.0.0.1/",
        "https://sns.eu-west-1.amazonaws.com.evil.example/",
    ],
)
async def test_nobody_else_is_visited(lite_club: Workshop, asked: list[str], url: str) -> None:
    await confirm(lite_club, url)
    assert asked == []
    ((failure,),) = rows_of(lite_club.store, InboundMessage, "failure")
    assert failure == "The address that would confirm the subscription is not of Amazon SNS."

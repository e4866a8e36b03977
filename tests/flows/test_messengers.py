"""Messengers through a provider's gateway: whom they know by number, and whom by another id."""

import json
from dataclasses import replace

import pytest
from engines import Workshop
from http_script import answer, scripted_http
from making import make_customer, make_event, rows_of
from pydantic import ValidationError

from crm_messaging.channels.opening import open_channels
from crm_messaging.channels.settings import ChannelsSettings
from crm_messaging.incoming import IncomingText
from crm_store.models.event import Event
from crm_store.suppressions import suppressions
from flows.inbox import handle_inbox
from flows.text_replies import READER, SOURCE, Author, hear

HERS, CHAT = "+919876543210", "771234"
CAMPAIGN = """
campaign: leads
name: Leads
topic: news
trigger: {type: new_lead}
steps:
  - {id: hello, at: now, message: {channel: whatsapp, template: note/hello}}
  - {id: chat, at: now, message: {channel: telegram, template: note/hello}}
"""


def described(url: str) -> ChannelsSettings:
    messenger = {"provider": "gateway", "url": f"{url}/send", "message_id": "id"}
    to_chat = {"to": "custom.chat", "body": {"chat_id": "{to}", "text": "{text}"}}
    return ChannelsSettings.model_validate({"messages": {
        "whatsapp": messenger | {"body": {"to": "{digits}", "text": {"body": "{text}"}}},
        "telegram": messenger | to_chat,
    }})  # fmt: skip


def with_messengers(club: Workshop, channels: ChannelsSettings) -> None:
    for folder in ("en/whatsapp", "hi/whatsapp", "en/telegram", "hi/telegram"):
        path = club.folder / "templates" / folder / "note/hello.txt"
        path.parent.mkdir(parents=True)
        path.write_text("Hello {{ customer.first_name }}", encoding="utf-8")
    club.read_templates_anew()
    club.vocabulary = replace(
        club.vocabulary,
        templates=club.engine.library,
        message_channels=tuple(channels.messages),
    )
    club.engine.channels.update(open_channels(None, None, channels.messages))
    club.engine = replace(
        club.engine, address_fields=channels.address_fields, readers={SOURCE: READER}
    )
    club.campaign(CAMPAIGN)
    assert [str(problem) for one in club.files for problem in one.problems] == []


def writes(club: Workshop, channel: str, sender: str, text: str, custom: str | None = None) -> None:
    incoming = IncomingText(channel, sender, text, f"{channel}-{text}")
    with club.store.write() as connection:
        hear(
            connection,
            club.engine.club_id,
            "gateway",
            incoming,
            Author([sender], custom),
            club.clock.now,
        )


def is_out(club: Workshop, channel: str, address: str) -> bool:
    with club.store.read() as connection:
        return bool(suppressions(connection, [(channel, address)]))


async def test_each_messenger_writes_to_its_own_address(club: Workshop) -> None:
    async with scripted_http(answer("200 OK", '{"id": "m1"}')) as server:
        with_messengers(club, described(server.url))
        make_event(club.store, make_customer(club.store, phone=HERS, custom={"chat": CHAT}))
        make_event(club.store, make_customer(club.store, phone="+919876543211"))
        await club.sweep()
        told = sorted((json.loads(request.body) for request in server.requests), key=str)
    assert told == [
        {"chat_id": CHAT, "text": "Hello Asha"},
        {"to": "919876543210", "text": {"body": "Hello Asha"}},
        {"to": "919876543211", "text": {"body": "Hello Asha"}},
    ]
    columns = ("channel", "state", "reason", "provider_ref")
    assert sorted(map(str, club.ledger(*columns))) == [
        "('telegram', 'accepted', None, 'm1')",
        "('telegram', 'suppressed', 'no_address', None)",
        "('whatsapp', 'accepted', None, 'm1')",
        "('whatsapp', 'accepted', None, 'm1')",
    ]


async def test_stop_in_one_messenger_leaves_the_others(club: Workshop) -> None:
    async with scripted_http(answer("200 OK", '{"id": "m1"}')) as server:
        with_messengers(club, described(server.url))
        her = make_customer(club.store, phone=HERS, custom={"chat": CHAT})
        writes(club, "telegram", CHAT, "стоп", "chat")
        await handle_inbox(club.engine)
        make_event(club.store, her)
        await club.sweep()
        assert sorted(club.ledger("channel", "state", "reason"), key=str) == [
            ("telegram", "suppressed", "opted_out"),
            ("whatsapp", "accepted", None),
        ]
        assert is_out(club, "telegram", CHAT)
        assert not is_out(club, "whatsapp", HERS)

        writes(club, "telegram", CHAT, "старт", "chat")
        assert not is_out(club, "telegram", CHAT)
        make_event(club.store, her)
        await club.sweep()
    assert sorted(club.ledger("channel", "state")[2:], key=str) == [
        ("telegram", "accepted"),
        ("whatsapp", "accepted"),
    ]
    told = [data for name, data in rows_of(club.store, Event, "name", "data") if "sms" in name]
    assert told == [
        {"channel": "telegram", "text": text, "wish": wish}
        for text, wish in (("стоп", "stop"), ("старт", "start"))
    ]


@pytest.mark.parametrize("name", ["sms", "email", "webhook", "Whats App", "", "a/b", "my-chat"])
def test_names_that_no_messenger_can_have(name: str) -> None:
    with pytest.raises(ValidationError):
        ChannelsSettings.model_validate(
            {"messages": {name: {"provider": "gateway", "url": "https://gateway.example"}}}
        )


@pytest.mark.parametrize("to", ["email", "custom.", "custom.Chat", "custom.a'b", "chat"])
def test_places_where_no_address_can_stand(to: str) -> None:
    with pytest.raises(ValidationError):
        ChannelsSettings.model_validate(
            {"messages": {"chat": {"provider": "gateway", "url": "https://g.example", "to": to}}}
        )

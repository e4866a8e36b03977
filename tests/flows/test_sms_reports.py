"""Delivery reports of SMS providers come in any order, and more than once."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from urllib.parse import urlencode

from engines import Workshop
from making import make_customer, make_event, rows_of

from crm_messaging.channels.gateway_settings import GatewaySettings
from crm_messaging.channels.settings import ChannelsSettings
from crm_store import inbox
from crm_store.inbox import Arrival
from crm_store.models.event import Event
from crm_store.models.inbox import InboundMessage
from crm_store.models.touchpoint import Touchpoint
from crm_store.suppressions import suppressions
from flows.inbox import handle_inbox
from flows.sms_reports import sms_report_readers

HERS = "+919876543210"
CAMPAIGN = """
campaign: leads
name: Leads
topic: news
trigger: {type: new_lead}
steps:
  - {id: welcome, at: now, sms: note/short}
"""
GATEWAY = GatewaySettings.model_validate({
    "provider": "gateway", "url": "https://gateway.example",
    "reports": {"reference": "id", "status": "s", "statuses": {
        "DELIVRD": "delivered", "UNDELIV": "failed", "BUFFERED": "delayed"}},
})  # fmt: skip


async def sent(club: Workshop, number: str = HERS) -> str:
    """A text message has left for her; the provider's reference of it."""
    club.campaign(CAMPAIGN)
    make_event(club.store, make_customer(club.store, phone=number))
    await club.sweep()
    club.engine = replace(club.engine, readers=sms_report_readers(ChannelsSettings(sms=GATEWAY)))
    return str(rows_of(club.store, Touchpoint, "provider_ref")[-1][0])


def arrive(club: Workshop, source: str, reports: Sequence[dict[str, str]], replay: str) -> None:
    with club.store.write() as connection:
        for report in reports:
            body = urlencode(report).encode()
            arrival = Arrival(source, f"{replay}-{body!r}", body, {})
            inbox.receive(connection, club.engine.club_id, arrival, club.clock.now)


async def end_of(club: Workshop, source: str, reports: Sequence[dict[str, str]]) -> object:
    """The state after each report by itself, and after all of them once more."""
    for number, report in enumerate(reports):
        arrive(club, source, [report], str(number))
        await handle_inbox(club.engine)
    arrive(club, source, reports, "again")
    await handle_inbox(club.engine)
    failed = [why for (why,) in rows_of(club.store, InboundMessage, "failure") if why]
    assert failed == []
    return club.ledger("state", "reason")[-1]


def is_out(club: Workshop) -> bool:
    with club.store.read() as connection:
        return bool(suppressions(connection, [("sms", HERS)]))


TWILIOS = [
    ({"MessageStatus": "sent"}, {"MessageStatus": "delivered"}, {"MessageStatus": "queued"}),
    ({"MessageStatus": "undelivered", "ErrorCode": "30003"}, {"MessageStatus": "delivered"}),
]


async def test_delivered_is_the_end_in_any_order(lite_club: Workshop) -> None:
    orders = [order for reports in TWILIOS for order in itertools.permutations(reports)]
    for index, order in enumerate(orders):
        number = f"+9198765432{index:02}"
        sid = await sent(lite_club, number)
        reports = [{"MessageSid": sid, "To": number} | report for report in order]
        assert await end_of(lite_club, "twilio", reports) == ("delivered", None), order
        assert not is_out(lite_club)


async def test_a_number_that_is_none_is_written_to_no_more(club: Workshop) -> None:
    sid = await sent(club)
    report = {"MessageSid": sid, "MessageStatus": "undelivered", "ErrorCode": "30005", "To": HERS}
    assert await end_of(club, "twilio", [report]) == ("bounced", "hard_bounce")
    assert is_out(club)
    assert [name for (name,) in rows_of(club.store, Event, "name")].count("sms_failed") == 1


async def test_a_gateways_words(lite_club: Workshop) -> None:
    reference = await sent(lite_club)
    reports = [{"id": reference, "s": word} for word in ("BUFFERED", "UNDELIV", "ACCEPTD")]
    assert await end_of(lite_club, "gateway_sms", reports) == ("bounced", "undelivered")
    assert not is_out(lite_club)


async def test_somebody_elses_message_moves_nothing(lite_club: Workshop) -> None:
    await sent(lite_club)
    report = {"MessageSid": "SM-another", "MessageStatus": "delivered", "To": "+919876500000"}
    assert await end_of(lite_club, "twilio", [report]) == ("accepted", None)


async def test_reports_that_club_yaml_describes_no_more(lite_club: Workshop) -> None:
    await sent(lite_club)
    lite_club.engine = replace(lite_club.engine, readers=sms_report_readers(ChannelsSettings()))
    arrive(lite_club, "gateway_sms", [{"id": "1", "s": "DELIVRD"}], "")
    await handle_inbox(lite_club.engine)
    [(why,)] = rows_of(lite_club.store, InboundMessage, "failure")
    assert "does not describe the gateway's reports" in why

"""docs/delivery.md is true about our own side: crashes, limits, tries, and the schedule."""

import inspect
import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from delivery_document import DOCUMENT, Row, table
from delivery_playing import CAMPAIGN, SPREAD, lead_in, mail_through, meddle, said_of
from dlt_club import IN_INDIA, NINE_IN_THE_EVENING, enter, registered
from engines import Workshop
from making import addresses_of, make_consent, make_customer, make_event, rows_of
from smtp_script import CLOSE, scripted
from sqlalchemy import update

from crm_messaging.channels.limits import Rate
from crm_messaging.channels.settings import ChannelsSettings
from crm_messaging.message import OutgoingEmail
from crm_store import doubts, sending, touchpoints
from crm_store.models.touchpoint import Touchpoint
from crm_store.reasons import Reason
from crm_store.tables import table_of
from flows import line, verdict
from flows.admit import admit
from flows.advance import advance
from flows.prepare import prepare
from flows.sweep import plan_sweep
from flows.traffic import IN_A_ROW, Traffic
from flows.verdict import RETRIES
from triggers.yaml_source import parse_yaml

OURS = table("What happens on our side")
SERVERS = table("E-mail: what the server does, and what the ledger says")
PROVIDERS = table("Text messages: what the provider does")


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
            connection,
            addresses_of(club.store, 1),
            token=token,
            rule=sending.TopicRule("news"),
            exit_on=(),
            now=club.clock.now,
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


async def promotion_at_night(club: Workshop, grace: str = "24h") -> None:
    registered(club, grace=grace)
    club.clock.now = NINE_IN_THE_EVENING
    enter(club, IN_INDIA)
    await club.sweep()


async def promotion_too_late_in_the_morning(club: Workshop) -> None:
    await promotion_at_night(club, "12h")


HAPPENINGS: dict[str, Callable[[Workshop], Awaitable[None]]] = {
    "the customer opts out when the server waits for the message already": opts_out_late,
    "the worker is gone before `sending`": gone_before_sending,
    "the worker is gone after `sending`": gone_after_sending,
    "the lease was lost, and another worker has the message": lease_lost,
    "in doubt, in a step with `on_doubt: resend`": resent,
    "in doubt again after it was resent": resent_and_in_doubt_again,
    "a rate limit is reached": rate_limited,
    'the provider said "not now" to ten in a row': provider_is_left_alone,
    "the message before it found no server": no_server_for_the_one_before,
    '"not now" for the seventh time': seven_tries,
    '"not now", and the next try would be too late': not_now_and_then_too_late,
    "no connection, and the next try would be too late": no_connection_and_then_too_late,
    "a rate limit is reached, and time runs out": limited_until_too_late,
    "promotion to India after 21:00 there": promotion_at_night,
    "promotion to India after 21:00 there, and 10:00 would be too late": (
        promotion_too_late_in_the_morning
    ),
}


def test_the_table_of_our_side_is_whole() -> None:
    assert [row.happens[0] for row in OURS] == list(HAPPENINGS)


@pytest.mark.parametrize("row", OURS, ids=lambda row: row.happens[0])
async def test_the_table_of_our_side_is_true(lite_club: Workshop, row: Row) -> None:
    lite_club.campaign(CAMPAIGN.format(step="email: note/one"))
    await HAPPENINGS[row.happens[0]](lite_club)
    [(newest,)] = rows_of(lite_club.store, Touchpoint, "id")[-1:]
    said = said_of(lite_club, newest)
    assert not said.contradicts(row), said


def test_every_reason_that_delivery_gives_is_in_a_table() -> None:
    source = inspect.getsource(verdict) + inspect.getsource(line)
    given = {str(Reason[name]) for name in re.findall(r"Reason\.([A-Z_]+)", source)}
    assert given <= {row.reason for row in (*SERVERS, *PROVIDERS, *OURS)}


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

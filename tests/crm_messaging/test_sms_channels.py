"""Twilio, Kannel and the generic gateway against a server that answers anything."""

import base64
import json
from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import parse_qs

import pytest
from http_script import CLOSE, HANG, answer, scripted_http
from pydantic import ValidationError

from crm_messaging.channels.gateway_settings import PLACEHOLDERS, GatewaySettings
from crm_messaging.channels.opening import open_channels
from crm_messaging.channels.settings import ChannelsSettings, EmailSettings
from crm_messaging.channels.sms_settings import KannelSettings, TwilioSettings
from crm_messaging.dlt import DltTags
from crm_messaging.message import Channel, Outcome, OutgoingSms, Receipt

ACCEPTED, DEFERRED = Outcome.ACCEPTED, Outcome.DEFERRED
REJECTED, IN_DOUBT = Outcome.REJECTED, Outcome.IN_DOUBT

ASHA = OutgoingSms(7, "<7@club.example>", "+919876543210", "नमस्ते & {to} = 50%")
DATE = "Sun, 22 Nov 2026 10:00:00 GMT"
BAD_NUMBER = json.dumps({"code": 21211, "message": "'To' number +919876543210 is not valid"})


async def yes(touchpoint_id: int) -> bool:
    return True


async def no(touchpoint_id: int) -> bool:
    return False


def twilio(url: str) -> Channel:
    settings = TwilioSettings.model_validate({
        "provider": "twilio", "from": "LOTUS", "account": "AC1", "token": "s3cret",
        "base_url": url, "reply_timeout": 0.3, "connect_timeout": 0.3,
    })  # fmt: skip
    return open_channels(None, settings)["sms"]


def kannel(base: str, public_url: str = "", **more: object) -> Channel:
    settings = KannelSettings.model_validate({
        "provider": "kannel", "from": "LOTUS", "username": "lotus", "password": "s3cret",
        "url": f"{base}/cgi-bin/sendsms", "reply_timeout": 0.3, "connect_timeout": 0.3,
    } | more)  # fmt: skip
    return open_channels(None, settings, public_url=public_url)["sms"]


def gateway(base: str, **more: object) -> Channel:
    described = {
        "provider": "gateway", "from": "LOTUS", "url": f"{base}/send", "reply_timeout": 0.3,
        "form": {"dest": "{to}", "msg": "{text}"}, "message_id": "sid",
    } | more  # fmt: skip
    return open_channels(None, GatewaySettings.model_validate(described))["sms"]


async def handed_over(channel: Channel) -> Receipt:
    receipt = await channel.hand_over(ASHA, yes)
    await channel.close()
    assert receipt is not None
    assert receipt.touchpoint_id == 7
    return receipt


# what the server answers                                  outcome   connected  the detail has
ANSWERS = [
    (answer("201 Created", '{"sid": "SM1"}'), ACCEPTED, True, ""),
    (answer("200 OK", '{"sid": "SM1"}'), ACCEPTED, True, ""),
    (answer("200 OK", "<html>log in to the wi-fi"), IN_DOUBT, True, "log in to the wi-fi"),
    (answer("200 OK", '{"type": "error"}'), IN_DOUBT, True, "without a message id"),
    (answer("200 OK", "[]"), IN_DOUBT, True, "without a message id"),
    (answer("200 OK", "[" * 99_999), IN_DOUBT, True, "without a message id"),
    (answer("302 Found", Location="http://127.0.0.1:1/"), DEFERRED, False, "HTTP 302"),
    (answer("400 Bad Request", BAD_NUMBER), REJECTED, True, "<number> is not valid"),
    (answer("400 Bad Request", "<html>"), REJECTED, True, "HTTP 400"),
    (answer("401 Unauthorized"), DEFERRED, False, "HTTP 401"),
    (answer("403 Forbidden"), DEFERRED, False, "HTTP 403"),
    (answer("404 Not Found"), DEFERRED, False, "HTTP 404"),
    (answer("408 Request Timeout"), DEFERRED, True, "HTTP 408"),
    (answer("422 Unprocessable"), REJECTED, True, "HTTP 422"),
    (answer("429 Too Many Requests"), DEFERRED, True, "HTTP 429"),
    (answer("500 Internal Server Error"), IN_DOUBT, True, "HTTP 500"),
    (answer("502 Bad Gateway"), IN_DOUBT, True, "HTTP 502"),
    (answer("503 Service Unavailable"), DEFERRED, True, "HTTP 503"),
    (answer("504 Gateway Timeout"), IN_DOUBT, True, "HTTP 504"),
    *(
        (answer("200 OK", r"\p", Content_Type=f"a/b; charset={name}"), IN_DOUBT, True, r"\p")
        for name in ("unicode_escape", "rot13", "undefined", "no-such")
    ),
    (CLOSE, IN_DOUBT, True, "RemoteProtocolError"),
    (HANG, IN_DOUBT, True, "ReadTimeout"),
    (b"this is not HTTP\r\n\r\n", IN_DOUBT, True, "RemoteProtocolError"),
    (answer("201 Created", '{"sid": "SM1"}')[:-5], IN_DOUBT, True, "ReadTimeout"),
    (answer("201 Created", "not gzip", Content_Encoding="gzip"), IN_DOUBT, True, "DecodingError"),
]


@pytest.mark.parametrize("opened", [twilio, gateway])
@pytest.mark.parametrize(("raw", "outcome", "connected", "detail"), ANSWERS)
async def test_every_answer_has_its_outcome(
    raw: bytes, outcome: Outcome, connected: bool, detail: str, opened: type[Channel]
) -> None:
    async with scripted_http(raw) as server:
        receipt = await handed_over(opened(server.url))
        assert (receipt.outcome, receipt.connected) == (outcome, connected)
        assert detail in receipt.detail
        assert "9876543210" not in receipt.detail
        assert receipt.provider_ref == ("SM1" if outcome is ACCEPTED else None)
        assert len(server.requests) == 1, "never a second request"


@pytest.mark.parametrize("opened", [twilio, gateway])
async def test_a_reference_that_no_database_keeps_is_mended(opened: type[Channel]) -> None:
    """Half a character, or NUL, would fail the commit that settles it, and all others in it."""
    async with scripted_http(answer("201 Created", r'{"sid": "S\ud800\u0000M1"}')) as server:
        receipt = await handed_over(opened(server.url))
    assert (receipt.outcome, receipt.provider_ref) == (ACCEPTED, "S\ufffd\ufffdM1")


# what smsbox answers (user guide, table 7-16)              outcome   connected
KANNEL_ANSWERS = [
    (answer("202 Accepted", "0: Accepted for delivery"), ACCEPTED, True),
    (answer("202 Accepted", "3: Queued for later delivery"), ACCEPTED, True),
    (answer("400 Bad Request", "Empty receiver number not allowed, rejected"), REJECTED, True),
    (answer("403 Forbidden", "Authorization failed for sendsms"), DEFERRED, False),
    (answer("503 Service Unavailable", "Temporal failure, try again later."), DEFERRED, True),
    (answer("500 Internal Server Error"), IN_DOUBT, True),
    (CLOSE, IN_DOUBT, True),
]


@pytest.mark.parametrize(("raw", "outcome", "connected"), KANNEL_ANSWERS)
async def test_kannels_answers(raw: bytes, outcome: Outcome, connected: bool) -> None:
    async with scripted_http(raw) as server:
        receipt = await handed_over(kannel(server.url))
        assert (receipt.outcome, receipt.connected) == (outcome, connected)
        assert len(server.requests) == 1, "never a second request"


async def test_kannels_request_keeps_number_and_password_out_of_the_url() -> None:
    async with scripted_http(answer("202 Accepted", "0: Accepted for delivery")) as server:
        channel = kannel(server.url, "https://club.example", hook_secret="k" * 16, smsc="jio")
        await handed_over(channel)
        (request,) = server.requests
    assert request.line == "POST /cgi-bin/sendsms HTTP/1.1"
    told = {n.removeprefix("x-kannel-"): v for n, v in request.headers.items() if "kannel" in n}
    assert told == {
        "username": "lotus", "password": "s3cret", "smsc": "jio", "to": ASHA.recipient,
        "from": "LOTUS", "coding": "2", "dlr-mask": "23",
        "dlr-url": "https://club.example/hooks/kannel?key=kkkkkkkkkkkkkkkk&id=7@club.example"
        "&to=%p&type=%d&at=%T&ref=%F&answer=%A",
    }  # fmt: skip
    assert request.headers["content-type"] == "text/plain; charset=UTF-8"
    assert request.body.decode() == ASHA.body


async def test_kannel_is_asked_for_no_reports_that_could_not_prove_themselves() -> None:
    async with scripted_http(answer("202 Accepted", "0: Accepted for delivery")) as server:
        await handed_over(kannel(server.url, "https://club.example"))
        assert "x-kannel-dlr-url" not in server.requests[0].headers


# the answer                                     the replies of club.yaml              outcome, id
GATEWAY_REPLIES = [
    (answer("200 OK", '{"sid": 5}'), [], (ACCEPTED, "5")),
    (answer("200 OK", '{"sid": 5, "error": {"code": 0}}'), [], (ACCEPTED, "5")),
    (answer("200 OK", "ERR 105 queue full"), [("ERR 105", "later")], (DEFERRED, None)),
    (answer("200 OK", "ERR 9"), [("ERR 105", "later"), ("^ERR", "never")], (REJECTED, None)),
    (answer("200 OK", "OK id=77"), [("^ERR", "never")], (ACCEPTED, "77")),
    (answer("200 OK", "fine"), [("^ERR", "never")], (IN_DOUBT, None)),
    (answer("400 Bad Request", "duplicate id=78"), [("duplicate", "accepted")], (ACCEPTED, "78")),
    (answer("429 Too Many Requests", "id=3"), [("^ERR", "never")], (DEFERRED, None)),
]


@pytest.mark.parametrize(("raw", "replies", "expected"), GATEWAY_REPLIES)
async def test_a_gateways_replies(
    raw: bytes, replies: list[tuple[str, str]], expected: tuple[Outcome, str | None]
) -> None:
    described = [{"matches": pattern, "means": means} for pattern, means in replies]
    async with scripted_http(raw) as server:
        channel = gateway(server.url, replies=described, message_id_pattern=r"id=(\d+)")
        receipt = await handed_over(channel)
    assert (receipt.outcome, receipt.provider_ref) == expected


async def test_a_reply_is_looked_for_in_a_place_of_the_answer() -> None:
    rejected = [{"at": "messages.0.error.code", "matches": "^(?!0$)", "means": "never"}]
    for code, outcome in ((0, ACCEPTED), (37, REJECTED)):
        told = json.dumps({"messages": [{"error": {"code": code}, "id": "9"}]})
        async with scripted_http(answer("200 OK", told)) as server:
            channel = gateway(server.url, replies=rejected, message_id="messages.0.id")
            assert (await handed_over(channel)).outcome is outcome


async def test_every_placeholder_of_a_gateway() -> None:
    words = [word for word in PLACEHOLDERS if word != "secret"]
    tagged = replace(ASHA, dlt=DltTags("1101", "1107", "LTSFIT"))
    async with scripted_http(answer("200 OK", '{"sid": "SM1"}')) as server:
        channel = gateway(server.url, form={word: f"{{{word}}}" for word in words})
        await channel.hand_over(tagged, yes)
        await channel.hand_over(replace(ASHA, body="plain"), yes)
        await channel.close()
        forms = [request.form for request in server.requests]
    assert forms == [
        {
            "to": "+919876543210", "digits": "919876543210", "text": ASHA.body, "from": "LTSFIT",
            "id": ASHA.message_id, "unicode": "1", "entity": "1101", "template": "1107",
        },
        {
            "to": "+919876543210", "digits": "919876543210", "text": "plain", "from": "LOTUS",
            "id": ASHA.message_id, "unicode": "0",
        },
    ]  # fmt: skip


async def test_a_secret_stands_where_the_gateway_wants_it() -> None:
    async with scripted_http(answer("200 OK", '{"sid": "SM1"}')) as server:
        places = {"url": f"{server.url}/bot{{secret}}/send", "form": {"key": "{secret}"}}
        for described in (places, {}):
            channel = gateway(server.url, secret="a/b?c", **described)
            await channel.hand_over(replace(ASHA, body="{secret}"), yes)
            await channel.close()
        placed, in_header = server.requests
    assert placed.line.startswith("POST /bota%2Fb%3Fc/send ")
    assert placed.form == {"key": "a/b?c"}
    assert "authorization" not in placed.headers
    assert in_header.headers["authorization"] == "a/b?c"
    assert in_header.form["msg"] == "{secret}", "a text that looks like one stays as it is"


@pytest.mark.parametrize("status", ["200 OK", "400 Bad Request", "429 Slow down"])
async def test_a_secret_that_is_repeated_to_us_is_not_kept(status: str) -> None:
    raw = answer(status, f"wrong key s3cret-{'x' * 20}" * 12, Retry_After="90", Date=DATE)
    async with scripted_http(raw) as server:
        receipt = await handed_over(gateway(server.url, secret=f"s3cret-{'x' * 20}"))
    assert "s3cret" not in receipt.detail
    assert "wrong key <secret>" in receipt.detail
    assert (receipt.retry_at is not None) == (status[0:3] == "429")


async def test_twilio_and_kannel_send_indias_header() -> None:
    tagged = replace(ASHA, dlt=DltTags("1101", "1107", "LTSFIT"))
    async with scripted_http(answer("201 Created", '{"sid": "SM1"}')) as server:
        for channel in (twilio(server.url), kannel(server.url)):
            await channel.hand_over(tagged, yes)
            await channel.close()
        of_twilio, of_kannel = server.requests
    assert of_twilio.form["From"] == of_kannel.headers["x-kannel-from"] == "LTSFIT"
    meta = of_kannel.headers["x-kannel-meta-data"]
    assert meta == "?smpp?entity_id=1101&template_id=1107"


@pytest.mark.parametrize("opened", [twilio, gateway])
async def test_no_server_does_not_count_against_the_message(
    opened: type[Channel], unused_tcp_port: int
) -> None:
    receipt = await handed_over(opened(f"http://127.0.0.1:{unused_tcp_port}"))
    assert (receipt.outcome, receipt.connected) == (DEFERRED, False)


@pytest.mark.parametrize("opened", [twilio, gateway])
async def test_nothing_is_requested_when_it_may_not_be_sent(opened: type[Channel]) -> None:
    async with scripted_http(answer("201 Created", '{"sid": "SM1"}')) as server:
        channel = opened(server.url)
        assert await channel.hand_over(ASHA, no) is None
        await channel.close()
        assert server.requests == []


async def test_sending_is_committed_before_the_request() -> None:
    async with scripted_http(answer("201 Created", '{"sid": "SM1"}')) as server:
        channel = twilio(server.url)
        requests_before: list[int] = []

        async def look(touchpoint_id: int) -> bool:
            requests_before.append(len(server.requests))
            return True

        await channel.hand_over(ASHA, look)
        await channel.close()
        assert (requests_before, len(server.requests)) == ([0], 1)


@pytest.mark.parametrize(
    ("headers", "moment"),
    [
        ({"Retry_After": "90", "Date": DATE}, datetime(2026, 11, 22, 10, 1, 30, tzinfo=UTC)),
        ({"Retry_After": DATE}, datetime(2026, 11, 22, 10, 0, tzinfo=UTC)),
        ({"Retry_After": "999999999999", "Date": DATE}, datetime(2026, 11, 23, 10, 0, tzinfo=UTC)),
        ({"Retry_After": "90", "Date": "Fri, 31 Dec 9999 23:59:59 GMT"}, None),
        ({"Retry_After": "90"}, None),
        ({"Retry_After": "soon", "Date": DATE}, None),
        ({"Retry_After": "-5", "Date": DATE}, None),
        ({"Date": DATE}, None),
    ],
)
async def test_the_server_says_when_to_come_again(
    headers: dict[str, str], moment: datetime | None
) -> None:
    async with scripted_http(answer("429 Too Many Requests", **headers)) as server:
        assert (await handed_over(twilio(server.url))).retry_at == moment


async def test_twilios_request() -> None:
    async with scripted_http(answer("201 Created", '{"sid": "SM1"}')) as server:
        await handed_over(twilio(server.url))
        (request,) = server.requests
    assert request.line == "POST /2010-04-01/Accounts/AC1/Messages.json HTTP/1.1"
    assert request.form == {"To": ASHA.recipient, "From": "LOTUS", "Body": ASHA.body}
    login = base64.b64decode(request.headers["authorization"].removeprefix("Basic "))
    assert login == b"AC1:s3cret"


async def test_twilios_code_is_kept() -> None:
    async with scripted_http(answer("400 Bad Request", BAD_NUMBER)) as server:
        receipt = await handed_over(twilio(server.url))
    assert receipt.detail == "HTTP 400 21211: 'To' number <number> is not valid"


async def test_a_gateway_with_everything_in_its_url() -> None:
    async with scripted_http(answer("200 OK", "OK")) as server:
        receipt = await handed_over(gateway(
            server.url, method="GET", url=f"{server.url}/{{from}}/send?v=1", form=None,
            query={"to": "{to}", "text": "{text}"}, message_id=None,
            headers={"X-Id": "{id}"}, secret="Bearer s3cret",
        ))  # fmt: skip
        (request,) = server.requests
    assert receipt.outcome is ACCEPTED
    target = request.line.split()[1]
    assert target.startswith("/LOTUS/send?v=1&to=%2B919876543210&text=%E0%A4%A8")
    assert parse_qs(target.partition("?")[2])["text"] == [ASHA.body]
    assert request.headers["authorization"] == "Bearer s3cret"
    assert request.headers["x-id"] == "%3C7%40club.example%3E"


async def test_a_gateway_that_takes_json() -> None:
    body = {"messages": [{"to": "{to}", "content": {"text": "{text}"}, "flash": False, "n": 1}]}
    told = json.dumps({"messages": [{"id": 42}]})
    async with scripted_http(answer("202 Accepted", told)) as server:
        receipt = await handed_over(
            gateway(server.url, form=None, body=body, message_id="messages.0.id")
        )
        (request,) = server.requests
    assert (receipt.outcome, receipt.provider_ref) == (ACCEPTED, "42")
    assert json.loads(request.body) == {
        "messages": [{"to": ASHA.recipient, "content": {"text": ASHA.body}, "flash": False, "n": 1}]
    }


async def test_a_success_the_settings_do_not_name_is_in_doubt() -> None:
    async with scripted_http(answer("206 Partial Content", '{"sid": "SM1"}')) as server:
        assert (await handed_over(gateway(server.url))).outcome is IN_DOUBT


def test_the_settings_read_as_they_stand_in_club_yaml() -> None:
    channels = ChannelsSettings.model_validate({
        "email": {"from": "Lotus Fitness <hello@lotus.example>", "smtp": {"host": "mx.example"}},
        "sms": {"provider": "twilio", "from": "LOTUS", "account": "AC1"},
    })  # fmt: skip
    assert channels.email is not None
    assert channels.email.address == "hello@lotus.example"
    assert isinstance(channels.sms, TwilioSettings)
    assert sorted(open_channels(channels.email, channels.sms)) == ["email", "sms"]
    assert open_channels(None, None) == {}


GATEWAY = {"provider": "gateway", "url": "https://gateway.example"}


@pytest.mark.parametrize(
    ("model", "described"),
    [
        (EmailSettings, {"from": "Lotus Fitness", "smtp": {"host": "x"}}),
        (EmailSettings, {"from": "a@b.example", "reply_to": "nobody", "smtp": {"host": "x"}}),
        (EmailSettings, {"from": "a@b.example", "smtp": {"host": "x", "pasword": "y"}}),
        (ChannelsSettings, {"sms": {"provider": "carrier-pigeon"}}),
        (ChannelsSettings, {"sms": {"provider": "gateway", "url": "ftp://x"}}),
        (ChannelsSettings, {"sms": {"provider": "gateway", "url": "http://x:port/{to}"}}),
        (ChannelsSettings, {"sms": {"provider": "gateway", "url": "https://"}}),
        (ChannelsSettings, {"sms": {"provider": "gateway", "url": "http://x y/{to}"}}),
        (ChannelsSettings, {"sms": {"provider": "gateway", "url": "http://x/\t{to}"}}),
        (TwilioSettings, {"provider": "twilio", "from": "L", "account": "../x"}),
        (KannelSettings, {"provider": "kannel", "username": "a b"}),
        (KannelSettings, {"provider": "kannel", "username": "a", "from": "लोटस"}),
        (KannelSettings, {"provider": "kannel", "username": "a", "hook_secret": "short"}),
        (KannelSettings, {"provider": "kannel", "username": "a", "hook_secret": "%" * 20}),
        (KannelSettings, {"provider": "kannel", "username": "a", "prices": {"India": "1"}}),
        (KannelSettings, {"provider": "kannel", "username": "a", "prices": {"IN": "-1"}}),
        (GatewaySettings, GATEWAY | {"replies": [{"matches": "(", "means": "never"}]}),
        (GatewaySettings, GATEWAY | {"replies": [{"matches": "x", "means": "perhaps"}]}),
        (GatewaySettings, GATEWAY | {"message_id_pattern": "id="}),
        (GatewaySettings, GATEWAY | {"reports": {"status": "s", "statuses": {"D": "delivered"}}}),
        (GatewaySettings, GATEWAY | {"reports": {"id": "i", "status": "s", "statuses": {}}}),
    ],
)
def test_wrong_settings_are_refused(
    model: type[EmailSettings], described: dict[str, object]
) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(described)

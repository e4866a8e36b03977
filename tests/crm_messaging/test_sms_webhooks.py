"""What SMS providers tell us: signatures, delivery reports, incoming messages."""

import json
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm_messaging.channels.gateway_settings import Incoming, Reports
from crm_messaging.feedback import Feedback, Verdict
from crm_messaging.incoming import IncomingText, numbers_of
from crm_messaging.reply_words import Wish
from crm_messaging.webhooks import kannel, sms_gateway, twilio

URL = "https://mycompany.com/myapp.php?foo=1&bar=2"
FORM = [
    ("CallSid", "CA1234567890ABCDE"),
    ("Digits", "1234"),
    ("From", "+14158675309"),
    ("To", "+18005551212"),
    ("Caller", "+14158675309"),
]
SIGNED = "RSOYDt4T1cUTdK1PDd93/VVr8B8="
JSON_BODY = b'{"property": "value", "boolean": true}'
JSON_URL = f"{URL}&bodySHA256=0a1ff7634d9ab3b95db5c9a2dfe9416e41502b283a80c7cf19632632f96e6620"
JSON_SIGNED = "a9nBmqA0ju/hNViExpshrM61xv4="

# Twilio's own examples, and what somebody might make of them
SIGNATURES = [
    ("a form", ("12345", URL, SIGNED, FORM, b"x"), True),
    ("its fields in another order", ("12345", URL, SIGNED, FORM[::-1], b"x"), True),
    ("a field twice", ("12345", URL, SIGNED, [*FORM, FORM[0]], b"x"), True),
    ("JSON", ("12345", JSON_URL, JSON_SIGNED, [], JSON_BODY), True),
    ("another token", ("12346", URL, SIGNED, FORM, b"x"), False),
    ("another page", ("12345", URL.replace("myapp", "other"), SIGNED, FORM, b"x"), False),
    ("http", ("12345", URL.replace("https", "http"), SIGNED, FORM, b"x"), False),
    ("a field more", ("12345", URL, SIGNED, [*FORM, ("To", "+1")], b"x"), False),
    ("a field less", ("12345", URL, SIGNED, FORM[1:], b"x"), False),
    ("a field changed", ("12345", URL, SIGNED, [*FORM[1:], ("CallSid", "CA2")], b"x"), False),
    ("a value moved", ("12345", URL, SIGNED, [*FORM[1:], ("CallSidC", "A12")], b"x"), False),
    ("no signature", ("12345", URL, "", FORM, b"x"), False),
    ("nonsense for a signature", ("12345", URL, "ü\x00", FORM, b"x"), False),
    ("JSON changed", ("12345", JSON_URL, JSON_SIGNED, [], JSON_BODY + b" "), False),
    ("JSON without its digest", ("12345", URL, JSON_SIGNED, [], JSON_BODY), False),
    ("a form signed as JSON", ("12345", JSON_URL, JSON_SIGNED, FORM, JSON_BODY), False),
]


@pytest.mark.parametrize(
    ("given", "valid"), [case[1:] for case in SIGNATURES], ids=[case[0] for case in SIGNATURES]
)
def test_twilios_signature(
    given: tuple[str, str, str, list[tuple[str, str]], bytes], valid: bool
) -> None:
    token, url, signature, form, body = given
    assert twilio.is_signed(token, url, signature, form=form, body=body) is valid


@pytest.mark.parametrize(
    ("signed", "asked"),
    [
        ("https://club.example/hooks/twilio", "https://club.example:443/hooks/twilio"),
        ("https://club.example:443/hooks/twilio", "https://club.example/hooks/twilio"),
        ("https://club.example:8443/hooks/twilio", "https://club.example:8443/hooks/twilio"),
    ],
)
def test_twilio_signs_the_url_with_its_port_or_without(signed: str, asked: str) -> None:
    signature = twilio._signature("t", signed).decode()
    assert twilio.is_signed("t", asked, signature, form=[], body=b"")


# status and code                     verdict
STATUSES = [
    ("delivered", "", Verdict.DELIVERED),
    ("read", "", Verdict.DELIVERED),
    ("undelivered", "30003", Verdict.FAILED),
    ("undelivered", "30005", Verdict.HARD_BOUNCE),
    ("undelivered", "30006", Verdict.FAILED),
    ("undelivered", "30007", Verdict.BLOCKED),
    ("failed", "21610", Verdict.UNSUBSCRIBED),
    ("failed", "21614", Verdict.HARD_BOUNCE),
    ("failed", "", Verdict.FAILED),
    ("failed", "<script>", Verdict.FAILED),
    ("queued", "", None),
    ("sending", "", None),
    ("sent", "", None),
    ("received", "", None),
    ("", "", None),
    ("teleported", "", None),
]


@pytest.mark.parametrize(("status", "code", "verdict"), STATUSES)
def test_twilios_status_callbacks(status: str, code: str, verdict: Verdict | None) -> None:
    form = {"MessageSid": "SM1", "MessageStatus": status, "ErrorCode": code, "To": "+919876543210"}
    found = twilio.feedback_of(form)
    assert (found and found.verdict) == verdict
    if found is not None:
        assert (found.provider_ref, found.source_id) == ("SM1", f"twilio:SM1:{status}")
        assert found.status == (code if code.isdigit() else "")
        assert "98765" not in found.detail
        assert "script" not in found.detail


def test_twilios_news_has_an_id() -> None:
    assert twilio.source_id_of({"MessageSid": "SM1", "MessageStatus": "sent"}) == "SM1:sent"
    assert twilio.source_id_of({"SmsSid": "SM1", "SmsStatus": "received"}) == "SM1:received"
    assert twilio.source_id_of({"CallSid": "CA1"}) is None


def test_an_incoming_message_of_twilio() -> None:
    form = {"MessageSid": "SM2", "SmsStatus": "received", "From": "+919876543210", "Body": "Stop "}
    assert twilio.incoming_of(form) == IncomingText("sms", "+919876543210", "Stop ", "SM2")
    assert twilio.feedback_of(form) is None
    own_word = twilio.incoming_of(form | {"Body": "BASTA", "OptOutType": "STOP"})
    assert own_word is not None
    assert own_word.wish is Wish.STOP
    assert twilio.incoming_of({"MessageSid": "SM1", "MessageStatus": "sent", "From": "X"}) is None


def test_an_answer_to_twilio_is_escaped() -> None:
    assert b"<Response></Response>" in twilio.twiml("")
    answer = twilio.twiml("Lotus & <Co>")
    assert b"<Response><Message>Lotus &amp; &lt;Co&gt;</Message></Response>" in answer


# what Kannel 1.4.5 asked for, word for word but for the ids
KANNEL_REPORTS = [
    ("id=7@c.example&type=1&at=1795364006&ref=cc82&answer=", Verdict.DELIVERED, ""),
    ("id=7@c.example&type=2&at=1795364006&ref=cc82&answer=", Verdict.FAILED, ""),
    ("id=7@c.example&type=4&at=1795364006&ref=cc82&answer=", Verdict.DELAYED, ""),
    ("id=7@c.example&type=16&at=1795364006&ref=&answer=NACK%2F0x0000000b%2FInvalid+Destination",
     Verdict.FAILED, "0x0000000b"),
    ("id=7@c.example&type=8&at=1795364006&ref=&answer=ACK%2F", None, ""),
    ("id=&type=1", None, ""),
    ("type=1", None, ""),
    ("id=7@c.example&type=%25d", None, ""),
    ("", None, ""),
]  # fmt: skip


@pytest.mark.parametrize(("query", "verdict", "code"), KANNEL_REPORTS)
def test_kannels_reports(query: str, verdict: Verdict | None, code: str) -> None:
    found = kannel.feedback_of(kannel.parameters(query))
    assert (found and found.verdict) == verdict
    if found is not None:
        assert (found.message_id, found.status) == ("<7@c.example>", code)
        assert found.occurred_at == datetime(2026, 11, 22, 16, 13, 26, tzinfo=UTC)


@pytest.mark.parametrize("at", ["", "soon", "-5", "9" * 30, "²"])
def test_a_moment_that_is_none(at: str) -> None:
    found = kannel.feedback_of({"id": "7", "type": "1", "at": at})
    assert found is not None
    assert found.occurred_at is None


# what Kannel 1.4.5 asked for when a phone had sent this
KANNEL_TEXTS = [
    ("text=STOP&coding=0&charset=UTF-8", "STOP"),
    ("text=caf%C3%A9+%26+%2B&coding=0&charset=UTF-8", "café & +"),
    ("text=%090%09K%09%15%09G%09%02&coding=2&charset=UTF-16BE", "रोकें"),
    ("text=caf%E9&coding=0&charset=WINDOWS-1252", "café"),
    ("text=caf%E9+%26+%2B&coding=1&charset=8-BIT", "caf\ufffd & +"),
    ("text=%D8%3D%DC%AA&coding=2&charset=UTF-16BE", "💪"),
    ("text=%D8&coding=2&charset=UTF-16BE", "\ufffd"),
    ("text=&coding=0&charset=UTF-8", ""),
]


@pytest.mark.parametrize(("query", "text"), KANNEL_TEXTS)
def test_incoming_messages_of_kannel(query: str, text: str) -> None:
    told = kannel.parameters(f"id=e1f7&from=919876543210&{query}")
    assert kannel.incoming_of(told) == IncomingText("sms", "919876543210", text, "e1f7")


@pytest.mark.parametrize("query", ["from=9198&text=STOP", "id=1&text=STOP", "id=1&from=9198"])
def test_kannel_names_a_message_fully(query: str) -> None:
    assert kannel.incoming_of(kannel.parameters(query)) is None


NESTED = Reports.model_validate({
    "each": "results", "reference": "messageId", "status": "status.groupName",
    "statuses": {"DELIVERED": "delivered", "UNDELIVERABLE": "failed", "REJECTED": "blocked"},
    "code": "error.id",
})  # fmt: skip
FLAT = Reports.model_validate(
    {"id": "custom", "status": "status", "statuses": {"DELIVRD": "delivered"}}
)


def test_a_gateways_reports_in_json() -> None:
    body = json.dumps({"results": [
        {"messageId": 1, "status": {"groupName": "DELIVERED"}, "error": {"id": 0}},
        {"messageId": "2", "status": {"groupName": "PENDING"}},
        {"messageId": "3", "status": {"groupName": "REJECTED"}, "error": {"id": 12}},
        {"status": {"groupName": "DELIVERED"}},
        "nonsense",
    ]}).encode()  # fmt: skip
    told = sms_gateway.told_by("key=1", "application/json; charset=utf-8", body)
    found = sms_gateway.feedback_of(told, NESTED)
    assert [(one.provider_ref, one.verdict, one.status) for one in found] == [
        ("1", Verdict.DELIVERED, "0"),
        ("3", Verdict.BLOCKED, "12"),
    ]


@pytest.mark.parametrize(
    ("query", "kind", "body"),
    [
        ("custom=%3C7%40c.example%3E&status=DELIVRD", "", b""),
        ("", "application/x-www-form-urlencoded", b"custom=7%40c.example&status=DELIVRD"),
    ],
)
def test_a_gateways_report_as_a_form_or_a_url(query: str, kind: str, body: bytes) -> None:
    (found,) = sms_gateway.feedback_of(sms_gateway.told_by(query, kind, body), FLAT)
    expected = Feedback(
        Verdict.DELIVERED, "sms", message_id="<7@c.example>",
        detail="gateway: DELIVRD", source_id=found.source_id,
    )  # fmt: skip
    assert found == expected


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[" * 100_000, b"a=1&" * 600])
def test_a_body_that_is_not_what_it_says(body: bytes) -> None:
    for kind in ("application/json", "application/x-www-form-urlencoded"):
        try:
            told = sms_gateway.told_by("", kind, body)
        except ValueError:
            continue
        assert sms_gateway.feedback_of(told, FLAT) == []


def test_incoming_messages_of_a_gateway() -> None:
    incoming = Incoming.model_validate({"each": "m", "from": "src", "text": "msg", "id": "no"})
    told = {"m": [{"src": 919876543210, "msg": "Band karo", "no": 5}, {"src": "1"}, 7]}
    (found,) = sms_gateway.incoming_of(told, incoming)
    assert found == IncomingText("sms", "919876543210", "Band karo", "5")
    assert found.wish is Wish.STOP
    without_id = incoming.model_copy(update={"id": None})
    assert sms_gateway.incoming_of(told, without_id)[0].source_id is None


# the sender as gateways write it      in      what it can be
SENDERS = [
    ("+919876543210", "IN", ["+919876543210"]),
    ("919876543210", "IN", ["+919876543210"]),
    ("09876543210", "IN", ["+919876543210"]),
    ("00919876543210", "IN", ["+919876543210"]),
    ("9876543210", "IN", ["+919876543210"]),
    ("79161234567", "IN", ["+79161234567"]),
    ("79161234567", "RU", ["+79161234567"]),
    ("89161234567", "RU", ["+79161234567"]),
    ("14155552671", "IN", ["+14155552671"]),
    ("6581234567", "IN", ["+916581234567", "+6581234567"]),
    ("LOTUS", "IN", []),
    ("56161", "IN", []),
    ("", "IN", []),
]


@pytest.mark.parametrize(("sender", "country", "numbers"), SENDERS)
def test_a_senders_number(sender: str, country: str, numbers: list[str]) -> None:
    assert numbers_of(sender, country) == numbers


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["id", "type", "from", "text", "coding", "at"]), st.text()))
def test_kannel_can_say_anything(told: dict[str, str]) -> None:
    read = kannel.parameters(urlencode(told))
    kannel.feedback_of(read)
    kannel.incoming_of(read)


@settings(max_examples=60, deadline=None)
@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda n: (
            st.lists(n)
            | st.dictionaries(
                st.sampled_from(["results", "messageId", "status", "groupName", "error", "id"]), n
            )
        ),
    )
)
def test_a_gateway_can_say_anything(told: object) -> None:
    sms_gateway.feedback_of(told, NESTED)
    sms_gateway.incoming_of(told, Incoming.model_validate({"from": "status", "text": "id"}))

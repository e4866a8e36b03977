"""SMS providers at the door: who proves himself is heard, and STOP holds before he hears 200."""

import base64
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlencode

import httpx
import pytest
from making import make_club, make_consent, make_customer, make_suppression, rows_of
from public_site import public_project, public_site

from crm_store.database import Store
from crm_store.models.consent import Cause, Consent, ConsentRecord
from crm_store.models.inbox import InboundMessage
from crm_store.suppressions import suppressions

TOKEN, KEY = "t0ken", "k" * 20
HERS = "+919876543210"
TWILIO = """
channels:
  sms:
    provider: twilio
    from: "+15005550006"
    account: AC1
    answers: {stop: No more texts., start: Welcome back & in., help: Call us.}
"""
KANNEL = TWILIO.replace("twilio", "kannel").replace("account: AC1", "username: lotus")
GATEWAY = """
channels:
  sms:
    provider: gateway
    url: https://gateway.example/send
    reports: {reference: id, status: s, statuses: {DELIVRD: delivered}}
    incoming: {each: messages, from: src, text: msg, id: no}
"""
PUBLIC = "https://club.example"


@asynccontextmanager
async def site(
    store: Store, folder: Path, channels: str, secrets: Mapping[str, str] | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    folder = folder / "club"
    folder.mkdir()
    given = {"TOKEN": TOKEN, "HOOK_SECRET": KEY} if secrets is None else secrets
    if "twilio" not in channels:
        given = {name: value for name, value in given.items() if name != "TOKEN"}
    lines = [f"SAMPARK_CHANNELS__SMS__{name}={value}" for name, value in given.items()]
    (folder / ".env").write_text("\n".join(lines))
    project = public_project(folder, f"public: {{base_url: '{PUBLIC}'}}\n{channels}")
    async with public_site(project, store, make_club(store)) as client:
        yield client


async def from_twilio(
    client: httpx.AsyncClient, *, url: str = f"{PUBLIC}/hooks/twilio", **form: str
) -> httpx.Response:
    """A request as Twilio signs it."""
    signed = url + "".join(name + form[name] for name in sorted(form))
    signature = base64.b64encode(hmac.digest(TOKEN.encode(), signed.encode(), "sha1")).decode()
    return await client.post("/hooks/twilio", data=form, headers={"X-Twilio-Signature": signature})


def texted(body: str, sid: str = "SM1", sender: str = HERS) -> dict[str, str]:
    return {"MessageSid": sid, "SmsStatus": "received", "From": sender, "Body": body}


def is_out(store: Store, number: str = HERS) -> bool:
    with store.read() as connection:
        return bool(suppressions(connection, [("sms", number)]))


async def test_stop_holds_at_once_and_is_confirmed_once(store: Store, tmp_path: Path) -> None:
    async with site(store, tmp_path, TWILIO) as client:
        her, sister = (make_customer(store, phone=HERS) for _ in "12")
        first = await from_twilio(client, **texted("Stop!"))
        assert is_out(store)
        replay = await from_twilio(client, **texted("Stop!"))
        again = await from_twilio(client, **texted("PLEASE STOP", "SM2"))
        theirs = texted(f"stop texting me on {HERS} I am a@b.example", "SM3", "+919876543219")
        await from_twilio(client, **theirs)
    assert [one.status_code for one in (first, replay, again)] == [200, 200, 200]
    assert "<Message>No more texts.</Message>" in first.text
    assert "<Message>" not in replay.text + again.text
    proofs = [words for (words,) in rows_of(store, ConsentRecord, "proof")]
    assert HERS not in str(proofs)
    stands = rows_of(store, Consent, "customer_id", "channel", "topic", "granted", "proof")
    assert stands == [(one, "sms", "*", False, "She wrote: Stop!") for one in (her, sister)]
    assert len(rows_of(store, InboundMessage, "id")) == 3


async def test_start_takes_back_an_opt_out_and_nothing_else(store: Store, tmp_path: Path) -> None:
    complained, never_out = "+919876543211", "+919876543212"
    async with site(store, tmp_path, TWILIO) as client:
        her = make_customer(store, phone=HERS)
        make_consent(store, her, channel="sms", topic="news", granted=False)
        make_customer(store, phone=complained)
        make_suppression(store, "sms", complained, cause=Cause.COMPLAINT)
        await from_twilio(client, **texted("stop"))
        back = await from_twilio(client, **texted("Start", "SM2"))
        assert not is_out(store)
        await from_twilio(client, **texted("UNSTOP", "SM3", complained))
        nothing = await from_twilio(client, **texted("YES", "SM4", never_out))
    assert "<Message>Welcome back &amp; in.</Message>" in back.text
    assert "<Message>" not in nothing.text
    assert is_out(store, complained)
    assert rows_of(store, Consent, "topic", "granted") == [("news", False)]
    steps = [step for (step,) in rows_of(store, ConsentRecord, "step")]
    assert steps[-2:] == ["refused", "taken_back"]


async def test_help_and_talk(sqlite_store: Store, tmp_path: Path) -> None:
    async with site(sqlite_store, tmp_path, TWILIO) as client:
        helped = await from_twilio(client, **texted("HELP"))
        talk = await from_twilio(client, **texted("see you at the stop", "SM2"))
    assert "<Message>Call us.</Message>" in helped.text
    assert "<Message>" not in talk.text
    assert not is_out(sqlite_store)


async def test_twilio_has_answered_already(sqlite_store: Store, tmp_path: Path) -> None:
    async with site(sqlite_store, tmp_path, TWILIO) as client:
        answer = await from_twilio(client, **texted("BASTA") | {"OptOutType": "STOP"})
    assert "<Message>" not in answer.text
    assert is_out(sqlite_store)


async def test_an_unknown_number_is_out_before_it_is_imported(store: Store, tmp_path: Path) -> None:
    async with site(store, tmp_path, TWILIO) as client:
        answer = await from_twilio(client, **texted("stop"))
    assert "<Message>No more texts." in answer.text
    assert is_out(store)


async def test_a_report_of_twilio_is_kept_once(sqlite_store: Store, tmp_path: Path) -> None:
    report = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": HERS}
    async with site(sqlite_store, tmp_path, TWILIO) as client:
        for form in (report, report, report | {"MessageStatus": "sent"}):
            assert (await from_twilio(client, **form)).status_code == 200
    kept = rows_of(sqlite_store, InboundMessage, "source", "source_id")
    assert sorted(kept) == [("twilio", "SM1:delivered"), ("twilio", "SM1:sent")]


async def test_what_twilio_has_not_signed(sqlite_store: Store, tmp_path: Path) -> None:
    form = texted("stop")
    async with site(sqlite_store, tmp_path, TWILIO) as client:
        answers = [
            await client.post("/hooks/twilio", data=form),
            await client.post("/hooks/twilio", data=form, headers={"X-Twilio-Signature": "x"}),
            await from_twilio(client, url="https://evil.example/hooks/twilio", **form),
            await client.post("/hooks/twilio", content=b"MessageSid=\xff", headers={
                "Content-Type": "application/x-www-form-urlencoded"}),
            await client.post("/hooks/twilio", content=b"a=1&" * 5000, headers={
                "Content-Type": "application/x-www-form-urlencoded"}),
            await client.get("/hooks/twilio"),
            await client.get(f"/hooks/kannel?key={KEY}&id=1&type=1"),
        ]  # fmt: skip
    assert [one.status_code for one in answers] == [403, 403, 403, 400, 400, 405, 404]
    assert not is_out(sqlite_store)
    assert rows_of(sqlite_store, InboundMessage, "id") == []


async def test_without_a_token_nobody_is_believed(sqlite_store: Store, tmp_path: Path) -> None:
    async with site(sqlite_store, tmp_path, TWILIO, {}) as client:
        empty = base64.b64encode(hmac.digest(b"", f"{PUBLIC}/hooks/twilio".encode(), "sha1"))
        answer = await client.post("/hooks/twilio", headers={"X-Twilio-Signature": empty.decode()})
    assert answer.status_code == 403


async def test_kannel_passes_on_a_stop(sqlite_store: Store, tmp_path: Path) -> None:
    told = {"id": "e1", "from": "919876543210", "coding": "2", "charset": "UTF-16BE"}
    query = urlencode(told) + "&text=%09%2C%09%02%09%26"  # बंद
    async with site(sqlite_store, tmp_path, KANNEL) as client:
        refused = await client.get(f"/hooks/kannel/incoming?{query}&key=wrong")
        assert not is_out(sqlite_store)
        first = await client.get(f"/hooks/kannel/incoming?key={KEY}&{query}")
        replay = await client.get(f"/hooks/kannel/incoming?key={KEY}&{query}")
        unclear = await client.get(f"/hooks/kannel/incoming?key={KEY}&from=1")
    assert [one.status_code for one in (refused, first, replay, unclear)] == [403, 200, 202, 400]
    assert first.text == "No more texts."
    assert is_out(sqlite_store)


async def test_a_report_of_kannel_is_kept_without_the_key(
    sqlite_store: Store, tmp_path: Path
) -> None:
    async with site(sqlite_store, tmp_path, KANNEL) as client:
        for _ in range(2):
            answer = await client.get(
                f"/hooks/kannel?key={KEY}&id=7@c.example&type=1&at=1795364006"
            )
            assert answer.status_code == 202
        bad = await client.get(f"/hooks/kannel?key={KEY}&type=1")
    assert bad.status_code == 400
    ((source, body, headers),) = rows_of(sqlite_store, InboundMessage, "source", "body", "headers")
    assert (source, headers) == ("kannel", {})
    assert body == b"id=7%40c.example&type=1&at=1795364006"


@pytest.mark.parametrize("secrets", [{}, {"HOOK_SECRET": KEY}])
async def test_an_empty_key_opens_nothing(
    sqlite_store: Store, tmp_path: Path, secrets: dict[str, str]
) -> None:
    async with site(sqlite_store, tmp_path, KANNEL, secrets) as client:
        for query in ("id=1&type=1", "key=&id=1&type=1", f"key={KEY[:-1]}&id=1&type=1"):
            assert (await client.get(f"/hooks/kannel?{query}")).status_code == 403


async def test_a_gateway_passes_on_what_customers_write(
    sqlite_store: Store, tmp_path: Path
) -> None:
    messages = {"messages": [
        {"src": "919876543210", "msg": "Band karo", "no": 1},
        {"src": "919876543211", "msg": "See you", "no": 2},
    ]}  # fmt: skip
    async with site(sqlite_store, tmp_path, GATEWAY) as client:
        for _ in range(2):
            answer = await client.post(f"/hooks/gateway/sms/incoming?key={KEY}", json=messages)
            assert answer.status_code == 200
        broken = await client.post(
            f"/hooks/gateway/sms/incoming?key={KEY}",
            content=b"{",
            headers={"Content-Type": "application/json"},
        )
    assert broken.status_code == 400
    assert is_out(sqlite_store)
    assert not is_out(sqlite_store, "+919876543211")
    assert len(rows_of(sqlite_store, InboundMessage, "id")) == 2


async def test_without_ids_a_second_stop_is_heard_too(sqlite_store: Store, tmp_path: Path) -> None:
    nameless = GATEWAY.replace(", id: no", "")
    async with site(sqlite_store, tmp_path, nameless) as client:
        for text, out in (("stop", True), ("start", False), ("stop", True)):
            told = {"messages": [{"src": HERS, "msg": text}]}
            await client.post(f"/hooks/gateway/sms/incoming?key={KEY}", json=told)
            assert is_out(sqlite_store) is out


async def test_a_replayed_stop_does_not_undo_a_start(sqlite_store: Store, tmp_path: Path) -> None:
    async with site(sqlite_store, tmp_path, TWILIO) as client:
        for form in (texted("stop"), texted("start", "SM2"), texted("stop")):
            await from_twilio(client, **form)
    assert not is_out(sqlite_store)


async def test_reports_of_a_gateway(sqlite_store: Store, tmp_path: Path) -> None:
    async with site(sqlite_store, tmp_path, GATEWAY) as client:
        answers = [
            await client.get(f"/hooks/gateway/sms/reports?key={KEY}&id=5&s=DELIVRD"),
            await client.post(
                f"/hooks/gateway/sms/reports?key={KEY}", data={"id": "6", "s": "DELIVRD"}
            ),
            await client.post(
                f"/hooks/gateway/sms/reports?key={KEY}", json={"id": "7", "s": "DELIVRD"}
            ),
            await client.post("/hooks/gateway/sms/reports", json={"id": "8", "s": "DELIVRD"}),
        ]
    assert [one.status_code for one in answers] == [200, 200, 200, 403]
    kept = [body for (body,) in rows_of(sqlite_store, InboundMessage, "body")]
    assert kept == [b"id=5&s=DELIVRD", b"id=6&s=DELIVRD", b'{"id":"7","s":"DELIVRD"}']


async def test_a_gateway_without_mappings_has_no_pages(sqlite_store: Store, tmp_path: Path) -> None:
    bare = "channels: {sms: {provider: gateway, url: 'https://gateway.example'}}"
    async with site(sqlite_store, tmp_path, bare) as client:
        for page in ("reports", "incoming"):
            answer = await client.get(f"/hooks/gateway/sms/{page}?key={KEY}")
            assert answer.status_code == 404


ODD_STOPS = {
    "a NUL in it": {"src": HERS, "msg": "ST\0OP\0 ", "no": "\0"},
    "half a character": {"src": HERS, "msg": "stop \ud83d", "no": "\ud800"},
    "right to left": {"src": HERS, "msg": "\u202estop\u202c", "no": "\u202e"},
    "wide letters": {"src": HERS, "msg": "ＳＴＯＰ", "no": "9" * 4_000},
    "between others": {"src": "\0\ud800", "msg": "stop", "no": 10**3000},
    "no text at all": {"src": HERS, "msg": None},
    "texts where lists are": {"src": [HERS], "msg": {"a": "stop"}},
}


async def test_a_stop_is_heard_whatever_else_is_in_it(store: Store, tmp_path: Path) -> None:
    """And on PostgreSQL too, which keeps neither NUL nor half a character."""
    clean = {"src": "919876543219", "msg": "stop", "no": "last"}
    async with site(store, tmp_path, GATEWAY) as client:
        for odd in ODD_STOPS.values():
            answer = await client.post(
                f"/hooks/gateway/sms/incoming?key={KEY}",
                content=json.dumps({"messages": [odd, clean]}).encode(),
                headers={"Content-Type": "application/json"},
            )
            assert answer.status_code == 200, odd
    assert is_out(store)
    assert is_out(store, "+919876543219")

"""The door for providers' reports, with those whom it is for and with everybody else."""

import asyncio
import base64
import json
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
import webhook_senders as senders
from making import NOW, make_club, rows_of
from public_site import public_project, public_site
from webhook_senders import TOKEN, Post

from crm_console.web.public.webhooks import MIB
from crm_messaging.webhooks import sendgrid
from crm_messaging.webhooks.posted import Forged, Posted
from crm_messaging.webhooks.settings import SendgridWebhook
from crm_store.database import Store
from crm_store.errors import EnvironmentUnready
from crm_store.models.inbox import InboundMessage
from flows.reading_settings import BrokenSettings

DELIVERED = {
    "ses": {
        "notificationType": "Delivery",
        "mail": {"messageId": "m-1"},
        "delivery": {"recipients": ["asha@example.org"], "timestamp": "2026-11-22T05:00:00.000Z"},
    },
    "sendgrid": [{"event": "delivered", "email": "asha@example.org", "timestamp": 1795323600}],
    "postmark": {"RecordType": "Delivery", "MessageID": "m-1", "Recipient": "asha@example.org"},
    "mailgun": {"event-data": {"event": "delivered", "recipient": "asha@example.org"}},
    "brevo": {"event": "delivered", "email": "asha@example.org", "message-id": "<m-1@x.example>"},
    "unisender_go": {"event_name": "transactional_email_status", "status": "delivered"},
}
SENDERS = {
    "ses": senders.ses,
    "sendgrid": senders.sendgrid,
    "postmark": senders.postmark,
    "mailgun": senders.mailgun,
    "brevo": senders.brevo,
    "unisender_go": senders.unisender_go,
}


def delivered(provider: str) -> Post:
    return SENDERS[provider](DELIVERED[provider])


asked: list[str] = []
_SIGNATURE, _TIMESTAMP = sendgrid.SIGNATURE, sendgrid.TIMESTAMP


async def certificate_at(url: str) -> bytes:
    """Where Amazon's certificates are, for a test."""
    asked.append(url)
    if "0" * 16 in url:
        raise EnvironmentUnready("The certificate could not be fetched.")
    return senders.sns_certificate()


@pytest_asyncio.fixture
async def site(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[httpx.AsyncClient]:
    for name, value in senders.ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    asked.clear()
    project = public_project(tmp_path / "club", senders.webhooks_block())
    club = make_club(sqlite_store)
    async with public_site(project, sqlite_store, club, fetch=certificate_at) as client:
        yield client


async def send(site: httpx.AsyncClient, post: Post) -> int:
    answer = await site.post(post.path, content=post.body, headers=post.headers)
    return answer.status_code


def stored(store: Store) -> list[str]:
    return [source for (source,) in rows_of(store, InboundMessage, "source")]


async def test_each_provider_is_let_in_and_its_replay_is_no_second(
    site: httpx.AsyncClient, sqlite_store: Store
) -> None:
    posts = [delivered(provider) for provider in SENDERS]
    told = [post for post in posts for _ in range(10)]
    random.Random(7).shuffle(told)  # noqa: S311
    assert set(await asyncio.gather(*(send(site, post) for post in told))) == {200}
    assert sorted(stored(sqlite_store)) == sorted(SENDERS)
    assert len(asked) == 1, "the certificate is fetched once"
    headers = [kept for (kept,) in rows_of(sqlite_store, InboundMessage, "headers")]
    assert all(list(kept) == ["content-type"] for kept in headers), "no secret is kept"


async def test_a_form_of_mailgun_and_the_first_signature_of_sns(
    site: httpx.AsyncClient, sqlite_store: Store
) -> None:
    assert (
        await send(site, senders.mailgun({"event": "delivered", "recipient": "a@b.example"})) == 200
    )
    assert await send(site, senders.ses(DELIVERED["ses"], version="1")) == 200
    assert await send(site, senders.ses(DELIVERED["ses"], Subject="Amazon SES")) == 200
    assert len(stored(sqlite_store)) == 3


async def test_whoever_looks_whether_we_are_there_finds_us(site: httpx.AsyncClient) -> None:
    for provider in SENDERS:
        assert (await site.get(f"/hooks/{provider}")).status_code == 200
        assert (await site.head(f"/hooks/{provider}")).status_code == 200
    assert (await site.post("/hooks/mandrill", content=b"{}")).status_code == 404
    assert (await site.post("/hooks/../hooks/ses/x", content=b"{}")).status_code == 404


def _changed(post: Post, old: bytes, new: bytes) -> Post:
    assert old in post.body
    return replace(post, body=post.body.replace(old, new))


def _with(post: Post, **headers: str | None) -> Post:
    kept = {name: value for name, value in post.headers.items() if name.lower() not in headers}
    return replace(post, headers=kept | {k: v for k, v in headers.items() if v is not None})


def _basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"x:{password}".encode()).decode()


def forgeries() -> dict[str, Post]:
    """Requests that say they come from a provider, and do not."""
    ses, mailgun = delivered("ses"), delivered("mailgun")
    twilio, unisender = delivered("sendgrid"), delivered("unisender_go")
    theirs = senders.ses(DELIVERED["ses"], TopicArn="arn:aws:sns:eu-west-1:666:x")
    evil = "https://sns.eu-west-1.amazonaws.com.evil.example/SimpleNotificationService-1.pem"
    return {
        "ses: other words": _changed(ses, b"asha", b"evil"),
        "ses: somebody's own topic": theirs,
        "ses: a key of his own": senders.ses(DELIVERED["ses"], SigningCertURL=evil),
        "ses: an unknown kind of signature": senders.ses(DELIVERED["ses"], SignatureVersion="3"),
        "ses: the kind changed": _changed(
            ses, b'"SignatureVersion": "2"', b'"SignatureVersion": "1"'
        ),
        "ses: no signature": senders.ses(DELIVERED["ses"], Signature=""),
        "ses: no base64": senders.ses(DELIVERED["ses"], Signature="%%%"),
        "ses: no envelope": Post("ses", json.dumps(DELIVERED["ses"]).encode(), ses.headers),
        "ses: an empty one": Post("ses", b"{}", ses.headers),
        "ses: half a character": senders.ses(DELIVERED["ses"], Signature="\ud800"),
        "sendgrid: other words": _changed(twilio, b"asha", b"evil"),
        "sendgrid: another time": _with(twilio, **{_TIMESTAMP: "1"}),
        "sendgrid: no signature": _with(twilio, **{_SIGNATURE: None}),
        "sendgrid: an odd signature": _with(twilio, **{_SIGNATURE: "AAAA"}),
        "postmark: no token": _with(delivered("postmark"), authorization=None),
        "postmark: another token": _with(delivered("postmark"), authorization=_basic(TOKEN + "x")),
        "postmark: an empty token": _with(delivered("postmark"), authorization=_basic("")),
        "postmark: no base64": _with(delivered("postmark"), authorization="Basic %%%"),
        "postmark: no octets": _with(delivered("postmark"), authorization="Basic //79"),
        "brevo: another token": _with(delivered("brevo"), authorization=f"Bearer {TOKEN[:-1]}"),
        "brevo: no scheme": _with(delivered("brevo"), authorization=TOKEN),
        "mailgun: another token": _changed(mailgun, b'"token": "0', b'"token": "1'),
        "mailgun: no signature": Post("mailgun", b'{"event-data": {}}', mailgun.headers),
        "mailgun: of yesterday": senders.mailgun(
            DELIVERED["mailgun"], at=NOW - timedelta(hours=25)
        ),
        "mailgun: of tomorrow": senders.mailgun(DELIVERED["mailgun"], at=NOW + timedelta(hours=25)),
        "mailgun: half a character": Post(
            "mailgun",
            rb'{"signature": {"token": "\ud800", "signature": "\ud800"}}',
            mailgun.headers,
        ),
        "unisender_go: other words": _changed(unisender, b"delivered", b"unsubscribed"),
        "unisender_go: no auth": Post("unisender_go", b'{"status": "spam"}', unisender.headers),
        "unisender_go: the key itself": _changed(
            unisender, json.loads(unisender.body)["auth"].encode(), TOKEN.encode()
        ),
        "unisender_go: half a character": Post(
            "unisender_go", b'{"auth": "' + rb"\ud800" * 32 + b'"}', unisender.headers
        ),
    }


async def test_nobody_else_is_let_in(site: httpx.AsyncClient, sqlite_store: Store) -> None:
    let_in = {name: await send(site, post) for name, post in forgeries().items()}
    assert {name: status for name, status in let_in.items() if status != 403} == {}
    assert stored(sqlite_store) == []
    # Nothing was asked of an address that a forger named.
    assert set(asked) <= {senders.CERTIFICATE_URL}


@pytest.mark.parametrize(
    "url",
    [
        "http://sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://evil.example/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com@evil.example/SimpleNotificationService-1.pem",
        "https://evil.example#.sns.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com:8443/SimpleNotificationService-1.pem",
        "https://s3.eu-west-1.amazonaws.com/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com/../evil/SimpleNotificationService-1.pem",
        "https://sns.eu-west-1.amazonaws.com\\@evil.example/SimpleNotificationService-1.pem",
        "https://169.254.169.254/SimpleNotificationService-1.pem",
        "file:///etc/passwd",
        "https://[::1",
        "",
    ],
)
async def test_a_certificate_lies_at_amazon_sns_only(site: httpx.AsyncClient, url: str) -> None:
    assert await send(site, senders.ses(DELIVERED["ses"], SigningCertURL=url)) == 403
    assert asked == []


MALFORMED = {
    "no JSON": b"{",
    "nothing": b"",
    "no UTF-8": b'{"a": "\xff"}',
    "too deep": b"[" * 200_000,
    "a number of a million digits": b"1" * 1_000_000,
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
async def test_what_is_malformed_is_told_so(
    site: httpx.AsyncClient, sqlite_store: Store, body: bytes
) -> None:
    for provider in ("ses", "postmark", "brevo", "mailgun", "unisender_go"):
        post = replace(delivered(provider), body=body)
        assert await send(site, post) == 400, provider
    assert stored(sqlite_store) == []


async def test_types_and_sizes(site: httpx.AsyncClient, sqlite_store: Store) -> None:
    post = delivered("postmark")
    large = b'{"x": "' + b"x" * MIB + b'"}'
    refused = [
        (_with(post, **{"content-type": "text/html"}), 415),
        (_with(post, **{"content-type": "multipart/form-data; boundary=x"}), 415),
        (_with(post, **{"content-type": None}), 415),
        (_with(post, **{"content-encoding": "gzip"}), 415),
        (replace(post, body=large), 413),
    ]
    assert [await send(site, one) for one, _ in refused] == [status for _, status in refused]
    assert await send(site, replace(post, body=large[: MIB - 2] + b'"}')) == 200
    assert stored(sqlite_store) == ["postmark"]


async def test_a_used_token_of_mailgun_carries_no_second_body(
    site: httpx.AsyncClient, sqlite_store: Store
) -> None:
    post = delivered("mailgun")
    forged = _changed(post, b'"delivered"', b'"complained"')
    assert [await send(site, one) for one in (post, forged)] == [200, 200]
    assert rows_of(sqlite_store, InboundMessage, "body") == [(post.body,)]


async def test_amazon_out_of_reach_is_no_refusal(site: httpx.AsyncClient) -> None:
    url = senders.CERTIFICATE_URL.replace("0123456789abcdef", "0" * 16)
    answer = await site.post(
        "/hooks/ses",
        content=senders.ses(DELIVERED["ses"], SigningCertURL=url).body,
        headers={"content-type": "text/plain"},
    )
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "60")


async def test_whoever_guesses_is_slowed_down_alone(site: httpx.AsyncClient) -> None:
    forged = _with(delivered("brevo"), authorization="Bearer guess")
    statuses = await asyncio.gather(*(send(site, forged) for _ in range(130)))
    assert {403, 429} == set(statuses)
    away = _with(delivered("brevo"), **{"x-forwarded-for": "192.0.2.1"})
    assert await send(site, away) == 200


def test_sendgrids_own_example_is_let_in() -> None:
    """The key, signature and body that SendGrid's own library is tested with."""
    key = (
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE83T4O/n84iotIvIW4mdBgQ/7dAfSmpqIM8kF9mN1flpVKS3GRqe6"
        "2gw+2fNNRaINXvVpiglSI8eNEc6wEA3F+g=="
    )
    event = {
        "email": "hello@world.com",
        "event": "dropped",
        "reason": "Bounced Address",
        "sg_event_id": "ZHJvcC0xMDk5NDkxOS1MUnpYbF9OSFN0T0doUTRrb2ZTbV9BLTA",
        "sg_message_id": (
            "LRzXl_NHStOGhQ4kofSm_A.filterdrecv-p3mdw1-756b745b58-kmzbl-18-5F5FC76C-9.0"
        ),
        "smtp-id": "<LRzXl_NHStOGhQ4kofSm_A@ismtpd0039p1iad1.sendgrid.net>",
        "timestamp": 1600112492,
    }
    body = json.dumps([event], sort_keys=True, separators=(",", ":")).encode() + b"\r\n"
    headers = {
        sendgrid.SIGNATURE: (
            "MEUCIGHQVtGj+Y3LkG9fLcxf3qfI10QysgDWmMOVmxG0u6ZUAiEAyBiXDWzM+uOe5W0JuG+luQAbPIqHh89M15"
            "TluLtEZtM="
        ),
        sendgrid.TIMESTAMP: "1600112502",
    }
    settings = SendgridWebhook(public_key=key)
    sendgrid.verify(Posted(body, headers), settings)
    with pytest.raises(Forged):
        sendgrid.verify(Posted(body.rstrip(), headers), settings)


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ("webhooks: {postmark: {token: abc}}", "`token` is a secret and must not stand in YAML"),
        ("webhooks: {sendgrid: {public_key: abc}}", "it is no public key"),
        ("webhooks: {ses: {topics: []}}", "`topics`"),
        ("webhooks: {ses: {topics: [mine]}}", "write a topic as arn:aws:sns:"),
        ("webhooks: {mandrill: }", "unknown key `mandrill`"),
    ],
)
def test_mistakes_in_club_yaml_are_told(tmp_path: Path, block: str, problem: str) -> None:
    with pytest.raises(BrokenSettings) as told:
        public_project(tmp_path, block + "\n")
    assert problem in str(told.value)


async def test_a_door_without_its_secret_is_not_opened(sqlite_store: Store, tmp_path: Path) -> None:
    project = public_project(tmp_path, "webhooks:\n  brevo:\n")
    with pytest.raises(EnvironmentUnready, match="SAMPARK_WEBHOOKS__BREVO__TOKEN"):
        async with public_site(project, sqlite_store, make_club(sqlite_store)):
            pass

"""Leads from everywhere, over the real door: who proves himself is taken in once."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from engines import Workshop, workshop
from making import NOW, make_consent, make_customer, rows_of
from public_site import public_project, public_site
from pytest_httpserver import HTTPServer

from crm_store.database import Store
from crm_store.models.consent import Consent
from crm_store.models.customer import Customer
from crm_store.models.event import Event
from crm_store.models.inbox import InboundMessage
from flows.inbox import handle_inbox
from flows.leads.readers import lead_readers

SHARED = Path(__file__).parents[3] / "shared" / "data"
SECRET = "a secret of the form's own"
BASE = "https://crm.lotus.example"
FORMS = """
public: {base_url: https://crm.lotus.example}
pipelines: {sales: [new, trial_booked, member]}
forms:
  quiz: {kind: typeform, map: {first_name: What's your name?}}
  sheet: {kind: google_forms, source: google}
  site: {kind: tilda, source: site}
  ads: {kind: google_ads, source: google-ads}
  facebook: {kind: meta, source: facebook}
  any:
    kind: json
    id: lead.id
    map: {first_name: lead.name, phone: lead.phones.0, email: lead.mail}
  hub: {kind: hubspot, pipeline: sales, stages: {lead: new, opportunity: trial_booked}}
  pipe: {kind: pipedrive, pipeline: sales, stages: {'1': trial_booked}}
  trial-signup:
    kind: hosted
    title: A free trial
    fields: [first_name, phone, email]
    consent: {text: I want the club's news., version: '2', channels: [email, sms], topic: news}
"""
NAMES = ("quiz", "sheet", "site", "ads", "facebook", "any", "hub", "pipe")


@dataclass
class Reception:
    """A club whose forms are open."""

    club: Workshop
    client: httpx.AsyncClient

    async def read(self) -> None:
        while await handle_inbox(self.club.engine):
            pass

    def customers(self, *columns: str) -> list[tuple[Any, ...]]:
        return rows_of(self.club.store, Customer, *columns)

    def events(self) -> list[str]:
        return [name for (name,) in rows_of(self.club.store, Event, "name")]


@pytest.fixture
async def reception(
    sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Reception]:
    for name in NAMES:
        monkeypatch.setenv(f"SAMPARK_FORMS__{name.upper()}__SECRET", SECRET)
    monkeypatch.setenv("SAMPARK_FORMS__FACEBOOK__VERIFY_TOKEN", "verify me")
    monkeypatch.setenv("SAMPARK_FORMS__FACEBOOK__TOKEN", "the page's token")
    async with opened(sqlite_store, tmp_path) as found:
        yield found


@asynccontextmanager
async def opened(store: Store, folder: Path, forms: str = FORMS) -> AsyncIterator[Reception]:
    project = public_project(folder / "project", forms)
    async with workshop(store, folder / "club") as club:
        readers = lead_readers(project.settings.forms, "IN")
        club.engine = replace(club.engine, readers=readers)
        async with public_site(project, store, club.engine.club_id) as client:
            yield Reception(club, client)


def mac(octets: bytes) -> bytes:
    return hmac.digest(SECRET.encode(), octets, hashlib.sha256)


def typeform_headers(body: bytes) -> Mapping[str, str]:
    return {"Typeform-Signature": f"sha256={base64.b64encode(mac(body)).decode()}"}


def meta_headers(body: bytes) -> Mapping[str, str]:
    return {"X-Hub-Signature-256": f"sha256={mac(body).hex()}"}


def hubspot_headers(body: bytes) -> Mapping[str, str]:
    stamp = str(int(NOW.timestamp() * 1000))
    signed = b"POST" + f"{BASE}/in/hub".encode() + body + stamp.encode()
    return {
        "X-HubSpot-Request-Timestamp": stamp,
        "X-HubSpot-Signature-v3": base64.b64encode(mac(signed)).decode(),
    }


BEARER = {"Authorization": f"Bearer {SECRET}"}
BASIC = {"Authorization": "Basic " + base64.b64encode(f"user:{SECRET}".encode()).decode()}
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

ADS = {
    "lead_id": "L1", "google_key": SECRET, "gcl_id": "G7", "campaign_id": 12,
    "user_column_data": [
        {"column_id": "FULL_NAME", "string_value": "Asha Verma"},
        {"column_id": "PHONE_NUMBER", "string_value": "+919876543210"},
        {"column_id": "EMAIL", "string_value": "Asha@Example.org"},
    ],
}  # fmt: skip
TILDA = {
    "Name": "Asha Verma", "Phone": "98765 43210", "Email": "asha@example.org",
    "tranid": "1:2", "formid": "form9", "utm_source": "vk",
}  # fmt: skip
ANY = {
    "lead": {"id": 77, "name": "Asha", "phones": ["+91 98765 43210"], "mail": "asha@example.org"}
}
QUIZ = {
    "event_id": "E1", "event_type": "form_response",
    "form_response": {
        "token": "T1", "submitted_at": "2026-11-22T04:59:00Z", "hidden": {"utm_source": "insta"},
        "definition": {"fields": [
            {"id": "a", "title": "What's your name?"}, {"id": "b", "title": "E-mail"},
            {"id": "c", "title": "Goals"},
        ]},
        "answers": [
            {"type": "text", "text": "Asha", "field": {"id": "a"}},
            {"type": "email", "email": "asha@example.org", "field": {"id": "b"}},
            {"type": "choices", "choices": {"labels": ["Yoga", "Swimming"]}, "field": {"id": "c"}},
        ],
    },
}  # fmt: skip

POSTS = [
    ("quiz", json.dumps(QUIZ).encode(), typeform_headers, ("Asha", "", None, "asha@example.org")),
    ("site", urlencode(TILDA).encode(), lambda _: FORM | BEARER,
     ("Asha", "Verma", "+919876543210", "asha@example.org")),
    ("ads", json.dumps(ADS).encode(), lambda _: JSON,
     ("Asha", "Verma", "+919876543210", "asha@example.org")),
    ("any", json.dumps(ANY).encode(), lambda _: JSON | BASIC,
     ("Asha", "", "+919876543210", "asha@example.org")),
]  # fmt: skip


@pytest.mark.parametrize(("form", "body", "headers", "who"), POSTS, ids=[one[0] for one in POSTS])
async def test_a_lead_is_taken_in_once(
    form: str, body: bytes, headers: Any, who: tuple[Any, ...], reception: Reception
) -> None:
    for _ in range(3):
        answer = await reception.client.post(f"/in/{form}", content=body, headers=headers(body))
        assert answer.status_code == 200
        await reception.read()
    assert reception.customers("first_name", "last_name", "phone", "email") == [who]
    assert reception.events() == ["lead_created", "form_submitted"]
    assert rows_of(reception.club.store, InboundMessage, "failure") == [(None,)]


async def test_what_belongs_to_no_field_stays_with_the_event(reception: Reception) -> None:
    body = json.dumps(QUIZ).encode()
    await reception.client.post("/in/quiz", content=body, headers=typeform_headers(body))
    await reception.read()
    [lead, submitted] = rows_of(reception.club.store, Event, "data")
    assert lead[0] == {"source": "quiz", "utm_source": "insta"}
    assert submitted[0]["answers"] == {"Goals": "Yoga, Swimming"}
    assert submitted[0]["form"] == "quiz"


@pytest.mark.parametrize("form", NAMES)
async def test_who_proves_nothing_is_refused(form: str, reception: Reception) -> None:
    wrong = {
        "Authorization": "Bearer nothing", "Typeform-Signature": "sha256=AAAA",
        "X-Hub-Signature-256": "sha256=00", "X-HubSpot-Signature-v3": "AAAA",
        "X-HubSpot-Request-Timestamp": str(int(NOW.timestamp() * 1000)), **JSON,
    }  # fmt: skip
    for headers in ({}, wrong):
        for body in (b"{}", b'{"google_key": "x"}', b"\xff\x00", b"[" * 5000):
            answer = await reception.client.post(f"/in/{form}", content=body, headers=headers)
            assert answer.status_code in (400, 403)
    assert rows_of(reception.club.store, InboundMessage) == []


async def test_a_recording_of_hubspots_is_refused_after_five_minutes(
    reception: Reception,
) -> None:
    stamp = str(int((NOW.timestamp() - 301) * 1000))
    signed = b"POST" + f"{BASE}/in/hub".encode() + b"{}" + stamp.encode()
    headers = {
        "X-HubSpot-Request-Timestamp": stamp,
        "X-HubSpot-Signature-v3": base64.b64encode(mac(signed)).decode(),
    }
    answer = await reception.client.post("/in/hub", content=b"{}", headers=headers)
    assert answer.status_code == 403


async def test_a_key_in_the_address_will_do_where_nothing_is_signed(
    reception: Reception,
) -> None:
    answer = await reception.client.post(
        f"/in/site?key={SECRET}", content=urlencode(TILDA), headers=FORM
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("form", "body"),
    [("site", b"test=test"), ("ads", json.dumps(ADS | {"is_test": True}).encode())],
)
async def test_a_test_of_the_connection_makes_nobody(
    form: str, body: bytes, reception: Reception
) -> None:
    headers = FORM | BEARER if form == "site" else JSON
    answer = await reception.client.post(f"/in/{form}", content=body, headers=headers)
    assert answer.status_code == 200
    await reception.read()
    assert reception.customers() == []


async def test_who_is_known_stays_as_she_is(reception: Reception) -> None:
    make_customer(reception.club.store, first_name="Aasha", email="asha@example.org")
    body = json.dumps(ANY).encode()
    await reception.client.post("/in/any", content=body, headers=JSON | BEARER)
    await reception.read()
    assert reception.customers("first_name", "email") == [("Aasha", "asha@example.org")]
    assert reception.events() == ["form_submitted"]


async def test_a_number_that_cannot_be_is_kept_beside_the_lead(reception: Reception) -> None:
    lead = {"lead": ANY["lead"] | {"phones": ["12"]}}
    body = json.dumps(lead).encode()
    await reception.client.post("/in/any", content=body, headers=JSON | BEARER)
    await reception.read()
    assert reception.customers("first_name", "phone") == [("Asha", None)]
    assert rows_of(reception.club.store, Event, "data")[0][0]["unread"] == {"phone": "12"}


async def test_meta_tells_an_id_and_is_asked_for_the_rest(
    reception: Reception, sqlite_store: Store, tmp_path: Path, httpserver: HTTPServer
) -> None:
    answer = {
        "id": "991", "created_time": "2026-11-22T04:00:00+0000", "ad_id": "5",
        "field_data": [
            {"name": "full_name", "values": ["Asha Verma"]},
            {"name": "phone_number", "values": ["+919876543210"]},
        ],
    }  # fmt: skip
    httpserver.expect_request(
        "/991", headers={"Authorization": "Bearer the page's token"}
    ).respond_with_json(answer)
    project = public_project(
        tmp_path / "other",
        FORMS.replace("kind: meta,", f"kind: meta, api: '{httpserver.url_for('')}',"),
    )
    readers = lead_readers(project.settings.forms, "IN")
    reception.club.engine = replace(reception.club.engine, readers=readers)
    change = {"field": "leadgen", "value": {"leadgen_id": "991", "page_id": "1"}}
    body = json.dumps({"object": "page", "entry": [{"changes": [change]}]}).encode()
    reply = await reception.client.post("/in/facebook", content=body, headers=meta_headers(body))
    assert reply.status_code == 200
    await reception.read()
    assert reception.customers("first_name", "last_name", "phone") == [
        ("Asha", "Verma", "+919876543210")
    ]


async def test_metas_question_whether_the_address_is_ours(reception: Reception) -> None:
    asked = {"hub.mode": "subscribe", "hub.challenge": "1158201444"}
    right = await reception.client.get(
        "/in/facebook", params=asked | {"hub.verify_token": "verify me"}
    )
    assert (right.status_code, right.text) == (200, "1158201444")
    wrong = await reception.client.get("/in/facebook", params=asked | {"hub.verify_token": "x"})
    assert wrong.status_code == 403


CRM = SHARED / "webhooks-crm" / "providers"


def crm_sample(path: str) -> bytes:
    if not CRM.is_dir():
        pytest.skip("no folder shared/data/webhooks-crm")
    return json.dumps(json.loads((CRM / path).read_text())["body"]).encode()


async def test_hubspots_contact(reception: Reception) -> None:
    body = crm_sample("hubspot/current/CONTACT.json")
    for _ in range(2):
        reply = await reception.client.post("/in/hub", content=body, headers=hubspot_headers(body))
        assert reply.status_code == 200
        await reception.read()
    told = json.loads(body)["properties"]
    [(ref, first, email, stage)] = reception.customers("ref", "first_name", "email", "stage")
    assert ref == f"hubspot-{json.loads(body)['vid']}"
    assert first == told["firstname"]["value"]
    assert email == told["email"]["value"].lower()
    expected = {"lead": "new", "opportunity": "trial_booked"}
    assert stage == expected.get(told["lifecyclestage"]["value"])
    assert reception.events().count("lead_created") == 1


@pytest.mark.parametrize("name", ["COMPANY", "DEAL"])
async def test_hubspots_other_objects_are_nobody(name: str, reception: Reception) -> None:
    body = crm_sample(f"hubspot/current/{name}.json")
    await reception.client.post("/in/hub", content=body, headers=hubspot_headers(body))
    await reception.read()
    assert reception.customers() == []
    assert rows_of(reception.club.store, InboundMessage, "failure") == [(None,)]


async def test_pipedrives_person_changes_and_moves(reception: Reception) -> None:
    for name in ("added.person", "updated.deal", "updated.deal", "added.product"):
        body = crm_sample(f"pipedrive/1/{name}.json")
        reply = await reception.client.post("/in/pipe", content=body, headers=JSON | BASIC)
        assert reply.status_code == 200
        await reception.read()
    told = json.loads(crm_sample("pipedrive/1/added.person.json"))["current"]
    assert reception.customers("ref", "first_name", "email", "pipeline", "stage") == [
        (f"pipedrive-{told['id']}", "Anthony", "anthon@noco.com", "sales", "trial_booked")
    ]
    assert reception.events() == ["lead_created", "stage_changed"]


@pytest.mark.parametrize(
    ("form", "sample"), [("quiz", "typeform-0.json"), ("sheet", "google_form-0.json")]
)
async def test_a_real_form(form: str, sample: str, reception: Reception) -> None:
    folder = SHARED / "webhooks-forms"
    if not folder.is_dir():
        pytest.skip("no folder shared/data/webhooks-forms")
    body = (folder / sample).read_bytes()
    headers = typeform_headers(body) if form == "quiz" else BEARER
    reply = await reception.client.post(f"/in/{form}", content=body, headers=headers)
    assert reply.status_code == 200
    await reception.read()
    assert reception.customers("first_name") == [("test1",) if form == "quiz" else ("test",)]


async def test_our_own_page_takes_a_lead_and_her_consent(reception: Reception) -> None:
    page = await reception.client.get("/in/trial-signup?utm_source=insta")
    assert page.status_code == 200
    assert "A free trial" in page.text
    assert "I want the club&#39;s news." in page.text
    assert 'value="insta"' in page.text
    given = {
        "first_name": "Asha", "phone": "98765 43210", "email": "", "consent": "yes",
        "utm_source": "insta", "shown_at": "2026-11-22T05:00:00", "website": "",
    }  # fmt: skip
    for _ in range(2):
        answer = await reception.client.post("/in/trial-signup", data=given)
        assert answer.status_code == 200
        assert "Thank you" in answer.text
    await reception.read()
    assert reception.customers("first_name", "phone") == [("Asha", "+919876543210")]
    assert reception.events() == ["lead_created", "form_submitted"]
    assert rows_of(reception.club.store, Consent, "channel", "topic", "granted", "proof") == [
        ("email", "news", True, "I want the club's news."),
        ("sms", "news", True, "I want the club's news."),
    ]


async def test_our_own_page_says_what_is_missing_and_keeps_the_rest(
    reception: Reception,
) -> None:
    answer = await reception.client.post(
        "/in/trial-signup", data={"first_name": "<b>Asha</b>", "phone": " "}
    )
    assert answer.status_code == 422
    assert "Please fill in what is marked." in answer.text
    assert 'value="&lt;b&gt;Asha&lt;/b&gt;"' in answer.text
    assert rows_of(reception.club.store, InboundMessage) == []


async def test_a_machine_that_fills_in_everything_leaves_nothing(reception: Reception) -> None:
    given = {"first_name": "x", "phone": "98765 43210", "website": "http://spam.example"}
    answer = await reception.client.post("/in/trial-signup", data=given)
    assert (answer.status_code, "Thank you" in answer.text) == (200, True)
    assert rows_of(reception.club.store, InboundMessage) == []


async def test_who_fills_it_in_again_and_again_is_slowed_down_alone(reception: Reception) -> None:
    """Each time the club might write to somebody who never asked for it."""
    given = {"first_name": "Asha", "phone": "98765 43210"}

    async def post(number: int, **headers: str) -> int:
        data = given | {"shown_at": str(number)}
        answer = await reception.client.post("/in/trial-signup", data=data, headers=headers)
        return answer.status_code

    assert [await post(number) for number in range(32)] == [200] * 30 + [429] * 2
    assert await post(99, **{"X-Forwarded-For": "192.0.2.1"}) == 200
    assert len(rows_of(reception.club.store, InboundMessage)) == 31


async def test_a_person_may_write_anything(reception: Reception) -> None:
    """And what she writes neither gets lost nor gets in the way of others."""
    given = (
        b"first_name=A%00%ED%A0%80%E2%80%AEb&phone=98765+43210&consent=yes&email=x%00%40y.example"
    )
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await reception.client.post("/in/trial-signup", content=given, headers=form)
    assert answer.status_code == 200
    await reception.read()
    [(name, phone)] = reception.customers("first_name", "phone")
    assert phone == "+919876543210"
    assert (name[0], name[-1]) == ("A", "b")
    assert set(name[1:-1]) == {"\ufffd"}
    assert reception.events() == ["lead_created", "form_submitted"]


async def test_a_form_gives_back_nothing_that_was_refused(reception: Reception) -> None:
    known = make_customer(reception.club.store, phone="+919876543210")
    make_consent(reception.club.store, known, channel="sms", topic="news")
    await reception.client.post(
        "/in/trial-signup", data={"first_name": "A", "phone": "9876543210", "consent": "yes"}
    )
    await reception.read()
    answers = set(rows_of(reception.club.store, Consent, "channel", "granted"))
    assert answers == {("sms", False), ("email", True)}


async def test_a_form_without_its_secret_opens_no_door(sqlite_store: Store, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="SAMPARK_FORMS__QUIZ__SECRET"):
        async with opened(sqlite_store, tmp_path, "forms: {quiz: {kind: typeform}}"):
            pass

"""Leads from advertisements and CRMs, and what forms have really sent."""

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest
from lead_reception import (
    BASE,
    BASIC,
    BEARER,
    FORMS,
    JSON,
    SHARED,
    Reception,
    hubspot_headers,
    mac,
    meta_headers,
    typeform_headers,
)
from making import NOW, rows_of
from public_site import public_project
from pytest_httpserver import HTTPServer

from crm_store.database import Store
from crm_store.models.inbox import InboundMessage
from flows.leads.readers import lead_readers


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

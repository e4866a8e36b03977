"""Leads from forms elsewhere, over the real door: who proves himself is taken in once."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from lead_reception import (
    BASIC,
    BEARER,
    FORM,
    JSON,
    NAMES,
    SECRET,
    Reception,
    opened,
    typeform_headers,
)
from making import NOW, make_customer, rows_of

from crm_store.database import Store
from crm_store.models.event import Event
from crm_store.models.inbox import InboundMessage

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


async def test_a_form_without_its_secret_opens_no_door(sqlite_store: Store, tmp_path: Path) -> None:
    with pytest.raises(Exception, match="SAMPARK_FORMS__QUIZ__SECRET"):
        async with opened(sqlite_store, tmp_path, "forms: {quiz: {kind: typeform}}"):
            pass

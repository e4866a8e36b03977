"""The HTTP API as another program uses it, and as one that may not."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from making import NOW, make_club, make_customer, rows_of
from public_site import public_project, public_site

from crm_store import api_tokens
from crm_store.database import Store
from crm_store.errors import UnknownName, UsageError
from crm_store.models.api_token import ApiToken
from crm_store.models.customer import Customer, CustomerTag
from crm_store.models.event import Event

PIPELINES = "pipelines: {sales: [new, trial_booked]}\n"
BOOKED = {
    "id": "b-1",
    "name": "class_booked",
    "customer": {"ref": "M-1"},
    "data": {"class": "yoga"},
}


@pytest.fixture
async def api(store: Store, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    club = make_club(store)
    make_customer(store, ref="M-1", email="asha@example.org", phone="+919876500001")
    with store.write() as connection:
        token = api_tokens.create(connection, club, "turnstile", NOW)
    project = public_project(tmp_path, PIPELINES)
    async with public_site(project, store, club) as client:
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


async def test_an_event_is_recorded_once(api: httpx.AsyncClient, store: Store) -> None:
    first = await api.post("/api/v1/events", json=BOOKED)
    again = await api.post("/api/v1/events", json=BOOKED)
    assert (first.status_code, first.json()["is_new"]) == (201, True)
    assert (again.status_code, again.json()) == (200, {"event": None, "is_new": False})
    assert rows_of(store, Event, "name", "source", "source_id", "data") == [
        ("class_booked", "api:turnstile", "b-1", {"class": "yoga"})
    ]


MENDABLE: list[tuple[dict[str, Any], int, str]] = [
    ({"customer": {"ref": "M-2"}}, 404, "No customer"),
    ({"customer": {}}, 422, "not named"),
    ({"at": "2026-11-22T05:00:01Z"}, 422, "still to come"),
    ({"at": "2026-11-22T05:00:00"}, 422, "no offset"),
    ({"at": "0001-01-01T00:00:00+05:30"}, 422, "too long ago"),
    ({"at": "9999-12-31T23:59:59-05:00"}, 422, "still to come"),
    ({"name": "stage_changed", "data": {"to": "lost"}}, 422, "names a pipeline"),
    ({"name": "stage_changed", "data": {"pipeline": [1], "to": {}}}, 422, "names a pipeline"),
    ({"name": "purchase_recorded", "data": {"amount": 1e300}}, 422, "needs an amount"),
    ({"name": "purchase_recorded", "data": {"amount": 10**20}}, 422, "needs an amount"),
    (
        {"name": "package_changed", "data": {"package": "p", "remaining": 10**20}},
        422,
        "needs a package",
    ),
]


async def test_what_can_be_mended_is_told(api: httpx.AsyncClient, store: Store) -> None:
    for change, status, said in MENDABLE:
        answer = await api.post("/api/v1/events", json=BOOKED | change)
        assert answer.status_code == status, change
        assert said in answer.json()["reason"]
        assert answer.json()["instruction"]
    assert rows_of(store, Event) == []


UNREADABLE = [
    b"",
    b"\xff",
    b"{",
    b"[]",
    b'{"name": "x"}',
    b'{"id": "1", "name": "Bad Name", "customer": {}}',
    rb'{"id": "a\u0000", "name": "seen", "customer": {"ref": "M-1"}}',
    rb'{"id": "\ud800", "name": "seen", "customer": {"ref": "M-1"}}',
    rb'{"id": "1", "name": "seen", "customer": {"ref": "M-1\u0000"}}',
    rb'{"id": "1", "name": "seen", "customer": {"email": "asha@example.org\u0000"}}',
    rb'{"id": "1", "name": "seen", "customer": {"ref": "M-1"}, "at": 1e30}',
    b'{"id": 1%s}' % (b"0" * 5_000),
    b'{"id": "1", "name": "seen", "customer": {"ref": "M-1"}, "data": {"k": %s}}'
    % (b"[" * 5_000 + b"]" * 5_000),
    b'{"id": "1", "name": "seen", "customer": {"ref": "M-1"}, "data": {"k": %s}}'
    % (b"[" * 900 + b"]" * 900),
]


async def test_another_shape_is_refused(api: httpx.AsyncClient, store: Store) -> None:
    for body in UNREADABLE:
        answer = await api.post(
            "/api/v1/events", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code in (400, 422), body[:100]
    assert rows_of(store, Event) == []


MISREAD = {
    b"{": "The body is not JSON.",
    b'{"id": "1", "name": "seen"}': "customer is missing.",
    b'{"id": "1", "name": "seen", "customer": {"reff": "M-1"}}': "customer.reff.",
    b'{"id": "1", "name": "Class Booked", "customer": {}}': "name cannot be read.",
}


async def test_what_of_the_shape_is_wrong_is_told(api: httpx.AsyncClient) -> None:
    for body, reason in MISREAD.items():
        answer = await api.post(
            "/api/v1/events", content=body, headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 422
        assert answer.json()["reason"].endswith(reason)
        assert answer.json()["instruction"] == "/api/v1/openapi.json has the form."


async def test_a_customer_is_made_and_changed(api: httpx.AsyncClient, store: Store) -> None:
    new = {"ref": "W-7", "fields": {"first_name": "Ravi", "phone": "98765 43211", "tags": ["web"]}}
    made = await api.post("/api/v1/customers", json=new)
    assert made.status_code == 201
    changed = await api.post(
        "/api/v1/customers", json={"ref": "W-7", "fields": {"first_name": "Ravindra"}}
    )
    assert changed.status_code == 200
    assert rows_of(store, Customer, "ref", "first_name", "phone")[1:] == [
        ("W-7", "Ravindra", "+919876543211")
    ]
    assert [tag for _, tag in rows_of(store, CustomerTag)] == ["web"]
    assert [name for (name,) in rows_of(store, Event, "name")] == ["lead_created"]


BAD_FIELDS: list[tuple[dict[str, Any], str]] = [
    ({"phone": "12"}, "phone:"),
    ({"shoe_size": 44}, "There is no field shoe_size."),
    ({"id": 1, "club_id": 7}, "There is no field club_id, id."),
    ({"timezone": "../../etc/passwd"}, "timezone:"),
    ({"birth_date": "0001-01-01"}, "birth_date:"),
]


async def test_a_bad_field_changes_nothing(api: httpx.AsyncClient, store: Store) -> None:
    for fields, said in BAD_FIELDS:
        answer = await api.post("/api/v1/customers", json={"ref": "W-7", "fields": fields})
        assert answer.status_code == 422, fields
        assert answer.json()["reason"].startswith(said)
    for ref in ("  ", "W-7\n", "W\0", "\u202eW"):
        answer = await api.post("/api/v1/customers", json={"ref": ref, "fields": {}})
        assert answer.status_code in (400, 422), ascii(ref)
    assert len(rows_of(store, Customer)) == 1


async def test_no_value_is_too_odd_to_be_kept(api: httpx.AsyncClient, store: Store) -> None:
    """Both databases take them, and neither is brought down by them later."""
    odd = rb'{"ref": "W-7", "fields": {"first_name": "A\u0000\ud800", "tags": ["\udfff", "vip"]}}'
    headers = {"Content-Type": "application/json"}
    assert (await api.post("/api/v1/customers", content=odd, headers=headers)).status_code == 201
    nan = b'{"id": "1", "name": "seen", "customer": {"ref": "W-7"}, "data": {"a": NaN, "b": 1e999}}'
    assert (await api.post("/api/v1/events", content=nan, headers=headers)).status_code == 201
    assert rows_of(store, Customer, "first_name")[1:] == [("A\ufffd\ufffd",)]
    assert [tag for _, tag in rows_of(store, CustomerTag)] == ["vip", "\ufffd"]
    assert rows_of(store, Event, "data")[1:] == [({"a": None, "b": None},)]


async def test_without_a_token_or_with_one_taken_back(api: httpx.AsyncClient, store: Store) -> None:
    token = api.headers.pop("Authorization")
    for headers in ({}, {"Authorization": "Bearer sampark_x"}, {"Authorization": "Basic eDp5"}):
        answer = await api.post("/api/v1/events", json=BOOKED, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    with store.write() as connection:
        api_tokens.revoke(connection, 1, "turnstile")
    answer = await api.post("/api/v1/events", json=BOOKED, headers={"Authorization": token})
    assert answer.status_code == 401
    assert rows_of(store, Event) == []


async def test_it_describes_itself(api: httpx.AsyncClient) -> None:
    about = (await api.get("/api/v1/openapi.json")).json()
    assert sorted(about["paths"]) == ["/api/v1/customers", "/api/v1/events"]
    assert about["paths"]["/api/v1/events"]["post"]["security"] == [{"HTTPBearer": []}]
    assert "NewEvent" in about["components"]["schemas"]


def test_a_token_is_kept_as_a_hash_alone(sqlite_store: Store) -> None:
    club = make_club(sqlite_store)
    with sqlite_store.write() as connection:
        token = api_tokens.create(connection, club, "website", NOW)
        assert api_tokens.owner(connection, club, token) == "website"
        assert api_tokens.owner(connection, club + 1, token) is None
        with pytest.raises(UsageError):
            api_tokens.create(connection, club, "website", NOW)
        with pytest.raises(UnknownName):
            api_tokens.revoke(connection, club, "other")
    assert token not in str(rows_of(sqlite_store, ApiToken))

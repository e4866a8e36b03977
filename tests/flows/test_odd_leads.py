"""Leads whose parts are of other types than their format says: read, or refused in words."""

import json
from collections.abc import Iterator
from copy import deepcopy
from typing import Any

import pytest
from pydantic import TypeAdapter

from crm_messaging.webhooks.posted import Malformed, Posted
from flows.leads.formats import submissions
from flows.leads.settings import FormSettings

LEADS: dict[str, Any] = {
    "typeform": {
        "form_response": {
            "token": "t",
            "submitted_at": "2026-01-01T00:00:00Z",
            "hidden": {"utm_source": "x"},
            "definition": {"fields": [{"id": "1", "title": "Name"}]},
            "answers": [
                {"type": "text", "text": "Asha", "field": {"id": "1"}},
                {"type": "choices", "choices": {"labels": ["a", "b"]}, "field": {"title": "Goal"}},
            ],
        }
    },
    "google_ads": {"lead_id": "1", "user_column_data": [{"column_id": "A", "string_value": "x"}]},
    "meta": {"leads": [{"id": "1", "field_data": [{"name": "email", "values": ["a"]}]}]},
    "json": {"id": "7", "who": {"name": ["Asha"]}, "mail": "asha@example.org"},
    "hubspot": {"is-contact": True, "vid": 1, "properties": {"firstname": {"value": "Asha"}}},
    "pipedrive": {
        "meta": {"object": "person", "timestamp": 1},
        "current": {"id": 1, "first_name": "Asha", "email": [{"value": "a", "primary": True}]},
    },
}
MORE = {"json": {"id": "id", "map": {"first_name": "who.name.0", "email": "mail"}}}
ODD: list[Any] = [
    *(None, True, 0, -1, 1.5, 1e308, 10**30, float("nan"), "", "x", "\ud800", "\0", "9" * 400),
    *([], {}, [None], [[]], {"a": None}, ["x", 1], {"label": None}, "²", "NaN"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00"),
]


def places(value: Any, here: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield here
    inner = value if isinstance(value, dict) else range(len(value) if type(value) is list else 0)
    for key in inner:
        yield from places(value[key], (*here, key))


def with_odd(lead: Any, place: tuple[Any, ...], odd: Any) -> Any:
    if not place:
        return odd
    lead = deepcopy(lead)
    inner = lead
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = odd
    return lead


@pytest.mark.parametrize("kind", LEADS)
def test_any_part_may_be_anything(kind: str) -> None:
    form = TypeAdapter(FormSettings).validate_python({"kind": kind, **MORE.get(kind, {})})
    for place in places(LEADS[kind]):
        for odd in ODD:
            body = json.dumps(with_odd(LEADS[kind], place, odd)).encode()
            try:
                found = list(submissions(Posted(body, {"content-type": "application/json"}), form))
            except Malformed:
                continue
            for one in found:
                assert all(isinstance(text, str) for text in one.answers.values()), (place, odd)
                assert one.source_id

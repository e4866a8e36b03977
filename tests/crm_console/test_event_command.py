"""`sampark event`: what is taken, what is refused, and what the store holds afterwards."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from making import rows_of

from crm_store.database import open_store
from crm_store.models.customer import Customer
from crm_store.models.event import Event

ASHA = {
    "first_name": "Asha",
    "email": "Asha@Example.org",
    "phone": "98765 43210",
    "source": "instagram",
    "tags": ["vip", "yoga"],
    "form": "autumn",
}


def stored(club: Path, model: type, *columns: str) -> list[tuple[Any, ...]]:
    store = open_store("sqlite:///sampark.db", base=club)
    try:
        return rows_of(store, model, *columns)
    finally:
        store.close()


@pytest.fixture
def lead(answer: Callable[..., Any]) -> Any:
    return answer("event", "lead_created", "--customer", "L-7", "--data", json.dumps(ASHA))


def test_a_new_lead_becomes_a_customer(lead: Any, club: Path) -> None:
    assert lead["customer_made"]
    assert lead["campaigns"] == ["new-lead"]
    columns = ("ref", "first_name", "email", "phone", "source")
    assert stored(club, Customer, *columns) == [
        ("L-7", "Asha", "asha@example.org", "+919876543210", "instagram")
    ]
    assert stored(club, Event, "name", "data") == [("lead_created", ASHA)]


def test_a_known_lead_stays_as_she_is(lead: Any, answer: Callable[..., Any], club: Path) -> None:
    again = answer(
        "event", "lead_created", "--customer", "L-7", "--data", '{"first_name": "Another"}'
    )
    assert not again["customer_made"]
    assert stored(club, Customer, "first_name") == [("Asha",)]


def test_the_same_id_twice_is_one_event(answer: Callable[..., Any], club: Path) -> None:
    call = ("event", "lead_created", "--customer", "L-7", "--id", "form-1")
    assert answer(*call)["event_id"] is not None
    assert answer(*call)["event_id"] is None
    assert len(stored(club, Event, "id")) == 1


def test_a_stage_change_says_where_she_came_from(
    lead: Any, answer: Callable[..., Any], club: Path
) -> None:
    for to in ("new", "trial_booked"):
        answer("event", "stage_changed", "--customer", "L-7", "--data", json.dumps({"to": to}))
    assert stored(club, Customer, "pipeline", "stage") == [("sales", "trial_booked")]
    changes = [data for name, data in stored(club, Event, "name", "data") if "stage" in name]
    assert changes == [
        {"pipeline": "sales", "to": "new"},
        {"pipeline": "sales", "from": "new", "to": "trial_booked"},
    ]


def test_word_of_an_earlier_move_does_not_take_her_back(
    lead: Any, answer: Callable[..., Any], club: Path
) -> None:
    for to, at in (("won", "2026-03-02 10:00"), ("trial_booked", "2026-03-01 10:00")):
        data = json.dumps({"to": to})
        answer("event", "stage_changed", "--customer", "L-7", "--at", at, "--data", data)
    assert stored(club, Customer, "stage") == [("won",)]
    assert len(stored(club, Event, "id")) == 3


@pytest.mark.parametrize("name", ["asha@EXAMPLE.org", "9876543210", "+91 98765 43210", "L-7"])
def test_she_is_found_by_any_of_her_names(name: str, lead: Any, answer: Callable[..., Any]) -> None:
    found = answer("event", "trial_booked", "--customer", name)
    assert found["customer_id"] == lead["customer_id"]


@pytest.mark.parametrize(
    ("args", "exit_code", "told"),
    [
        (["TrialBooked", "--customer", "L-7"], 2, "trial_booked"),
        (["trial_booked", "--customer", "nobody"], 1, "No customer"),
        (["trial_booked", "--customer", "L-7", "--data", "{"], 2, "no JSON"),
        (["trial_booked", "--customer", "L-7", "--data", "[1]"], 2, "JSON object"),
        (["trial_booked", "--customer", "L-7", "--at", "2999-01-01"], 2, "still to come"),
        (["trial_booked", "--customer", "L-7", "--at", "yesterday"], 2, "2026-11-22 10:30"),
        (["stage_changed", "--customer", "L-7"], 2, "trial_attended"),
        (["stage_changed", "--customer", "L-7", "--data", '{"to": "gone"}'], 2, "no stage gone"),
        (
            ["stage_changed", "--customer", "L-7", "--data", '{"pipeline": "salse", "to": "new"}'],
            2,
            "did you mean `sales`",
        ),
        (["lead_created", "--customer", "L-8", "--data", '{"email": "nowhere"}'], 2, "email"),
        (["lead_created", "--customer", " "], 2, "reference"),
        (["lead_created", "--customer", "L\x1b]0;8"], 2, "reference"),
        (["trial_booked", "--customer", "L-7", "--data", "[" * 50_000], 2, "too deeply"),
        (["trial_booked", "--customer", "L-7", "--data", '{"a": "\\ud800"}'], 2, "half a char"),
        (["trial_booked", "--customer", "L-7", "--data", '{"a": "\\u0000"}'], 2, "null char"),
        (["trial_booked", "--customer", "L-7", "--data", '{"a": NaN}'], 2, "no JSON"),
        (["trial_booked", "--customer", "L-7", "--id", "\udcff"], 2, "UTF-8"),
        (["trial_booked", "--customer", "L-7", "--at", "0001-01-01"], 2, "too far away"),
    ],
)
def test_what_cannot_be_taken_is_said_and_nothing_is_written(
    args: list[str],
    exit_code: int,
    told: str,
    lead: Any,
    sampark: Callable[..., Result],
    club: Path,
) -> None:
    result = sampark("event", *args, exit_code=exit_code)
    assert told in result.stderr
    assert "Traceback" not in result.stderr
    assert len(stored(club, Event, "id")) == 1
    assert stored(club, Customer, "ref", "stage") == [("L-7", None)]


def test_a_name_that_no_campaign_knows_is_pointed_out(
    lead: Any, sampark: Callable[..., Result]
) -> None:
    result = sampark("event", "trial_boked", "--customer", "L-7")
    assert "Did you mean trial_booked?" in result.stderr

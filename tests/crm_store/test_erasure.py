"""What is left of a customer who is erased: numbers, and her wish. And what she is told before."""

import json
from datetime import timedelta
from typing import Any

from making import (
    NOW,
    TODAY,
    make_club,
    make_consent,
    make_customer,
    make_enrollment,
    make_event,
    make_freeze,
    make_membership,
    make_package,
    make_purchase,
    make_touchpoint,
    make_version,
    make_visit,
    rows_of,
)
from sqlalchemy import insert

from crm_store.consents import Proof, Said, keep_answers
from crm_store.database import Store
from crm_store.disclosure import disclose
from crm_store.erasure import erase
from crm_store.inbox import Arrival, receive_all
from crm_store.models.all import metadata
from crm_store.models.campaign import Enrollment
from crm_store.models.consent import ConsentRecord
from crm_store.models.customer import Customer
from crm_store.models.staff_task import StaffTask
from crm_store.models.touchpoint import Touchpoint
from crm_store.sending import TopicRule, begin_sending
from crm_store.suppressions import suppressions
from crm_store.tables import table_of

EMAIL, PHONE = "traceable@example.org", "+919876512345"
TRACES = ("traceable", "9876512345", "Trace", "1991")


def a_whole_life(store: Store) -> int:
    """A customer with a row in every table, and a trace of her in every text that may hold one."""
    asha = make_customer(
        store,
        ref="Traceable-1",
        first_name="Trace",
        last_name="Traceable",
        email=EMAIL,
        phone=PHONE,
        birth_date=TODAY.replace(year=1991),
        custom={"goal": "traceable"},
        source="traceable",
        tags=("traceable",),
    )
    term = make_membership(store, asha, ref="traceable-T1")
    make_freeze(store, term, TODAY)
    make_visit(store, asha)
    make_purchase(store, asha, ref="traceable-P1")
    make_package(store, asha)
    make_consent(store, asha, topic="news", proof="traceable.csv, line 2")
    event = make_event(store, asha, data={"email": EMAIL}, source_id=f"lead-{EMAIL}")
    enrollment = make_enrollment(store, asha, make_version(store), event_id=event)
    for state in ("accepted", "planned", "queued"):
        make_touchpoint(
            store, asha, enrollment, state=state, provider_ref="traceable", detail="traceable"
        )
    task = {"customer_id": asha, "queue": "desk", "title": "Call Trace", "due_at": NOW}
    with store.write() as connection:
        connection.execute(insert(table_of(StaffTask)), task | {"created_at": NOW})
        said = Said(asha, "email", "news", granted=True, proof=Proof("form", "Yes, news."))
        keep_answers(connection, [said], NOW)
        body = json.dumps({"mail": EMAIL, "phone": PHONE}).encode()
        receive_all(connection, make_club_id(store), [Arrival("form", "1", body, {})], NOW)
    return asha


def make_club_id(store: Store) -> int:
    return int(rows_of(store, Customer, "club_id")[0][0])


def words_of(store: Store) -> str:
    """Every value of every table."""
    with store.read() as connection:
        return "\n".join(
            repr(tuple(row))
            for table in metadata.sorted_tables
            for row in connection.execute(table.select())
        )


def test_nothing_that_identifies_her_is_left_and_every_number_is(store: Store) -> None:
    asha, other = a_whole_life(store), make_customer(store, ref="other")
    before = {table.name: count_of(store, table.name) for table in metadata.sorted_tables}
    with store.write() as connection:
        done = erase(connection, asha, NOW)
    words = words_of(store)
    assert [trace for trace in TRACES if trace in words] == []
    after = {table.name: count_of(store, table.name) for table in metadata.sorted_tables}
    gone = {name: before[name] - after[name] for name in before if before[name] != after[name]}
    assert gone == {"consent": 1, "customer_tag": 1, "suppression": -2}
    assert done["touchpoint"] == 3
    assert done["inbox"] == 1
    states = rows_of(store, Touchpoint, "state", "reason")
    assert states == [("accepted", None), ("cancelled", "erased"), ("cancelled", "erased")]
    assert rows_of(store, Enrollment, "status", "end_reason") == [("exited", "erased")]
    [record] = rows_of(store, ConsentRecord, "customer_id", "step", "proof")
    assert record == (None, "granted", "Yes, news.")
    assert ("other",) in rows_of(store, Customer, "ref")
    assert other


def test_the_suppression_outlives_her_and_meets_whoever_comes_with_her_address(
    store: Store,
) -> None:
    asha = a_whole_life(store)
    with store.write() as connection:
        erase(connection, asha, NOW)
        erase(connection, asha, NOW)
        closed = suppressions(connection, [("email", EMAIL), ("sms", PHONE)])
    assert {found.cause for found in closed.values()} == {"erasure"}
    assert len(closed) == 2
    again = make_customer(store, ref="Traceable-1", email=EMAIL)
    enrollment = make_enrollment(store, again, 1, occurrence="event:99")
    lease = NOW + timedelta(hours=1)
    more: dict[str, Any] = {"state": "claimed", "claim_token": "t", "lease_until": lease}
    made = make_touchpoint(store, again, enrollment, **more)
    with store.write() as connection:
        rule = TopicRule("bookings", transactional=True)
        asked = {made: ("email", EMAIL)}
        moved = begin_sending(connection, asked, token="t", rule=rule, exit_on=(), now=NOW)
    assert moved == set()


def test_she_is_told_everything_that_is_held_of_her(store: Store) -> None:
    asha = a_whole_life(store)
    make_customer(store, email="other@example.org")
    with store.read() as connection:
        told = disclose(connection, asha)
    text = json.dumps(told, ensure_ascii=False)
    for held in (EMAIL, PHONE, "Call Trace", "1991-11-22", "traceable-T1", "Yes, news.", "250.00"):
        assert held in text
    assert "other@example.org" not in text
    for table in metadata.sorted_tables:
        if "customer_id" in table.c and table.name != "segment_stay":
            assert told[table.name], table.name
    assert len(told["membership_freeze"]) == 1


def count_of(store: Store, name: str) -> int:
    with store.read() as connection:
        return len(connection.execute(metadata.tables[name].select()).all())


def test_a_club_with_nobody_of_that_kind(store: Store) -> None:
    """A customer of whom only her reference is known."""
    make_club(store)
    bare = make_customer(store, email=None, phone=None)
    with store.write() as connection:
        assert erase(connection, bare, NOW)["customer"] == 1
        assert erase(connection, bare, NOW)["customer"] == 1

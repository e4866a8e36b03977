"""Files of memberships, visits and purchases: what customers did, each thing once."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from import_office import Office, counts
from making import NOW, TODAY, make_customer, make_membership

from crm_store.models.activity import Purchase, Visit
from crm_store.models.event import Event
from crm_store.models.membership import Membership

MEMBERSHIPS = "Customer ID,Membership ID,Plan,Start date,End date,Status\n"


def test_memberships_come_as_terms(office: Office) -> None:
    make_customer(office.store, ref="1", email="asha@example.org")
    text = (
        MEMBERSHIPS + "1,C-1,annual,2024-12-01,2025-11-30,\n"
        "1,C-1,annual,2025-12-01,2026-11-30,active\n"
        "2,C-2,annual,2025-12-01,2026-11-30,\n"
        "1,C-3,annual,2026-12-01,2026-11-30,\n"
    )
    result = office.bring("memberships", text)
    assert counts(result) == {"added": 2, "rejected": 2}
    assert [(row.line, row.problems[0].text) for row in result.rejected] == [
        (4, "No customer has it; import customers first."),
        (5, "The term ends before it starts."),
    ]
    assert office.rows(Event) == [], "the history of a file renews nothing"
    assert counts(office.bring("memberships", text, now=NOW + timedelta(days=1))) == {
        "unchanged": 2,
        "rejected": 2,
    }
    assert office.rows(Event) == []


def test_a_later_term_of_a_known_membership_is_a_renewal(office: Office) -> None:
    asha = make_customer(office.store, ref="1")
    make_membership(office.store, asha, ref="C-1", ends_on=TODAY)
    text = (
        MEMBERSHIPS + "1,C-1,annual,2026-11-23,2027-11-22,active\n"
        "1,C-1,annual,2020-11-23,2021-11-22,active\n"
        "1,C-9,monthly,2026-11-23,2026-12-22,active\n"
    )
    assert counts(office.bring("memberships", text)) == {"added": 3}
    renewed = {"ref": "C-1", "plan": "annual", "ends_on": "2027-11-22"}
    assert office.rows(Event, "name", "data") == [("membership_renewed", renewed)]
    office.bring("memberships", text, now=NOW + timedelta(days=1))
    assert len(office.rows(Event)) == 1


@pytest.mark.parametrize(
    ("term", "events"),
    [
        ("K-2,annual,2026-11-23,2027-11-22,active", ["membership_renewed"]),
        ("K-2,monthly,2026-11-01,2026-12-01,", ["membership_renewed"]),
        ("K-2,annual,2026-11-23,2027-11-22,cancelled", []),
        ("K-1,annual,2026-11-23,2027-11-22,cancelled", []),
        ("K-2,monthly,2026-10-01,2026-10-31,active", []),
        ("K-2,annual,2024-11-23,2025-11-22,active", []),
    ],
)
def test_a_contract_with_a_reference_of_its_own_may_renew(
    office: Office, term: str, events: list[str]
) -> None:
    asha = make_customer(office.store, ref="1")
    make_membership(office.store, asha, ref="K-1", ends_on=TODAY)
    office.bring("memberships", f"{MEMBERSHIPS}1,{term}\n")
    assert [name for (name,) in office.rows(Event, "name")] == events


def test_a_first_day_put_right_is_the_same_term(office: Office) -> None:
    """Two terms that end on one day would be two occasions, and she would hear of each."""
    make_customer(office.store, ref="1")
    for day, start in enumerate(("2025-11-23", "2025-11-24", "2025-11-24")):
        text = f"{MEMBERSHIPS}1,K-1,annual,{start},2026-11-22,\n"
        office.bring("memberships", text, now=NOW + timedelta(days=day))
    assert office.rows(Membership, "starts_on") == [(date(2025, 11, 24),)]
    assert office.rows(Event) == []


@pytest.mark.parametrize(("first", "then"), [("", "K-1"), ("K-1", "")])
def test_a_reference_that_comes_later_makes_no_second_term(
    office: Office, first: str, then: str
) -> None:
    make_customer(office.store, ref="1")
    text = MEMBERSHIPS + "1,{},annual,2025-11-23,2026-11-22,active\n"
    office.bring("memberships", text.format(first))
    result = office.bring("memberships", text.format(then), now=NOW + timedelta(days=1))
    assert counts(result) == ({"updated": 1} if then else {"unchanged": 1})
    assert office.rows(Membership, "ref") == [("K-1",)]
    assert office.rows(Event) == []


def test_two_contracts_of_the_same_days_stay_two(office: Office) -> None:
    make_customer(office.store, ref="1")
    term = "1,{},annual,2025-11-23,2026-11-22,active\n"
    office.bring("memberships", MEMBERSHIPS + term.format(""))
    office.bring("memberships", MEMBERSHIPS + term.format("K-1") + term.format("K-2"))
    assert office.rows(Membership, "ref") == [("K-1",), ("K-2",)]


def test_a_cancelled_term_is_an_event_and_a_moved_end_is_not(office: Office) -> None:
    make_customer(office.store, email="asha@example.org")
    text = "E-mail,Plan,From,To,Auto renewal,Status\nasha@example.org,annual,2026-01-01,{},{},{}\n"
    office.bring("memberships", text.format("2026-12-31", "yes", "active"))
    office.bring("memberships", text.format("2027-01-15", "no", "active"))
    assert office.rows(Event) == []
    for _ in range(2):
        office.bring("memberships", text.format("2027-01-15", "no", "cancelled"))
    assert office.rows(Membership, "ends_on", "auto_renew", "status") == [
        (date(2027, 1, 15), False, "cancelled")
    ]
    assert office.rows(Event, "name") == [("membership_cancelled",)]


def test_visits_are_counted_once(office: Office) -> None:
    asha = make_customer(office.store, ref="1", phone="+919876543210")
    text = (
        "Mobile,Date\n098765 43210,22.11.2026 10:30\n098765 43210,22.11.2026 18:30\n"
        "+919876543210,2026-11-22T05:00:00Z\n,22.11.2026 10:30\n"
    )
    result = office.bring("visits", text)
    assert counts(result) == {"added": 2, "unchanged": 1, "rejected": 1}
    assert office.rows(Visit, "customer_id", "visited_at") == [
        (asha, datetime(2026, 11, 22, 5, 0, tzinfo=UTC)),
        (asha, datetime(2026, 11, 22, 13, 0, tzinfo=UTC)),
    ]
    assert counts(office.bring("visits", text)) == {"unchanged": 3, "rejected": 1}


def test_purchases_are_written_once_and_corrected(office: Office) -> None:
    make_customer(office.store, ref="1")
    text = (
        "CustomerID,InvoiceNo,InvoiceDate,Amount\n1,A-1,2026-11-20,{}\n1,A-2,2026-11-21 09:30,-5\n"
    )
    assert counts(office.bring("purchases", text.format("1 499.5"))) == {"added": 2}
    assert counts(office.bring("purchases", text.format("1499.50"))) == {"unchanged": 2}
    assert counts(office.bring("purchases", text.format("1500"))) == {"updated": 1, "unchanged": 1}
    assert office.rows(Purchase, "ref", "item", "amount", "purchased_at") == [
        ("A-1", "", Decimal(1500), datetime(2026, 11, 19, 18, 30, tzinfo=UTC)),
        ("A-2", "", Decimal(-5), datetime(2026, 11, 21, 4, 0, tzinfo=UTC)),
    ]


def test_an_address_of_several_customers_names_nobody(office: Office) -> None:
    for _ in range(2):
        make_customer(office.store, email="family@example.org")
    result = office.bring("visits", "email,date\nfamily@example.org,22.11.2026 10:30\n")
    assert "2 customers share it" in result.rejected[0].problems[0].text

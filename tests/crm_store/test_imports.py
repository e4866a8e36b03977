"""Importing files into a real store: what is added, changed, left alone and refused."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from making import NOW, TODAY, make_club, make_consent, make_customer, make_membership, rows_of
from sqlalchemy import event

from crm_store.catalogue.field import FieldType
from crm_store.catalogue.standard import catalogue_of, custom_field
from crm_store.database import Store
from crm_store.errors import UsageError
from crm_store.imports.result import ImportResult, write_rejected
from crm_store.imports.run import ANSWERED, BATCH, import_file
from crm_store.locks import Lock, hold
from crm_store.models.activity import Purchase, Visit
from crm_store.models.consent import Consent, Suppression
from crm_store.models.customer import Customer, CustomerTag
from crm_store.models.event import Event
from crm_store.models.membership import Membership
from crm_store.suppressions import suppressions

CATALOGUE = catalogue_of(
    [
        custom_field("goal", FieldType.TEXT, "Training goal"),
        custom_field("checkup_on", FieldType.DATE, "Checkup"),
    ]
)


class Office:
    """A club whose staff import files."""

    def __init__(self, store: Store, directory: Path) -> None:
        self.store = store
        self.club = make_club(store)
        self.path = directory / "export.csv"

    def bring(self, kind: str, text: str, **options: Any) -> ImportResult:
        self.path.write_text(text)
        return import_file(
            self.store,
            kind,
            self.path,
            club_id=self.club,
            catalogue=CATALOGUE,
            **{"now": NOW, **options},
        )

    def rows(self, model: Any, *columns: str) -> list[tuple[Any, ...]]:
        return rows_of(self.store, model, *columns)


@pytest.fixture
def office(store: Store, tmp_path: Path) -> Office:
    return Office(store, tmp_path)


@pytest.fixture
def sqlite_office(sqlite_store: Store, tmp_path: Path) -> Office:
    return Office(sqlite_store, tmp_path)


def counts(result: ImportResult) -> dict[str, int]:
    """The counts that are not zero."""
    found = {
        "added": result.added,
        "updated": result.updated,
        "unchanged": result.unchanged,
        "rejected": len(result.rejected),
    }
    assert sum(found.values()) == result.read
    return {name: count for name, count in found.items() if count}


CUSTOMERS = """\
Record ID;First Name;E-mail;Mobile;Date of Birth;Language;Tag;Training goal;Checkup;Balance
M-1;Asha;Asha@Example.ORG;098765 43210;29.02.1992;Hindi;vip, pt;strength;2026-12-01;10
M-2;Иван;ivan@example.org;+7 916 123-45-67;1990-05-01;ru;;;;
"""


def test_customers_arrive_with_everything_a_file_says(office: Office) -> None:
    result = office.bring("customers", CUSTOMERS)
    assert counts(result) == {"added": 2}
    assert result.unknown_columns == ("Balance",)
    columns = ("ref", "first_name", "email", "phone", "birth_date", "language", "custom")
    assert office.rows(Customer, *columns) == [
        (
            "M-1",
            "Asha",
            "asha@example.org",
            "+919876543210",
            date(1992, 2, 29),
            "hi",
            {"goal": "strength", "checkup_on": "2026-12-01"},
        ),
        ("M-2", "Иван", "ivan@example.org", "+79161234567", date(1990, 5, 1), "ru", {}),
    ]
    assert sorted(office.rows(CustomerTag, "tag")) == [("pt",), ("vip",)]
    assert office.rows(Event) == []


def test_the_same_file_twice_changes_nothing(office: Office) -> None:
    office.bring("customers", CUSTOMERS)
    before = office.rows(Customer)
    again = office.bring("customers", CUSTOMERS, now=NOW + timedelta(days=1))
    assert counts(again) == {"unchanged": 2}
    assert office.rows(Customer) == before


def test_a_dry_run_counts_and_writes_nothing(office: Office) -> None:
    make_customer(office.store, ref="M-1")
    before = office.rows(Customer)
    text = CUSTOMERS + "M-3;;nobody;;;;;;;\n"
    dry = office.bring("customers", text, dry_run=True)
    assert counts(dry) == {"added": 1, "updated": 1, "rejected": 1}
    assert office.rows(Customer) == before
    assert counts(office.bring("customers", text)) == counts(dry)


def test_a_mobile_number_goes_before_another(office: Office) -> None:
    office.bring("customers", "id,phone,mobile\n1,022 4000 1000,098765 43210\n2,022 4000 1000,\n")
    assert office.rows(Customer, "phone") == [("+919876543210",), ("+912240001000",)]


def test_what_is_worked_out_is_no_column(office: Office) -> None:
    text = "ref,age,Score,segments,Days since joined,First name\n1,thirty,high,regulars,?,Asha\n"
    result = office.bring("customers", text)
    assert counts(result) == {"added": 1}
    assert result.worked_out == ("age", "Score", "segments", "Days since joined")
    assert result.unknown_columns == result.worked_out
    assert office.rows(Customer, "first_name", "score") == [("Asha", 0)]
    with pytest.raises(UsageError, match="no column score to import into"):
        office.bring("customers", text, mapping={"score": "Score"})
    office.bring("customers", text, mapping={"goal": "Score"})
    assert office.rows(Customer, "custom") == [({"goal": "high"},)]


def test_an_empty_cell_says_nothing(office: Office) -> None:
    make_customer(office.store, ref="M-1", email="asha@example.org", custom={"goal": "run"})
    result = office.bring("customers", "ref,email,first name,goal,tags\nM-1,,Usha,,vip\n")
    assert counts(result) == {"updated": 1}
    assert office.rows(Customer, "first_name", "last_name", "email", "custom") == [
        ("Usha", "Verma", "asha@example.org", {"goal": "run"})
    ]


def test_broken_rows_are_refused_and_the_good_ones_go_in(office: Office, tmp_path: Path) -> None:
    result = office.bring(
        "customers",
        "ID,Name,Phone,Birthday,E-mail,Phone\n"
        '1,Asha,12345,1992-02-30,"=cmd",\n'
        "2,Usha,,,,09876543210\n"
        ",Isha,,,,\n"
        "2,Usha again,,,,\n"
        "4,too,many,cells,in,this,row\n",
    )
    assert counts(result) == {"added": 1, "rejected": 4}
    assert office.rows(Customer, "ref", "phone") == [("2", "+919876543210")]
    said = [
        (row.line, [problem.column for problem in row.problems], row.problems[0].text)
        for row in result.rejected
    ]
    assert [(line, columns) for line, columns, _text in said] == [
        (2, ["E-mail", "Phone", "Birthday"]),
        (4, ["ID"]),
        (5, ["ID"]),
        (6, ["row"]),
    ]
    assert "The same as line 3" in said[2][2]

    write_rejected(tmp_path / "rejected.csv", result)
    with (tmp_path / "rejected.csv").open(encoding="utf-8-sig", newline="") as file:
        heading, first, *_rest = csv.reader(file)
    assert heading == ["ID", "Name", "Phone", "Birthday", "E-mail", "Phone", "line", "problem"]
    assert first[:7] == ["1", "Asha", "12345", "1992-02-30", "'=cmd", "", "2"]
    assert first[7].startswith("E-mail: This is no e-mail address")


def test_a_mended_file_of_rejected_rows_can_be_imported(office: Office, tmp_path: Path) -> None:
    result = office.bring("customers", "ref;phone\n1;12345\n2;54321\n")
    write_rejected(tmp_path / "rejected.csv", result)
    mended = (tmp_path / "rejected.csv").read_text("utf-8-sig").replace("12345", "09876543210")
    again = office.bring("customers", mended)
    assert counts(again) == {"added": 1, "rejected": 1}
    assert again.unknown_columns == ()


def test_what_we_add_to_a_file_is_no_formula(office: Office, tmp_path: Path) -> None:
    result = office.bring("customers", "ref,=HYPERLINK()\n1,x\n", mapping={"phone": "=HYPERLINK()"})
    write_rejected(tmp_path / "rejected.csv", result)
    with (tmp_path / "rejected.csv").open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file))[1][-1].startswith("'=HYPERLINK(): ")


def test_a_null_character_is_refused_with_its_row_alone(office: Office) -> None:
    result = office.bring("customers", "ref,first name\n1,As\0ha\n2,Vera\n")
    assert counts(result) == {"added": 1, "rejected": 1}
    assert result.rejected[0].problems[0].text.startswith("The cell holds a null character")


@pytest.mark.parametrize(
    ("heading", "cell", "consents"),
    [
        ("Email Opt Out", "true", [("email", False)]),
        ("HasOptedOutOfEmail", "1", [("email", False)]),
        ("email_opt_out", "no", []),
        ("Unsubscribed from all email", "Yes", [("email", False)]),
        ("sms_consent", "yes", [("sms", True)]),
        ("sms_consent", "no", [("sms", False)]),
        ("Не беспокоить", "да", [("email", False), ("sms", False)]),
    ],
)
def test_permission_columns_become_consents(
    office: Office, heading: str, cell: str, consents: list[tuple[str, bool]]
) -> None:
    office.bring("customers", f"ref,{heading}\n1,{cell}\n")
    assert office.rows(Consent, "channel", "granted") == consents
    for source, proof in office.rows(Consent, "source", "proof"):
        assert (source, proof) == ("import", "export.csv, line 2")


def test_do_not_contact_closes_old_and_new_addresses(office: Office) -> None:
    make_customer(office.store, ref="1", email="old@example.org", phone=None)
    text = "ref,email,phone,do not contact\n1,new@example.org,09876543210,yes\n"
    assert counts(office.bring("customers", text)) == {"updated": 1}
    closed = [
        ("email", "new@example.org"),
        ("email", "old@example.org"),
        ("sms", "+919876543210"),
    ]
    with office.store.read() as connection:
        found = suppressions(connection, [*closed, ("sms", "+919876543211")])
    assert sorted(found) == closed
    assert {(one.reach, one.cause, one.source) for one in found.values()} == {
        ("everything", "opt_out", "import")
    }
    assert counts(office.bring("customers", text)) == {"unchanged": 1}


def test_hand_overs_wait_for_an_import_only_a_moment_at_a_time(office: Office) -> None:
    """Who takes permission away holds up all hand-overs until it is committed."""
    commits: list[int] = []
    event.listen(office.store.engine, "commit", lambda _: commits.append(len(commits)))
    told = ["yes"] * (2 * ANSWERED + 10) + ["no", ""] * 20
    lines = [f"{number},{said}" for number, said in enumerate(told)]
    result = office.bring("customers", "\n".join(["ref,email opt out", *lines]))
    assert counts(result) == {"added": len(told)}
    assert len(office.rows(Consent)) == 2 * ANSWERED + 10
    assert len(commits) == 1 + 3


def test_a_column_that_takes_no_permission_away_holds_nobody_up(
    postgres_store: Store, tmp_path: Path
) -> None:
    office = Office(postgres_store.impatient(2), tmp_path)
    text = "ref,email opt out,do not contact\n1,no,\n2,,no\n"
    with postgres_store.write() as handing_over:
        hold(handing_over, Lock.PERMISSION, shared=True)
        assert counts(office.bring("customers", text)) == {"added": 2}
    office.store.close()


def test_a_file_cannot_undo_an_opt_out(office: Office) -> None:
    asha = make_customer(office.store, ref="1")
    make_consent(office.store, asha, source="unsubscribe")
    result = office.bring("customers", "ref,email consent\n1,yes\n")
    assert counts(result) == {"unchanged": 1}
    assert office.rows(Consent, "granted", "source") == [(False, "unsubscribe")]


def test_a_later_opt_out_in_a_file_counts(office: Office) -> None:
    office.bring("customers", "ref,email consent\n1,yes\n")
    result = office.bring("customers", "ref,email consent,email opt out\n1,yes,yes\n")
    assert counts(result) == {"updated": 1}
    assert office.rows(Consent, "channel", "granted") == [("email", False)]


def test_a_known_customers_move_is_an_event_and_a_new_ones_stage_is_not(office: Office) -> None:
    text = "ref,pipeline,lead status\n1,sales,{}\n2,sales,lost\n"
    office.bring("customers", text.format("new"))
    assert office.rows(Event) == []
    for day, stage in enumerate(("contacted", "contacted", "new", "contacted"), start=1):
        office.bring("customers", text.format(stage), now=NOW + timedelta(days=day))
    columns = ("name", "data", "source", "occurred_at")
    assert office.rows(Event, *columns) == [
        (
            "stage_changed",
            {"pipeline": "sales", "from": before, "to": after},
            "import",
            NOW + timedelta(days=day),
        )
        for day, before, after in [
            (1, "new", "contacted"),
            (3, "contacted", "new"),
            (4, "new", "contacted"),
        ]
    ]
    assert office.rows(Customer, "stage", "stage_changed_at") == [
        ("contacted", NOW + timedelta(days=4)),
        ("lost", None),
    ]


def test_to_learn_a_stage_is_no_move(office: Office) -> None:
    make_customer(office.store, ref="1")
    assert counts(office.bring("customers", "ref,stage\n1,won\n")) == {"updated": 1}
    assert office.rows(Event) == []


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


@pytest.mark.parametrize(
    ("kind", "text", "says"),
    [
        ("horses", "id\n", "nothing called horses"),
        ("customers", "name\nAsha\n", "no column for ref"),
        ("visits", "date\n2026-11-22 10:30\n", "does not say whose"),
        ("memberships", "email,plan\n", "no column for starts_on"),
    ],
)
def test_a_file_that_cannot_be_imported(office: Office, kind: str, text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        office.bring(kind, text)


def test_rows_and_repeats_are_the_same_across_batches(office: Office) -> None:
    refs = [str(number) for number in range(2 * BATCH + 10)]
    progress: list[int] = []
    result = office.bring(
        "customers", "\n".join(["ref", *refs, "0", "1500"]), on_progress=progress.append
    )
    assert counts(result) == {"added": 2 * BATCH + 10, "rejected": 2}
    assert [row.problems[0].text[:16] for row in result.rejected] == [
        "The same as line",
        "The same as line",
    ]
    assert progress == [BATCH, 2 * BATCH, 2 * BATCH + 12]


NAMES = st.sampled_from(["", "Asha", "Иван", "आशा", '"quoted"', "=1+1"])
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["1", "2", "3", ""]),
        NAMES,
        st.sampled_from(["", "a@example.org", "A@EXAMPLE.ORG", "nobody"]),
        st.sampled_from(["", "new", "lost"]),
        st.sampled_from(["", "vip", "vip;pt"]),
        st.sampled_from(["", "yes", "no", "perhaps"]),
        st.sampled_from(["", "yes", "no"]),
    ),
    max_size=6,
)


@given(st.lists(ROWS, min_size=1, max_size=3))
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whatever_came_before_the_second_time_changes_nothing(
    sqlite_office: Office, files: list[list[tuple[str, ...]]]
) -> None:
    for number, rows in enumerate(files):
        text = io.StringIO(newline="")
        heading = ("ref", "first name", "email", "stage", "tags", "email consent", "dnd")
        csv.writer(text).writerows([heading, *rows])
        moment = NOW + timedelta(days=2 * number)
        first = sqlite_office.bring("customers", text.getvalue(), now=moment)
        tables = (Customer, CustomerTag, Consent, Suppression, Event)
        before = [sqlite_office.rows(table) for table in tables]
        again = sqlite_office.bring("customers", text.getvalue(), now=moment + timedelta(days=1))
        assert (again.added, again.updated) == (0, 0)
        assert again.rejected == first.rejected
        assert [sqlite_office.rows(table) for table in tables] == before

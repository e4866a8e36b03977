"""Importing files into a real store: what is added, changed, left alone and refused."""

import csv
import io
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from import_office import Office, counts
from making import NOW, make_customer

from crm_store.errors import UsageError
from crm_store.imports.result import write_rejected
from crm_store.imports.run import BATCH
from crm_store.models.consent import Consent, Suppression
from crm_store.models.customer import Customer, CustomerTag
from crm_store.models.event import Event

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


def test_cells_without_a_heading_do_not_move_what_we_add(office: Office, tmp_path: Path) -> None:
    path = tmp_path / "rejected.csv"
    wrong = "ref,name,phone\nB-1,Ann,12345,,\nB-2,Bea,9876543210,\nB-3,Cy,1,Pune,\n"
    result = office.bring("customers", wrong)
    assert counts(result) == {"added": 1, "rejected": 2}
    write_rejected(path, result)
    with path.open(encoding="utf-8-sig", newline="") as file:
        _heading, ann, cy = csv.reader(file)
    assert (ann[3], len(ann)) == ("2", 5)
    assert (cy[3], cy[5:]) == ("4", ["Pune", ""])

    unmended = office.bring("customers", path.read_text("utf-8-sig"))
    assert "heading 5" in unmended.rejected[1].problems[0].text
    path.unlink()
    write_rejected(path, unmended)
    mended = path.read_text("utf-8-sig").replace("12345", "9876543211").replace(",Pune,", "")
    assert mended.startswith("ref,name,phone,line,problem\n")
    again = office.bring("customers", mended.replace(",1,3,", ",9876543212,3,"))
    assert counts(again) == {"added": 2}


def test_a_file_of_rejected_rows_is_never_written_over(office: Office, tmp_path: Path) -> None:
    path = tmp_path / "a.csv.rejected.csv"
    result = office.bring("customers", "ref,phone\n1,12345\n")
    assert [write_rejected(path, result) for _ in range(2)] == [path, path]
    path.write_text("mended")
    second = tmp_path / "a.csv.rejected-2.csv"
    assert [write_rejected(path, result) for _ in range(2)] == [second, second]
    assert path.read_text() == "mended"
    (tmp_path / "a.csv.rejected-2.csv").write_text("mended too")
    assert write_rejected(path, result).name == "a.csv.rejected-3.csv"


def test_what_we_add_to_a_file_is_no_formula(office: Office, tmp_path: Path) -> None:
    result = office.bring("customers", "ref,=HYPERLINK()\n1,x\n", mapping={"phone": "=HYPERLINK()"})
    write_rejected(tmp_path / "rejected.csv", result)
    with (tmp_path / "rejected.csv").open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file))[1][-1].startswith("'=HYPERLINK(): ")


def test_a_null_character_is_refused_with_its_row_alone(office: Office) -> None:
    result = office.bring("customers", "ref,first name\n1,As\0ha\n2,Vera\n")
    assert counts(result) == {"added": 1, "rejected": 1}
    assert result.rejected[0].problems[0].text.startswith("The cell holds a null character")


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

"""What a file says of being written to, and what it cannot say."""

from pathlib import Path

import pytest
from import_office import Office, counts
from making import make_consent, make_customer
from sqlalchemy import event

from crm_store.database import Store
from crm_store.imports.run import ANSWERED
from crm_store.locks import Lock, hold
from crm_store.models.consent import Consent
from crm_store.suppressions import suppressions


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

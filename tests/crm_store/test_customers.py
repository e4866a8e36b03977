"""Finding a customer by what people call her."""

import pytest
from making import make_club, make_customer

from crm_store.customers import find_customer, get_customer
from crm_store.database import Store
from crm_store.errors import UnknownName


def test_a_reference_belongs_to_one_club(store: Store) -> None:
    here, there = make_club(store), make_club(store, code="other")
    asha = make_customer(store, club_id=here, ref="M-1")
    with store.read() as connection:
        assert find_customer(connection, here, "M-1") == asha
        assert find_customer(connection, there, "M-1") is None


@pytest.mark.parametrize("name", ["M-1", "asha@example.org", "+919876543210"])
def test_people_name_her_by_reference_address_or_number(store: Store, name: str) -> None:
    club = make_club(store)
    asha = make_customer(store, ref="M-1", email="asha@example.org", phone="+919876543210")
    make_customer(store)
    with store.read() as connection:
        assert get_customer(connection, club, name) == asha


def test_nobody_and_several_are_told_apart(store: Store) -> None:
    club = make_club(store)
    for number in range(7):
        email = "family@example.org" if number < 2 else "many@example.org"
        make_customer(store, ref=f"M-{number}", email=email, phone="+919876543210")
    with store.read() as connection:
        with pytest.raises(UnknownName, match=r"2 customers share this email.* M-0 or M-1.$"):
            get_customer(connection, club, "family@example.org")
        with pytest.raises(UnknownName, match=r"M-0 or .* or M-4, or one of 2 others.$"):
            get_customer(connection, club, "+919876543210")
        with pytest.raises(UnknownName, match="No customer") as caught:
            get_customer(connection, club, "asha@example.org")
        assert "asha" not in str(caught.value)

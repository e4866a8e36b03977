"""What a log may say of an error: its class, the database's code and the place, not its words."""

import re

import pytest
from sqlalchemy import text

from crm_store.database import Store
from flows.trouble import class_and_place


def test_an_error_of_the_database_is_told_with_its_code_and_our_own_steps(store: Store) -> None:
    with pytest.raises(Exception, match="asha") as raised, store.write() as connection:
        connection.execute(text('SELECT * FROM "asha@example.org"'))
    told = class_and_place(raised.value)
    code = "SQLITE_ERROR" if store.is_sqlite else "42P01"
    assert re.fullmatch(rf"\w+Error {code} at \w+\.py:\d+( < database\.py:\d+)?", told), told


def test_any_other_error_is_told_by_its_class_and_where_it_was_raised() -> None:
    with pytest.raises(ValueError, match="asha") as raised:
        int("asha@example.org")
    assert re.fullmatch(r"ValueError at test_trouble\.py:\d+", class_and_place(raised.value))


def test_an_error_that_was_never_raised_has_no_place() -> None:
    assert class_and_place(KeyError("asha@example.org")) == "KeyError"

"""Parts of a scratch store: together they are the whole, and no customer is in two of them."""

from datetime import date
from itertools import chain
from pathlib import Path

from making import (
    KEYS,
    make_club,
    make_consent,
    make_customer,
    make_enrollment,
    make_event,
    make_freeze,
    make_membership,
    make_package,
    make_purchase,
    make_suppression,
    make_touchpoint,
    make_version,
    make_visit,
)
from sqlalchemy import Table, select

from crm_store.database import Store
from crm_store.models.all import metadata
from crm_store.scratch import Part, copy_part, empty_scratch, file_of

OF_NOBODY = {"club", "campaign_version", "suppression"}


def test_each_row_is_in_one_part_and_what_is_nobodys_in_all(tmp_path: Path) -> None:
    whole = empty_scratch(tmp_path / "whole.db", KEYS)
    make_club(whole)
    version = make_version(whole)
    make_suppression(whole, "email", "stop@example.org")
    for _ in range(5):
        customer = make_customer(whole, tags=("vip",), birth_date=date(1992, 2, 29))
        term = make_membership(whole, customer)
        make_freeze(whole, term, date(2026, 11, 1), None)
        make_visit(whole, customer)
        make_purchase(whole, customer)
        make_package(whole, customer)
        make_event(whole, customer)
        make_consent(whole, customer)
        make_touchpoint(whole, customer, make_enrollment(whole, customer, version))
    parts = [
        copy_part(file_of(whole), tmp_path / f"{number}.db", KEYS, Part(number, 3))
        for number in range(3)
    ]
    filled = [table for table in metadata.sorted_tables if _rows(whole, table)]
    assert len(filled) == 14
    for table in filled:
        copied = [_rows(part, table) for part in parts]
        if table.name in OF_NOBODY:
            assert copied == [_rows(whole, table)] * 3, table.name
        else:
            assert sorted(chain(*copied)) == _rows(whole, table), table.name
            assert [len(rows) for rows in copied] in ([1, 2, 2], [2, 1, 2], [2, 2, 1]), table.name
    for store in (whole, *parts):
        store.close()


def _rows(store: Store, table: Table) -> list[tuple[object, ...]]:
    with store.read() as connection:
        return sorted(tuple(map(str, row)) for row in connection.execute(select(table)))

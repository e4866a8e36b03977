"""Opening CSV files as programs and people write them."""

from pathlib import Path

import pytest

from crm_store.errors import UsageError
from crm_store.imports.cells import read_text
from crm_store.imports.columns import Column, find_places, same_heading
from crm_store.imports.table import open_table

RUSSIAN = (
    "Код клиента;Имя;Фамилия;Стадия\n"
    "1;Анна;Смирнова;Новый\n2;Пётр;Кузнецов;Пробное занятие\n3;Ольга;Щербакова;Отказ\n"
)


def _read(path: Path, encoding: str | None = None) -> tuple[str, str, list[str], list[list[str]]]:
    with open_table(path, encoding) as table:
        return table.encoding, table.delimiter, table.headings, [row.cells for row in table.rows]


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8-sig"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("cp1251", "cp1251"),
        ("koi8-r", "koi8_r"),
    ],
)
def test_the_encoding_is_found_out(tmp_path: Path, written: str, found: str) -> None:
    path = tmp_path / "clients.csv"
    # The 16-bit one without a mark is told by its first sign, which has to be plain.
    text = RUSSIAN.replace("Код клиента", "ID")
    path.write_bytes(text.encode(written))
    encoding, delimiter, headings, rows = _read(path)
    assert (encoding, delimiter) == (found, ";")
    assert headings == ["ID", "Имя", "Фамилия", "Стадия"]
    assert rows[1] == ["2", "Пётр", "Кузнецов", "Пробное занятие"]


def test_utf8_is_believed_only_when_all_of_the_file_is(tmp_path: Path) -> None:
    path = tmp_path / "clients.csv"
    path.write_bytes(b"id;name\n" + b"1;Asha\n" * 50_000 + RUSSIAN.encode("cp1251"))
    encoding, _delimiter, _headings, rows = _read(path)
    assert encoding == "cp1251"
    assert rows[-1][1] == "Ольга"


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("id,name\n1,A;B\n", ","),
        ("id\tname\n1\tA\n", "\t"),
        ('"id";"name, full"\n1;A\n', ";"),
        ("sep=;\nid;name\n1;A\n", ";"),
        ("sep=|\nid|name\n1|A\n", "|"),
        ("id\n1\n", ","),
    ],
)
def test_the_delimiter_is_found_out(tmp_path: Path, text: str, delimiter: str) -> None:
    path = tmp_path / "clients.csv"
    path.write_text(text)
    assert _read(path)[1] == delimiter


def test_a_row_is_named_by_the_line_it_starts_on(tmp_path: Path) -> None:
    path = tmp_path / "clients.csv"
    path.write_text('id,note\n1,"two\nlines"\n\n2,x\r\n3,y\n')
    with open_table(path) as table:
        assert [(row.line, row.cells[0]) for row in table.rows] == [(2, "1"), (5, "2"), (6, "3")]


@pytest.mark.parametrize(
    ("content", "encoding", "says"),
    [
        (b"", None, "is empty"),
        (b"\n\n", None, "is empty"),
        ("имя\n".encode("cp1251") * 9, "utf-8", "not written in utf-8"),
        (b"id\n" + b"1\n" * 9_999 + "имя\n".encode("cp1251"), "utf-8", "not written in utf-8"),
        (b"id\n1\n", "utf-99", "no encoding utf-99"),
        (b"id\n1\n", "unicode_escape", "no encoding unicode_escape"),
        (b"id\n1\n", "rot13", "no encoding rot13"),
        (b'id,name\n1,"' + b"x" * 1_100_000, None, "line 2.*"),
        (b"PK\x03\x04binary \x00", None, r"no CSV file but a spreadsheet \(.xlsx.*save it as CSV"),
        (b"PK\x03\x04" + bytes(range(256)), "cp1251", "no CSV file but a spreadsheet"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), None, "workbook of an old Excel"),
        (b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n", None, "no CSV file but a PDF"),
        (b"\xef\xbb\xbf\n<HTML><table><tr><td>id", None, "no CSV file but a web page"),
        (b"\x1f\x8b\x08\0\0\0\0\0\x02", "cp1251", "something that is no text"),
    ],
)
def test_a_file_that_cannot_be_read(
    tmp_path: Path, content: bytes, encoding: str | None, says: str
) -> None:
    path = tmp_path / "clients.csv"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=says):
        _read(path, encoding)


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        _read(tmp_path / "clients.csv")


@pytest.mark.parametrize("heading", ["E-mail", "e_mail ", "EMAIL", "\ufeffe mail", "Ｅmail"])
def test_headings_are_compared_by_letters_and_digits(heading: str) -> None:
    assert same_heading(heading) == "email"


COLUMNS = (
    Column("ref", read_text, ("id",), required=True),
    Column("phone", read_text, ("mobile", "телефон")),
)


@pytest.mark.parametrize(
    ("headings", "mapping", "places", "unknown"),
    [
        (["ID", "Phone", "Phone"], {}, {"ref": (0,), "phone": (1, 2)}, ()),
        (["Телефон", "Mobile", "id"], {}, {"ref": (2,), "phone": (1, 0)}, ()),
        (["Id", "Ref", "Notes", ""], {}, {"ref": (1,)}, ("Id", "Notes")),
        (["Id", "line", "problem"], {}, {"ref": (0,)}, ()),
        (["Card", "Id", "Phone"], {"ref": "card"}, {"ref": (0,), "phone": (2,)}, ("Id",)),
    ],
)
def test_columns_are_found_by_heading(
    headings: list[str],
    mapping: dict[str, str],
    places: dict[str, tuple[int, ...]],
    unknown: tuple[str, ...],
) -> None:
    found = find_places(COLUMNS, headings, mapping)
    assert (found.of, found.unknown) == (places, unknown)


@pytest.mark.parametrize(
    ("mapping", "says"),
    [
        ({}, "no column for ref.*; it has: Card no, Mobile.*--column ref="),
        ({"ref": "Card"}, "no heading Card. Did you mean Card no?"),
        ({"reff": "Card no"}, "no column reff to import into.*ref, phone"),
    ],
)
def test_a_column_that_cannot_be_found(mapping: dict[str, str], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_places(COLUMNS, ["Card no", "Mobile"], mapping)
    first, *rest = says.split(".*")
    assert first in str(caught.value)
    assert all(part in str(caught.value) for part in rest)

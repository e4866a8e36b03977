"""Opening a CSV file of any encoding and delimiter, and giving its rows one by one."""

import codecs
import csv
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from crm_store.charsets import charset_named
from crm_store.errors import UsageError
from crm_store.spreadsheets import plain_cell

DELIMITERS = ",;\t"
CELL_LIMIT = 1_000_000
"""Characters in one cell: a quote that never closes must not swallow the file."""
_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_EIGHT_BIT = ["cp1251", "koi8_r", "cp866", "mac_cyrillic", "cp1252"]
_SAMPLE = 65_536
_NO_TEXT = {
    b"PK\x03\x04": "a spreadsheet (.xlsx, .ods) or another packed file",
    b"\xd0\xcf\x11\xe0": "a workbook of an old Excel (.xls)",
    b"%PDF": "a PDF",
}
"""How files begin that people take for CSV."""
# Not a few programs write a page with a table, and call it .xls.
_PAGE = re.compile(rb"(\xef\xbb\xbf)?\s*<(!doctype|html|table|\?xml)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f]")
_HINT = re.compile(r"sep=(.)", re.IGNORECASE)
"""What Excel writes before the heading."""


@dataclass(frozen=True)
class Row:
    """One row: the line it starts on (the heading is line 1), and its cells, stripped."""

    line: int
    cells: list[str]


@dataclass(frozen=True)
class Table:
    """An open file: how it is written, its headings, and the rows still to come."""

    encoding: str
    delimiter: str
    headings: list[str]
    rows: Iterator[Row]


@contextmanager
def open_table(path: Path, encoding: str | None = None) -> Iterator[Table]:
    """Open `path`; without `encoding` it is found out.

    Raises `UsageError` when there is no such file, nothing in it, or it is no such text.
    """
    try:
        _refuse_other_formats(path)
        used = charset_named(encoding) if encoding else detect_encoding(path)
        if used is None:
            raise UsageError(f"There is no encoding {encoding}.", "Write utf-8 or cp1251.")
        file = path.open(encoding=used, newline="")
    except OSError as error:
        raise UsageError(f"{path.name} cannot be read: {error.strerror}.", "Check it.") from error
    with file:
        with _readable(path, used):
            table = _table(file, used, path)
        yield table


def _refuse_other_formats(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(64)
    what = next((name for sign, name in _NO_TEXT.items() if start.startswith(sign)), None)
    if what is None and _PAGE.match(start):
        what = "a web page or XML"
    if what is not None:
        raise _no_csv(path, what)


def _no_csv(path: Path, what: str) -> UsageError:
    return UsageError(
        f"{path.name} is no CSV file but {what}.",
        "Open it in the program that made it, or in a spreadsheet, and save it as CSV (UTF-8).",
    )


@contextmanager
def _readable(path: Path, encoding: str) -> Iterator[None]:
    try:
        yield
    except UnicodeError as error:
        raise UsageError(
            f"{path.name} is not written in {encoding}.", "Say its encoding: --encoding cp1251."
        ) from error


def detect_encoding(path: Path) -> str:
    """The encoding by its mark; else UTF-8 when all of the file is; else the likeliest one."""
    odd = b""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        start = file.read(4)
        for bom, name in _BOMS.items():
            if start.startswith(bom):
                return name
        if start[1:2] == b"\0" or start[:1] == b"\0":
            return "utf-16-le" if start[1:2] == b"\0" else "utf-16-be"
        file.seek(0)
        for line in file:
            if not line.isascii() and len(odd) < _SAMPLE:
                odd += line
            try:
                decoder.decode(line)
            except UnicodeDecodeError:
                break
        else:
            return "utf-8"
        odd += b"".join(line for line in file.readlines(_SAMPLE) if not line.isascii())
    return _likeliest(odd, path)


def _likeliest(sample: bytes, path: Path) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(sample, cp_isolation=_EIGHT_BIT, threshold=0.5).best()
    if best is None:
        raise UsageError(
            f"The encoding of {path.name} cannot be told.", "Say it: --encoding cp1251."
        )
    return best.encoding


def _table(file: IO[str], encoding: str, path: Path) -> Table:
    start, first = 0, file.readline()
    hint = _HINT.fullmatch(first.strip())
    if hint:
        start, first = file.tell(), file.readline()
    file.seek(start)
    unquoted = re.sub(r'"[^"]*"', "", first)
    delimiter = hint[1] if hint else max(DELIMITERS, key=unquoted.count)
    csv.field_size_limit(CELL_LIMIT)
    rows = _rows(file, encoding, delimiter, path, skipped=1 if hint else 0)
    headings = next(rows, None)
    if headings is None:
        raise UsageError(f"{path.name} is empty.", "Its first line has to name the columns.")
    if any(map(_CONTROL.search, headings.cells)):
        raise _no_csv(path, f"something that is no text in {encoding}")
    return Table(encoding, delimiter, headings.cells, rows)


def _rows(file: IO[str], encoding: str, delimiter: str, path: Path, skipped: int) -> Iterator[Row]:
    reader = csv.reader(file, delimiter=delimiter)
    while True:
        line = skipped + reader.line_num + 1
        try:
            with _readable(path, encoding):
                cells = next(reader, None)
        except csv.Error as error:
            raise UsageError(
                f"{path.name}, line {line}: {error}.",
                "Look for a quotation mark that never closes.",
            ) from error
        if cells is None:
            return
        if any(cell.strip() for cell in cells):
            yield Row(line, [plain_cell(cell.strip()) for cell in cells])

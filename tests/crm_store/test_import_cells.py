"""Reading cells: each spelling and what it becomes, or what is said of it."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_store.imports import cells
from crm_store.imports.cells import CellProblem, DateOrder, Reading

TODAY = date(2026, 11, 22)
KOLKATA = ZoneInfo("Asia/Kolkata")
READING = Reading("IN", KOLKATA, TODAY)


@pytest.mark.parametrize(
    ("cell", "day"),
    [
        ("2026-04-03", date(2026, 4, 3)),
        ("2026/04/03", date(2026, 4, 3)),
        ("2026-04-03T10:00:00+05:30", date(2026, 4, 3)),
        ("2026-04-03 00:00", date(2026, 4, 3)),
        ("3.4.2026", date(2026, 4, 3)),
        ("03.04.2026 0:00:00", date(2026, 4, 3)),
        ("13/04/2026", date(2026, 4, 13)),
        ("04/13/2026", date(2026, 4, 13)),
        ("04-04-2026", date(2026, 4, 4)),
        ("3 Apr 2026", date(2026, 4, 3)),
        ("03-Apr-2026", date(2026, 4, 3)),
        ("3 April, 2026", date(2026, 4, 3)),
        ("29.02.2024", date(2024, 2, 29)),
    ],
)
def test_a_date_that_says_what_it_means(cell: str, day: date) -> None:
    assert cells.read_date(cell, READING) == day


@pytest.mark.parametrize(
    ("cell", "says"),
    [
        ("03/04/2026", "two days.*--dates dmy or --dates mdy"),
        ("3-4-2026", "two days"),
        ("30.02.2026", "no day of the calendar"),
        ("2026-02-29", "no day of the calendar"),
        ("3 Foo 2026", "no day of the calendar"),
        ("03.04.26", "no date"),
        ("tomorrow", "no date"),
        ("46332", "no date"),
    ],
)
def test_a_date_that_does_not_is_refused(cell: str, says: str) -> None:
    with pytest.raises(CellProblem) as caught:
        cells.read_date(cell, READING)
    assert re.search(says, str(caught.value))


@pytest.mark.parametrize(
    ("dates", "day"), [(DateOrder.DMY, date(2026, 4, 3)), (DateOrder.MDY, date(2026, 3, 4))]
)
def test_told_the_order_either_reading_is_taken(dates: DateOrder, day: date) -> None:
    reading = Reading("IN", KOLKATA, TODAY, dates)
    assert cells.read_date("03/04/2026", reading) == day
    assert cells.read_date("03.04.2026", reading) == date(2026, 4, 3)


@given(st.dates(date(1900, 1, 1), date(2100, 1, 1)), st.sampled_from(DateOrder))
def test_every_day_survives_every_spelling(day: date, order: DateOrder) -> None:
    told = Reading("IN", KOLKATA, TODAY, order)
    slashes = day.strftime("%d/%m/%Y" if order is DateOrder.DMY else "%m/%d/%Y")
    for spelling in (day.isoformat(), f"{day.day}.{day.month}.{day.year}", slashes):
        assert cells.read_date(spelling, told) == day
    assert cells.read_date(day.strftime("%d %b %Y"), READING) == day


@pytest.mark.parametrize(
    ("cell", "at"),
    [
        ("2026-11-22 10:30", datetime(2026, 11, 22, 5, 0, tzinfo=UTC)),
        ("2026-11-22T10:30:15", datetime(2026, 11, 22, 5, 0, 15, tzinfo=UTC)),
        ("2026-11-22T10:30:15.123Z", datetime(2026, 11, 22, 10, 30, 15, tzinfo=UTC)),
        ("2026-11-22T10:30+03:00", datetime(2026, 11, 22, 7, 30, tzinfo=UTC)),
        ("22.11.2026 10:30", datetime(2026, 11, 22, 5, 0, tzinfo=UTC)),
        ("22 Nov 2026, 10:30 pm", datetime(2026, 11, 22, 17, 0, tzinfo=UTC)),
        ("22/11/2026 12:05 AM", datetime(2026, 11, 21, 18, 35, tzinfo=UTC)),
    ],
)
def test_a_moment_without_an_offset_is_the_clubs(cell: str, at: datetime) -> None:
    assert cells.read_moment(cell, READING) == at


@pytest.mark.parametrize(
    "cell",
    [
        "2026-11-22",
        "2026-11-22 25:00",
        "2026-11-22 10:75",
        "10:30",
        "2026-11-22 10:30+99:99",
        "0001-01-01 00:00",
        "9999-12-31 23:59-05:00",
    ],
)
def test_no_moment(cell: str) -> None:
    with pytest.raises(CellProblem):
        cells.read_moment(cell, READING)


@pytest.mark.parametrize(
    ("read", "cell", "value"),
    [
        (cells.read_yes_no, "Да", True),
        (cells.read_yes_no, "FALSE", False),
        (cells.read_tags, "vip; pt,,vip", ("vip", "pt")),
        (cells.read_language, "Hindi", "hi"),
        (cells.read_language, "en_in", "en-IN"),
        (cells.read_language, "UK", "uk"),
        (cells.read_language, "iw", "iw"),
        (cells.read_language, "bho", "bho"),
        (cells.read_timezone, "Asia/Kolkata", "Asia/Kolkata"),
        (cells.read_integer, "1 500", 1500),
        (cells.read_number, "-12.5", -12.5),
        (cells.read_amount, "1499.5", Decimal("1499.50")),
        (cells.read_amount, "1,200", Decimal("1200.00")),
        (cells.read_amount, "₹ 1,20,000.50", Decimal("120000.50")),
        (cells.read_amount, "-Rs. 500", Decimal("-500.00")),
        (cells.read_amount, "1 499,50 ₽", Decimal("1499.50")),
        (cells.read_amount, "12,5 руб.", Decimal("12.50")),
        (cells.read_status, "Expired", "active"),
        (cells.read_status, "Отменён", "cancelled"),
    ],
)
def test_other_cells(read: cells.Reader, cell: str, value: object) -> None:
    assert read(cell, READING) == value


@pytest.mark.parametrize(
    ("read", "cell", "says"),
    [
        (cells.read_yes_no, "maybe", "yes or no"),
        (cells.read_language, "Klingonese", "en, hi or ru"),
        (cells.read_language, "xx", "en, hi or ru"),
        (cells.read_language, "ua-UA", "en, hi or ru"),
        (cells.read_timezone, "Asia/Kolkatta", "Asia/Kolkata"),
        (cells.read_integer, "1.5", "fraction"),
        (cells.read_number, "1,500", "1499.50"),
        (cells.read_number, "٣", "1499.50"),
        (cells.read_integer, "9" * 400, "at most"),
        (cells.read_amount, "9" * 40, "at most"),
        (cells.read_amount, "1.200,50", "1499.50"),
        (cells.read_amount, "12,3456", "1499.50"),
        (cells.read_amount, "₹", "1499.50"),
        (cells.read_day_or_moment, "0001-01-01", "Check the year"),
        (cells.read_status, "frozen", "active or cancelled"),
        (cells.read_birth_date, "2030-01-01", "Check the year"),
        (cells.read_birth_date, "01.01.1026", "Check the year"),
    ],
)
def test_a_problem_says_how_to_mend_it(read: cells.Reader, cell: str, says: str) -> None:
    with pytest.raises(CellProblem) as caught:
        read(cell, READING)
    assert says in caught.value.instruction

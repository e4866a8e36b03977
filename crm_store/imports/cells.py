"""Reading one cell: from the text of a file to a value, or to a problem that says what to do."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal
from difflib import get_close_matches
from enum import StrEnum
from functools import cache
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo, available_timezones

from crm_store.addresses import normalise_email, normalise_phone
from crm_store.catalogue.field import FieldType
from crm_store.errors import SamparkError
from crm_store.models.activity import LARGEST_AMOUNT
from crm_store.models.membership import MembershipStatus


class CellProblem(SamparkError):
    """A cell that cannot be read. It may quote the cell, so it goes to the user's file only."""


class DateOrder(StrEnum):
    """How 03/04/2026 is meant: 3 April or 4 March."""

    DMY = "dmy"
    MDY = "mdy"


@dataclass(frozen=True)
class Reading:
    """What a cell's text does not say itself."""

    country: str
    """Where a phone number without a country code belongs, ISO 3166-1 alpha-2."""
    zone: ZoneInfo
    """Where a time without an offset belongs."""
    today: date
    dates: DateOrder | None = None


Reader: TypeAlias = Callable[[str, Reading], Any]

LARGEST = 10**15
"""No figure of a club's is larger. What is, is a number run together with its neighbour."""
YES = frozenset({"yes", "y", "true", "t", "1", "on", "x", "да", "истина", "हाँ", "हां"})
NO = frozenset({"no", "n", "false", "f", "0", "off", "нет", "ложь", "नहीं"})
LANGUAGES = {
    "english": "en",
    "hindi": "hi",
    "russian": "ru",
    "английский": "en",
    "русский": "ru",
    "हिन्दी": "hi",
    "हिंदी": "hi",
}
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
STATUSES = {
    "active": MembershipStatus.ACTIVE,
    "current": MembershipStatus.ACTIVE,
    # Whether a term has ended is for its dates to say.
    "expired": MembershipStatus.ACTIVE,
    "ended": MembershipStatus.ACTIVE,
    "активен": MembershipStatus.ACTIVE,
    "активна": MembershipStatus.ACTIVE,
    "cancelled": MembershipStatus.CANCELLED,
    "canceled": MembershipStatus.CANCELLED,
    "отменен": MembershipStatus.CANCELLED,
    "отменён": MembershipStatus.CANCELLED,
    "расторгнут": MembershipStatus.CANCELLED,
}

_YEAR_FIRST = re.compile(r"(\d{4})([-./])(\d{1,2})\2(\d{1,2})")
_YEAR_LAST = re.compile(r"(\d{1,2})([-./])(\d{1,2})\2(\d{4})")
_MONTH_NAMED = re.compile(r"(\d{1,2})[- ]([A-Za-z]{3})[a-z]*\.?,?[- ](\d{4})")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d+)?)?\s*([AaPp][Mm])?")
_OFFSET = re.compile(r"\s*(Z|[+-]\d{2}:?\d{2})$")
_LANGUAGE = re.compile(r"([a-z]{2,3})(?:[-_]([a-z]{2,4}))?", re.IGNORECASE)


def read_text(cell: str, _reading: Reading) -> str:
    """The text as it stands."""
    return cell


def read_email(cell: str, _reading: Reading) -> str:
    """An e-mail address in its normal form."""
    return normalise_email(cell)


def read_phone(cell: str, reading: Reading) -> str:
    """A phone number in its normal form."""
    return normalise_phone(cell, reading.country)


def read_yes_no(cell: str, _reading: Reading) -> bool:
    """A yes or a no, in English, Russian or Hindi."""
    word = cell.casefold()
    if word in YES or word in NO:
        return word in YES
    raise CellProblem(f"“{cell}” is neither yes nor no.", "Write yes or no.")


def read_integer(cell: str, reading: Reading) -> int:
    """A whole number."""
    number = read_number(cell, reading)
    if not number.is_integer():
        raise CellProblem(f"“{cell}” is no whole number.", "Write it without a fraction.")
    return int(number)


def read_number(cell: str, _reading: Reading) -> float:
    """A number with a decimal point; spaces between thousands are passed over."""
    text = re.sub(r"\s", "", cell)
    if not re.fullmatch(r"[+-]?[0-9]+(\.[0-9]+)?", text):
        raise CellProblem(f"“{cell}” is no number.", "Write it as 1499.50.")
    number = float(text)
    if abs(number) > LARGEST:
        raise CellProblem("The number is too large.", f"Write at most {LARGEST:,}.")
    return number


def read_tags(cell: str, _reading: Reading) -> tuple[str, ...]:
    """Words divided by commas or semicolons, each once."""
    words = (word.strip() for word in re.split(r"[,;\n]", cell))
    return tuple(dict.fromkeys(word for word in words if word))


def read_language(cell: str, _reading: Reading) -> str:
    """A language as BCP 47 writes it; the names of ours are known too."""
    if known := LANGUAGES.get(cell.casefold()):
        return known
    match = _LANGUAGE.fullmatch(cell)
    # Of the codes of three letters nobody has a list that is short and whole.
    if match is None or (len(match[1]) == 2 and match[1].lower() not in _two_letter_languages()):
        raise CellProblem(f"“{cell}” is no language code.", "Write en, hi or ru.")
    language, region = match[1].lower(), match[2]
    return f"{language}-{region.upper()}" if region else language


@cache
def _two_letter_languages() -> frozenset[str]:
    """The codes of ISO 639-1, and those withdrawn from it that old programs still write."""
    from babel import Locale

    return frozenset(Locale("en").languages) | {"bh", "in", "iw", "ji", "jw", "mo"}


def read_timezone(cell: str, _reading: Reading) -> str:
    """An IANA time zone."""
    known = available_timezones()
    if cell in known:
        return cell
    near = get_close_matches(cell, known, n=1)
    raise CellProblem(
        f"“{cell}” is no time zone.", f"Write it as {near[0] if near else 'Asia/Kolkata'}."
    )


def read_status(cell: str, _reading: Reading) -> str:
    """The status of a membership."""
    if status := STATUSES.get(cell.casefold()):
        return status.value
    raise CellProblem(f"“{cell}” is no status of a membership.", "Write active or cancelled.")


def read_date(cell: str, reading: Reading) -> date:
    """A day; a time behind it is passed over.

    2026-04-03, 3.4.2026 and 3 Apr 2026 say what they mean; 03/04/2026 does only with
    `reading.dates`.
    """
    text = cell if _MONTH_NAMED.match(cell) else re.split(r"[T ]", cell, maxsplit=1)[0]
    return _day(text, cell, reading)


def read_birth_date(cell: str, reading: Reading) -> date:
    """A day on which a person who is alive may have been born."""
    day = read_date(cell, reading)
    if not date(1900, 1, 1) <= day <= reading.today:
        raise CellProblem(f"Nobody here was born on {day}.", "Check the year.")
    return day


def read_moment(cell: str, reading: Reading) -> datetime:
    """A day and a time; without an offset it is the club's own time."""
    offset = _OFFSET.search(cell)
    text = cell[: offset.start()] if offset else cell
    clock = _TIME.search(text)
    if clock is None:
        raise CellProblem(f"“{cell}” has no time of day.", "Write it as 2026-11-22 10:30.")
    day = _day(text[: clock.start()].rstrip("T, "), cell, reading)
    hour = int(clock[1])
    if clock[4]:
        hour = hour % 12 + (12 if clock[4].lower() == "pm" else 0)
    try:
        at = datetime.combine(day, time(hour, int(clock[2]), int(clock[3] or 0)), reading.zone)
    except ValueError as error:
        raise CellProblem(f"“{cell}” is no time of day.", "Write it as 10:30.") from error
    try:
        if offset is not None:
            at = datetime.fromisoformat(at.replace(tzinfo=None).isoformat() + offset[1])
        return at.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise CellProblem(f"“{cell}” is no moment.", "Check the year and the offset.") from error


def read_day_or_moment(cell: str, reading: Reading) -> datetime:
    """A moment; of a day without a time it is the club's midnight."""
    if ":" in cell:
        return read_moment(cell, reading)
    return read_moment(f"{_day(cell, cell, reading)} 00:00", reading)


_CURRENCY = re.compile(r"^([+-]?)(?:[₹$€£₽]|Rs\.?|INR)|(?:[₹$€£₽]|руб\.?)$", re.IGNORECASE)
_IN_GROUPS = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{2,3})*,[0-9]{3}(\.[0-9]{1,2})?")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]{1,2}")


def read_amount(cell: str, reading: Reading) -> Decimal:
    """An amount of money in major units, to the hundredth.

    Beside it may stand a currency's sign. As no money has three decimals, `1,200` and `1,20,000.50`
    are thousands, and `12,50` is none.
    """
    text = _CURRENCY.sub(r"\1", re.sub(r"\s", "", cell))
    if _IN_GROUPS.fullmatch(text):
        text = text.replace(",", "")
    elif _DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    if abs(read_number(text or cell, reading)) > LARGEST_AMOUNT:
        raise CellProblem("The amount is too large.", f"Write at most {LARGEST_AMOUNT:,}.")
    return Decimal(text).quantize(Decimal("0.01"))


READERS: dict[FieldType, Reader] = {
    FieldType.TEXT: read_text,
    FieldType.INTEGER: read_integer,
    FieldType.NUMBER: read_number,
    FieldType.BOOLEAN: read_yes_no,
    FieldType.DATE: read_date,
    FieldType.TAGS: read_tags,
}
"""How a field of each type is read."""


def _day(text: str, cell: str, reading: Reading) -> date:
    try:
        if match := _YEAR_FIRST.fullmatch(text):
            return date(int(match[1]), int(match[3]), int(match[4]))
        if match := _MONTH_NAMED.match(text):
            return date(int(match[3]), MONTHS.index(match[2].lower()) + 1, int(match[1]))
        if match := _YEAR_LAST.fullmatch(text):
            first, second = _ordered(int(match[1]), match[2], int(match[3]), cell, reading)
            return date(int(match[4]), second, first)
    except ValueError as error:
        raise CellProblem(f"“{cell}” is no day of the calendar.", "Check it.") from error
    raise CellProblem(f"“{cell}” is no date.", "Write it as 2026-11-22.")


def _ordered(first: int, between: str, second: int, cell: str, reading: Reading) -> tuple[int, int]:
    """(day, month) of two numbers; with dots the day always comes first."""
    if between == ".":
        return first, second
    if reading.dates is DateOrder.MDY:
        return second, first
    if reading.dates is DateOrder.DMY or first == second or first > 12:
        return first, second
    if second > 12:
        return second, first
    raise CellProblem(
        f"“{cell}” may mean two days.", "Say which comes first: --dates dmy or --dates mdy."
    )

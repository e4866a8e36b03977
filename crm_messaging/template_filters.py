"""The filters and tests a template may use: formatting in the message's language, and no more.

Only what is named in `FILTERS` and `TESTS` exists for a template. None of them can make a text
much longer than what it is given: a template's output stays bounded by its source and its data.
"""

import re
from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from functools import lru_cache
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time
from babel.numbers import format_currency, format_decimal
from jinja2 import Undefined, pass_context
from jinja2.filters import FILTERS as JINJA_FILTERS
from jinja2.runtime import Context
from jinja2.tests import test_divisibleby, test_even, test_odd

from crm_messaging.blank import Blank

LANGUAGE = "_language"
"""The key under which the values carry the message's language. No template can name it."""

_DATE_STYLES = ("short", "medium", "long", "full")
_MAX_PATTERN = 64
_QUOTED = re.compile(r"'[^']*'")
_NOT_OF_A_DAY = re.compile(r"[^\W\d_GyQqMLwWdFEec]")
"""Letters that no pattern of a day means. `DD.MM.YYYY`, as spreadsheets write it, would be the day
of the year and the year of the week."""
_MAX_GLUE = 64
_MAX_JOINED = 65_536
_WEB_ADDRESS = re.compile(r"https?://[^\s\x00-\x20\"'<>\\^`{|}\x7f]+", re.IGNORECASE)
_CLDR_ORDER = ("zero", "one", "two", "few", "many", "other")


class Unprintable(Exception):
    """A filter was given a value it cannot show. The text names no value."""


@lru_cache(maxsize=256)
def locale_of(language: str) -> Locale:
    """The locale of a BCP 47 language tag; what babel does not know is shortened, then English."""
    parts = language.replace("-", "_").split("_")
    for size in range(len(parts), 0, -1):
        try:
            return Locale.parse("_".join(parts[:size]))
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")


@lru_cache(maxsize=4096)
def day_text(value: date, style: str, language: str) -> str:
    """A date in words: `style` is short, medium, long, full, or a CLDR pattern like "d MMMM"."""
    if style not in _DATE_STYLES and len(style) > _MAX_PATTERN:
        raise Unprintable("the date's pattern is too long")
    if style not in _DATE_STYLES and _NOT_OF_A_DAY.search(_QUOTED.sub("", style)):
        raise Unprintable("the date's pattern cannot be read")
    try:
        text: str = format_date(value, style, locale=locale_of(language))
    except (KeyError, ValueError, AttributeError):
        raise Unprintable("the date's pattern cannot be read") from None
    return text


@lru_cache(maxsize=256)
def plural_categories(language: str) -> tuple[str, ...]:
    """The CLDR plural categories that whole numbers have, in CLDR's order."""
    rule = locale_of(language).plural_form
    used = {rule(number) for number in range(200)}
    return tuple(name for name in _CLDR_ORDER if name in used)


@lru_cache(maxsize=4096)
def _plural_category(number: float, language: str) -> str:
    category: str = locale_of(language).plural_form(number)
    return category


@lru_cache(maxsize=4096)
def _decimal_text(value: float, language: str) -> str:
    text: str = format_decimal(value, locale=locale_of(language))
    return text


@lru_cache(maxsize=4096)
def _money_text(value: float, currency: str, language: str) -> str:
    locale = locale_of(language)
    if value != int(value):
        return format_currency(value, currency, locale=locale)
    # A whole amount reads better without its zeros.
    pattern = re.sub(r"\.0+", "", locale.currency_formats["standard"].pattern)
    return format_currency(value, currency, pattern, locale=locale, currency_digits=False)


def _needs(filter_name: str, what: str, value: Any) -> Unprintable:
    # Values that outsiders gave know their field.
    name = getattr(value, "name", None)
    which = f", and {name} is not one" if name else ""
    return Unprintable(f"the filter {filter_name} needs {what}{which}")


def _number(value: Any, filter_name: str) -> float:
    if isinstance(value, Blank):
        raise value.refusal()
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _needs(filter_name, "a number", value)
    return value


@pass_context
def _date(context: Context, value: Any, style: str = "long") -> str:
    if isinstance(value, Blank):
        raise value.refusal()
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value)
        except ValueError:
            value = _moment(context, value, "date", "a date").date()
    if not isinstance(value, date):
        raise _needs("date", "a date", value)
    return day_text(value, str(style), context.parent[LANGUAGE])


@pass_context
def _time(context: Context, value: Any) -> str:
    if isinstance(value, Blank):
        raise value.refusal()
    needed = "a time, such as 2026-11-22T18:30 or 18:30"
    # Without one it is a day alone, or a number that could be read as a time.
    if not isinstance(value, str) or ":" not in value:
        raise _needs("time", needed, value)
    try:
        clock = time.fromisoformat(value)
    except ValueError:
        clock = _moment(context, value, "time", needed).time()
    return _clock_text(clock, context.parent[LANGUAGE])


def _moment(context: Context, text: str, filter_name: str, needed: str) -> datetime:
    """A moment by the clocks of the club: one that names no zone is told by them already."""
    try:
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is None:
            return moment
        return moment.astimezone(ZoneInfo(str(context.parent["club"]["timezone"])))
    except (ValueError, OverflowError):
        raise _needs(filter_name, needed, text) from None


@lru_cache(maxsize=4096)
def _clock_text(clock: time, language: str) -> str:
    text: str = format_time(clock, "short", locale=locale_of(language))
    # CLDR's narrow space before "PM" alone would make a text message one of 70 characters.
    return text.replace("\N{NARROW NO-BREAK SPACE}", " ")


@pass_context
def _money(context: Context, value: Any) -> str:
    currency = context.parent["club"]["currency"]
    return _money_text(_number(value, "money"), str(currency), context.parent[LANGUAGE])


@pass_context
def _number_text(context: Context, value: Any) -> str:
    return _decimal_text(_number(value, "number"), context.parent[LANGUAGE])


@pass_context
def _plural(context: Context, value: Any, *forms: str) -> str:
    language = context.parent[LANGUAGE]
    category = _plural_category(abs(_number(value, "plural")), language)
    named = dict(zip(plural_categories(language), forms, strict=False))
    # A fraction may fall into a category that no whole number has: Russian says "1,5 дня".
    return str(named.get(category) or named.get("few") or forms[-1])


def _default(value: Any, default_value: Any = "", boolean: bool = False) -> Any:
    """Jinja's own, with an empty field counting as undefined."""
    absent = isinstance(value, Undefined | Blank) or (boolean and not value)
    return default_value if absent else value


def _join(values: Any, glue: str = ", ") -> str:
    if isinstance(values, Blank):
        raise values.refusal()
    words = [str(value) for value in values] if isinstance(values, list | tuple) else [str(values)]
    joined = str(glue)[:_MAX_GLUE].join(words)
    if len(joined) > _MAX_JOINED:
        raise Unprintable("the filter join made too long a text")
    return joined


def _round(value: Any, places: int = 0) -> float:
    if not isinstance(places, int) or not 0 <= places <= 9:
        raise Unprintable("the filter round takes 0 to 9 places")
    number = round(_number(value, "round"), places)
    return number if places else int(number)


def _link_start(value: Any) -> str:
    text = str(value).rstrip("/")
    if not _WEB_ADDRESS.fullmatch(text):
        raise Unprintable("a link begins with what is not a web address (https://...)")
    return text


def _link_part(value: Any) -> str:
    return quote(str(value), safe="")


def _link_phone(value: Any) -> str:
    return re.sub(r"[^0-9+]", "", str(value))


_HARMLESS = (
    *("abs", "capitalize", "first", "last", "length", "lower", "title", "trim", "truncate"),
    *("upper", "urlencode"),
)
OFFERED: dict[str, Callable[..., Any]] = {
    **{name: JINJA_FILTERS[name] for name in _HARMLESS},
    "date": _date,
    "time": _time,
    "money": _money,
    "number": _number_text,
    "plural": _plural,
    "default": _default,
    "join": _join,
    "round": _round,
}
"""The filters a template may name."""

LINK_START, LINK_PART, LINK_PHONE = "_link_start", "_link_part", "_link_phone"
INTERNAL: dict[str, Callable[..., Any]] = {
    LINK_START: _link_start,
    LINK_PART: _link_part,
    LINK_PHONE: _link_phone,
}
"""Put around the values that stand inside a link; no template can name them."""


def _is_none(value: Any) -> bool:
    return value is None or isinstance(value, Blank)


def _is_defined(value: Any) -> bool:
    return not isinstance(value, Undefined | Blank)


TESTS: dict[str, Callable[..., Any]] = {
    "none": _is_none,
    "defined": _is_defined,
    "even": test_even,
    "odd": test_odd,
    "divisibleby": test_divisibleby,
}
"""The tests a template may name after `is`."""


def names(offered: Iterable[str]) -> str:
    """For a message: the names, in order, separated by commas."""
    return ", ".join(sorted(offered))

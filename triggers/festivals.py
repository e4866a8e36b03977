"""Festivals by name: which day Diwali is this year.

The dates are those of the `holidays` library, which knows each country's public, optional and
religious days some years ahead. Names may be written as it writes them in any of its languages
for the country: `Diwali`, `दिवाली`, `День Победы`.
"""

import re
import warnings
from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache

from triggers.problems import nearest

_NAMED_IN = range(2024, 2031)
"""Years whose names are known to `check`: the same whenever it runs."""
_TOGETHER = 5
_NEAR = 3


def festival_mistake(name: str, country: str) -> tuple[str, str, str] | None:
    """What is wrong with a holiday of a country, if anything: the key, the message and the fix."""
    # The library loads here: it takes a tenth of a second, and few campaigns name a festival.
    # Its own list of countries would load each of them.
    from holidays.registry import COUNTRIES

    if country not in {codes[1] for codes in COUNTRIES.values()}:
        fix = "write two letters of ISO 3166-1, such as `IN` or `RU`"
        return "country", f"no holidays are known of the country `{country[:40]}`", fix
    wanted = _folded(name)
    names: dict[str, tuple[str, set[date]]] = {}
    for language in _languages(country):
        found = _days_in(language, country, _NAMED_IN.start, _NAMED_IN.stop)
        if wanted in found:
            return None
        names = found | names
    return "holiday", f"unknown holiday `{name[:60]}` in {country}", _meant(name, names)


def festival_days(name: str, country: str, first: date, last: date) -> Iterator[date]:
    """The days in [`first`, `last`] on which the festival begins, in order.

    Of several days in a row it is the first. A year that the library does not know has none.
    """
    # A festival at the turn of the year may have begun in the year before. Years are read some at
    # a time: it takes long, and who asks for one asks for the next.
    since, until = (first.year - 1) // _TOGETHER * _TOGETHER, last.year // _TOGETHER * _TOGETHER
    days = {
        day
        for language in _languages(country)
        for day in _days_in(language, country, since, until + _TOGETHER).get(
            _folded(name), (name, ())
        )[1]
    }
    for day in sorted(days):
        if first <= day <= last and day - timedelta(days=1) not in days:
            yield day


@cache
def _languages(country: str) -> tuple[str | None, ...]:
    """The languages in which the library names a country's days, its own first."""
    from holidays import country_holidays

    plain = country_holidays(country)
    own = plain.default_language
    return (own, *(one for one in plain.supported_languages if one != own))


@cache
def _days_in(
    language: str | None, country: str, first: int, stop: int
) -> dict[str, tuple[str, set[date]]]:
    """By folded name the name as the library writes it, and its days in [`first`, `stop`)."""
    from holidays import country_holidays

    found: dict[str, tuple[str, set[date]]] = {}
    with warnings.catch_warnings():
        # For years that it does not know it warns; they have no days, which is all we ask.
        warnings.simplefilter("ignore")
        known = country_holidays(
            country,
            years=range(first, stop),
            language=language,
            categories=country_holidays(country).supported_categories,
            observed=False,
        )
        for day, names in known.items():
            for written in names.split("; "):
                for name in _called(written):
                    found.setdefault(_folded(name), (name, set()))[1].add(day)
    return found


def _called(written: str) -> Iterator[str]:
    """`Diwali (Deepavali)` → itself, `Diwali`, `Deepavali`; `(estimated)` is no name."""
    written = re.sub(r" \((estimated|observed)\)", "", written)
    yield written
    if match := re.fullmatch(r"(.+?) \((.+)\)", written):
        yield from match.groups()


def _folded(name: str) -> str:
    return " ".join(name.casefold().replace("\u2019", "'").split())


def _meant(name: str, names: dict[str, tuple[str, set[date]]]) -> str:
    """The fix for an unknown name: the nearest ones."""
    left = dict(names)
    near: list[str] = []
    while len(near) < _NEAR and (guess := nearest(_folded(name), left, cutoff=0.5)):
        near.append(left.pop(guess)[0])
    if near:
        return "did you mean " + " or ".join(f"`{one}`" for one in near) + "?"
    some = sorted({written for written, _ in names.values() if written.isascii()})[:_NEAR]
    return "write it as its country does, such as " + ", ".join(f"`{one}`" for one in some)

"""Time zones by their IANA names."""

from functools import cache
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator

from triggers.problems import choose_from
from triggers.strict_model import wrong


def is_zone(name: str) -> bool:
    """Whether the name is one of the IANA database, such as `Asia/Kolkata`."""
    return name in _names()


def right_zone(name: str) -> str:
    """The fix for a wrong name."""
    # Of two names for one place the list shows either; `Asia/Calcutta` is still a good one.
    places = [zone for zone in _names() if "/" in zone and not zone.startswith(("Etc/", "posix/"))]
    return choose_from(name, places)


@cache
def _names() -> frozenset[str]:
    return frozenset(available_timezones())


def _existing(name: str) -> str:
    if not is_zone(name):
        wrong(f"unknown time zone `{name[:60]}`", right_zone(name))
    return name


ZoneName = Annotated[str, AfterValidator(_existing)]

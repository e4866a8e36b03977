"""Time zones by their IANA names."""

from typing import Annotated
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator

from triggers.problems import choose_from
from triggers.strict_model import wrong


def is_zone(name: str) -> bool:
    """Whether the name is one of the IANA database, such as `Asia/Kolkata`."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True


def right_zone(name: str) -> str:
    """The fix for a wrong name."""
    places = (zone for zone in available_timezones() if "/" in zone)
    return choose_from(name, (zone for zone in places if not zone.startswith("Etc/")))


def _existing(name: str) -> str:
    if not is_zone(name):
        wrong(f"unknown time zone `{name[:60]}`", right_zone(name))
    return name


ZoneName = Annotated[str, AfterValidator(_existing)]

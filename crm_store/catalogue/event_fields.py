"""The fields `event.<key>`: what the event that starts a campaign says, for its messages.

An event's data is free JSON from outside, so no key is declared and any name is a field. Only
plain values are values of a message: a text, a number, true or false. Anything else is missing,
as it is where a trigger asks the data (`crm_store.json_values`).
"""

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, TypeAlias

from crm_store.catalogue.field import Catalogue, Field, FieldType
from crm_store.catalogue.values import OfMessage
from crm_store.event_names import KEY

EVENT = "event."
"""What the names of these fields begin with; a key of the data follows."""
EXAMPLE = f"{EVENT}amount"

Plain: TypeAlias = str | int | float | bool
_EXACT = 2**53
"""From here on a float has no digits left for its units."""


class WithEventData(Catalogue):
    """A catalogue, and the data of the event that starts the campaign."""

    def __getitem__(self, name: str) -> Field:
        return _field(name) if _is_event_field(name) else super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or (isinstance(name, str) and _is_event_field(name))

    def families(self) -> set[str]:
        """With that of the event."""
        return super().families() | {EVENT.removesuffix(".")}


def event_fields(names: Iterable[str]) -> list[str]:
    """Those of the fields that an event tells, in order."""
    return sorted(name for name in names if name.startswith(EVENT))


def key_of(name: str) -> str:
    """The key of the data that a field stands for."""
    return name.removeprefix(EVENT)


def plain(value: Any) -> Plain | None:
    """A value out of JSON as a message has it; nothing where there is none to be shown.

    An empty text is none. JSON has one kind of number: 499.0 is 499.
    """
    match value:
        case bool() | int():
            return value
        case str():
            return value if value.strip() else None
        case Decimal() | float() if math.isfinite(value):
            number = float(value)
            return int(number) if number.is_integer() and abs(number) <= _EXACT else number
    return None


def _is_event_field(name: str) -> bool:
    return name.startswith(EVENT) and bool(KEY.fullmatch(key_of(name)))


def _field(name: str) -> Field:
    label = f"`{key_of(name)}` in the data of the event"
    return Field(name, FieldType.ANY, label, "", OfMessage(), personal=True)

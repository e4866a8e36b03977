"""Values out of an event's data as templates see them: only the value itself tells its type.

They compare as a condition compares: a text is neither less nor more than a number.
"""

from collections.abc import Callable
from typing import Any

from crm_messaging.blank import Blank
from crm_messaging.template_filters import Unprintable
from crm_store.catalogue.event_fields import plain


class YesOrNo:
    """True or false; never printed, as no yes-or-no field is."""

    __slots__ = ("name", "value")

    def __init__(self, name: str, value: bool) -> None:
        self.name, self.value = name, value

    def __bool__(self) -> bool:
        return self.value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, bool | YesOrNo) and bool(other) is self.value

    def __hash__(self) -> int:
        return hash(self.value)

    def _never(self, _other: object) -> bool:
        return False

    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = _never

    def __str__(self) -> str:
        raise Unprintable(f"{self.name} is true or false, and cannot be printed")

    def __repr__(self) -> str:
        return f"YesOrNo({self.name!r})"


def _of_texts(compare: Callable[[str, str], bool]) -> Callable[["Told", Any], Any]:
    def compared(self: "Told", other: Any) -> Any:
        return False if isinstance(other, int | float | YesOrNo) else compare(self, other)

    return compared


class Told(str):
    """A text where a number was possible; `name` is the field it is in."""

    __slots__ = ("name",)
    name: str

    @classmethod
    def of(cls, name: str, text: str) -> "Told":
        made = cls(text)
        made.name = name
        return made

    __lt__ = _of_texts(str.__lt__)
    __le__ = _of_texts(str.__le__)
    __gt__ = _of_texts(str.__gt__)
    __ge__ = _of_texts(str.__ge__)


def told(name: str, value: Any) -> Told | YesOrNo | int | float | Blank:
    """A value out of JSON; a `Blank` where there is nothing that a message could say."""
    match plain(value):
        case None:
            return Blank(name)
        case bool(flag):
            return YesOrNo(name, flag)
        case str(text):
            return Told.of(name, text)
        case number:
            return number

"""The values a template sees that plain Python does not have: the empty field, and the day.

An empty field may be tested, compared and given a default, as in a campaign's condition; it can
never be printed. So a message that forgot the case is stopped instead of leaving as "Dear ,".
"""

from datetime import date
from typing import Any, NoReturn


class EmptyValueError(Exception):
    """An empty field was printed or computed with."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} is empty for this customer")
        self.name = name


class Blank:
    """The value of an empty field, as SQL's NULL: equal to nothing but another empty value."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __bool__(self) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return other is None

    def __hash__(self) -> int:
        return hash(None)

    def _never(self, _other: object) -> bool:
        return False

    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = _never

    def refusal(self) -> EmptyValueError:
        """The error that stops the message."""
        return EmptyValueError(self.name)

    def _refuse(self, *_args: Any) -> NoReturn:
        raise self.refusal()

    __str__ = __html__ = __format__ = __iter__ = __len__ = _refuse
    __int__ = __float__ = __index__ = __round__ = __abs__ = __neg__ = __pos__ = _refuse
    __add__ = __sub__ = __mul__ = __truediv__ = __floordiv__ = __mod__ = _refuse
    __radd__ = __rsub__ = __rmul__ = __rtruediv__ = __rfloordiv__ = __rmod__ = _refuse

    def __repr__(self) -> str:
        return f"Blank({self.name!r})"


class Day(date):
    """A date that also compares with ISO 8601 texts: ``membership.ends_on > "2026-01-01"``."""

    __slots__ = ()

    @classmethod
    def of(cls, value: date) -> "Day":
        return cls(value.year, value.month, value.day)

    def __eq__(self, other: object) -> bool:
        return super().__eq__(_as_date(other))

    def __hash__(self) -> int:
        return super().__hash__()

    def __lt__(self, other: Any) -> bool:
        return super().__lt__(_as_date(other))

    def __le__(self, other: Any) -> bool:
        return super().__le__(_as_date(other))

    def __gt__(self, other: Any) -> bool:
        return super().__gt__(_as_date(other))

    def __ge__(self, other: Any) -> bool:
        return super().__ge__(_as_date(other))


def _as_date(other: Any) -> Any:
    if not isinstance(other, str):
        return other
    try:
        return date.fromisoformat(other)
    except ValueError:
        return other

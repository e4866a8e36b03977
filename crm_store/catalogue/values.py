"""What a field's value is made from, said as data.

Whoever reads the catalogue without asking for SQL does not wait for the database library:
`value_sql` alone turns these into SQL.
"""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True)
class OfCustomer:
    """A column of her own row."""

    column: str


@dataclass(frozen=True)
class NameOfCustomer:
    """A name; an empty text is no name."""

    column: str


@dataclass(frozen=True)
class Tags:
    """All her tags, joined by line feeds; an empty text when she has none."""


@dataclass(frozen=True)
class OfMessage:
    """Known as a message is made: the store has no SQL for it."""


@dataclass(frozen=True)
class OfClub:
    """A column of her club."""

    column: str


@dataclass(frozen=True)
class OfMembership:
    """A column of the membership that the scope joins, else of her latest term."""

    column: str


@dataclass(frozen=True)
class MembershipDaysLeft:
    """Days from today to the last day of the term."""


@dataclass(frozen=True)
class MembershipFrozen:
    """Whether a freeze covers today."""


@dataclass(frozen=True)
class Rows:
    """A table whose rows belong to her."""

    table: str


@dataclass(frozen=True)
class DatedRows(Rows):
    """One whose rows count once the moment in a column has come."""

    moment: str


VISITS = DatedRows("visit", "visited_at")
PURCHASES = DatedRows("purchase", "purchased_at")
PACKAGES = Rows("package_balance")


@dataclass(frozen=True)
class CountOf:
    """How many rows; with `days`, only of the last so many x 24 hours."""

    rows: DatedRows
    days: int | None = None


@dataclass(frozen=True)
class SumOf:
    """The sum of a column; `of_none` where she has no rows."""

    rows: Rows
    column: str
    of_none: int | None = None


@dataclass(frozen=True)
class LeastOf:
    """The least value of a column."""

    rows: Rows
    column: str


@dataclass(frozen=True)
class LatestDay:
    """The UTC day of the latest moment."""

    rows: DatedRows


@dataclass(frozen=True)
class DaysSinceLatest:
    """Days from that day to today."""

    rows: DatedRows


@dataclass(frozen=True)
class OfCustom:
    """A value in `Customer.custom`; `kind` is a `FieldType`."""

    key: str
    kind: str


Value: TypeAlias = (
    OfCustomer
    | NameOfCustomer
    | Tags
    | OfClub
    | OfMessage
    | OfMembership
    | MembershipDaysLeft
    | MembershipFrozen
    | CountOf
    | SumOf
    | LeastOf
    | LatestDay
    | DaysSinceLatest
    | OfCustom
)

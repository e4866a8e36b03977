"""What a field's value is made from, said as data.

Whoever reads the catalogue without asking for SQL does not wait for the database library:
`value_sql` alone turns these into SQL.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from crm_store.scope import Scope


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
class Segments:
    """The names of the segments she is in, joined by line feeds."""


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
    """The day, in the club, of the latest moment."""

    rows: DatedRows


@dataclass(frozen=True)
class DaysSinceLatest:
    """Days from that day to today."""

    rows: DatedRows


@dataclass(frozen=True)
class PerWeek:
    """How many rows a week, as the mean of the last so many weeks."""

    rows: DatedRows
    weeks: int


@dataclass(frozen=True)
class FirstDay:
    """The day, in the club, of the first moment."""

    rows: DatedRows


@dataclass(frozen=True)
class DaysSince:
    """Days from a date of her own row to today."""

    column: str


@dataclass(frozen=True)
class YearsSince:
    """Whole years from a date of her own row to today; 29 February's are full on the 28th in
    common years."""

    column: str


@dataclass(frozen=True)
class OfCustom:
    """A value in `Customer.custom`; `kind` is a `FieldType`."""

    key: str
    kind: str


class HasSql(Protocol):
    """A condition that is true or false of the customer of a scope."""

    def sql(self, scope: "Scope") -> "ColumnElement[bool]":
        """Its SQL, never NULL."""
        ...


@dataclass(frozen=True)
class EventPoints:
    """Points for each event of a name, of the last so much time or of all time."""

    points: int
    name: str
    within: timedelta | None = None


@dataclass(frozen=True)
class ConditionPoints:
    """Points while a condition holds."""

    points: int
    condition: HasSql


@dataclass(frozen=True)
class Scored:
    """The points that steps gave her, and those of the rules."""

    rules: tuple[EventPoints | ConditionPoints, ...] = ()


Value: TypeAlias = (
    OfCustomer
    | NameOfCustomer
    | Tags
    | Segments
    | Scored
    | OfClub
    | OfMessage
    | OfMembership
    | MembershipDaysLeft
    | MembershipFrozen
    | CountOf
    | SumOf
    | LeastOf
    | LatestDay
    | FirstDay
    | PerWeek
    | DaysSince
    | YearsSince
    | DaysSinceLatest
    | OfCustom
)

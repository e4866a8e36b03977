"""Where a field or a condition is looked at: whose row, which membership, what day."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from sqlalchemy import BindParameter, ColumnElement, FromClause, Integer, bindparam, select
from sqlalchemy.sql.visitors import iterate
from sqlmodel import Date

from crm_store.columns import UtcDateTime
from crm_store.models.customer import Customer
from crm_store.models.membership import Membership
from crm_store.tables import table_of

CUSTOMER = table_of(Customer)
MEMBERSHIP = table_of(Membership)


Place: TypeAlias = tuple[FromClause, FromClause | None]
MomentOf: TypeAlias = frozenset[str]
_AGO = "scope_ago_"


@dataclass(frozen=True)
class Scope:
    """The tables a statement already joins, and its moment.

    `membership` is set when the statement joins the membership that the occurrence is about;
    otherwise `membership.*` means the customer's latest term. `today` is the calendar day of
    the club, and `now` is told by its clocks: conditions count days as the club does.
    """

    now: datetime
    today: date
    customer: FromClause = CUSTOMER
    membership: FromClause | None = None

    @classmethod
    def at(cls, now: datetime, zone: ZoneInfo, *, membership: FromClause | None = None) -> "Scope":
        """In a club of this time zone."""
        local = now.astimezone(zone)
        return cls(local, local.date(), membership=membership)

    @property
    def place(self) -> Place:
        """All of the scope but its moment."""
        return self.customer, self.membership

    @property
    def offset(self) -> int:
        """How many seconds the club's clocks are ahead of UTC."""
        return int((self.now.utcoffset() or timedelta(0)).total_seconds())

    # What a statement says of the moment has names: `told` says them anew for another moment, and
    # the statement need not be built again.

    @property
    def now_sql(self) -> ColumnElement[datetime]:
        return self._named("scope_now", UtcDateTime)

    @property
    def today_sql(self) -> ColumnElement[date]:
        return self._named("scope_today", Date)

    @property
    def offset_sql(self) -> ColumnElement[int]:
        return self._named("scope_offset", Integer)

    @property
    def year_sql(self) -> ColumnElement[int]:
        return self._named("scope_year", Integer)

    @property
    def month_day_sql(self) -> ColumnElement[int]:
        """Month x 100 + day of the last birthday that is kept by today."""
        return self._named("scope_month_day", Integer)

    def ago(self, time: timedelta) -> ColumnElement[datetime]:
        """The moment so much before now, to the second."""
        return self._named(f"{_AGO}{int(time.total_seconds())}", UtcDateTime)

    def told(self, names: MomentOf) -> dict[str, Any]:
        """What these names stand for in this scope."""
        return {name: self._value(name) for name in names}

    def _named(self, name: str, kind: Any) -> ColumnElement[Any]:
        return bindparam(name, self._value(name), kind)

    def _value(self, name: str) -> Any:
        match name:
            case "scope_now":
                return self.now
            case "scope_today":
                return self.today
            case "scope_offset":
                return self.offset
            case "scope_year":
                return self.today.year
            case "scope_month_day":
                return _kept_by(self.today)
        return self.now - timedelta(seconds=int(name.removeprefix(_AGO)))

    def days_ago(self, days: int) -> ColumnElement[datetime]:
        """The moment `days` x 24 hours before now."""
        return self.ago(timedelta(days=days))


def moment_of(condition: ColumnElement[bool]) -> MomentOf:
    """By which names a condition that was made in a scope speaks of its moment."""
    keys = (one.key for one in iterate(condition) if isinstance(one, BindParameter))
    return frozenset(key for key in keys if key.startswith("scope_"))


def _kept_by(today: date) -> int:
    """29 February is kept on the 28th in common years."""
    month_day = today.month * 100 + today.day
    is_last_of_february = month_day == 228 and (today + timedelta(days=1)).day == 1
    return 229 if is_last_of_february else month_day


def is_of_club(row: FromClause, club_id: int | ColumnElement[int]) -> ColumnElement[bool]:
    """Whether the row is about a customer of the club.

    The clubs of a chain may share a database and the names of their campaigns. Each has its own
    templates and its own sender: none may take what is another's.
    """
    return (
        select(CUSTOMER.c.id)
        .where(CUSTOMER.c.id == row.c.customer_id, CUSTOMER.c.club_id == club_id)
        .correlate(row)
        .exists()
    )

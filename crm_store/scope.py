"""Where a field or a condition is looked at: whose row, which membership, what day."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, FromClause, bindparam, select
from sqlmodel import Date

from crm_store.columns import UtcDateTime
from crm_store.models.customer import Customer
from crm_store.models.membership import Membership
from crm_store.tables import table_of

CUSTOMER = table_of(Customer)
MEMBERSHIP = table_of(Membership)


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
    def offset(self) -> int:
        """How many seconds the club's clocks are ahead of UTC."""
        return int((self.now.utcoffset() or timedelta(0)).total_seconds())

    @property
    def now_sql(self) -> ColumnElement[datetime]:
        return bindparam("scope_now", self.now, UtcDateTime, unique=True)

    @property
    def today_sql(self) -> ColumnElement[date]:
        return bindparam("scope_today", self.today, Date, unique=True)

    def ago(self, time: timedelta) -> ColumnElement[datetime]:
        """The moment so much before now."""
        return bindparam("scope_then", self.now - time, UtcDateTime, unique=True)

    def days_ago(self, days: int) -> ColumnElement[datetime]:
        """The moment `days` x 24 hours before now."""
        return self.ago(timedelta(days=days))


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

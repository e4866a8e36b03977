"""What a customer does: visits, purchases, and what is left of a package."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Column, Index, Numeric, UniqueConstraint
from sqlmodel import Field, SQLModel

from crm_store.columns import UtcDateTime

LARGEST_AMOUNT = 10**12 - 1
"""Of a purchase, in major units: what its column holds."""
LARGEST_REMAINDER = 10**6
"""Of a package: nobody has more sessions left."""


class Visit(SQLModel, table=True):
    """One visit to the club."""

    __table_args__ = (
        UniqueConstraint("customer_id", "visited_at"),
        Index("ix_visit_visited_at", "visited_at", "customer_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id", ondelete="CASCADE")
    visited_at: datetime = Field(sa_type=UtcDateTime)


class Purchase(SQLModel, table=True):
    """One purchase; a negative amount is a return."""

    __table_args__ = (
        UniqueConstraint("customer_id", "ref"),
        Index("ix_purchase_customer", "customer_id", "purchased_at"),
        Index("ix_purchase_purchased_at", "purchased_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id", ondelete="CASCADE")
    ref: str
    item: str = ""
    amount: Decimal = Field(sa_column=Column(Numeric(14, 2, asdecimal=True), nullable=False))
    """In the club's currency, major units."""
    purchased_at: datetime = Field(sa_type=UtcDateTime)


class PackageBalance(SQLModel, table=True):
    """What is left of a package of sessions."""

    __tablename__ = "package_balance"
    __table_args__ = (
        UniqueConstraint("customer_id", "package"),
        Index("ix_package_balance_expires_on", "expires_on"),
        Index("ix_package_balance_updated_at", "updated_at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    customer_id: int = Field(foreign_key="customer.id", ondelete="CASCADE")
    package: str
    remaining: int
    expires_on: date | None = None
    filled_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    """When it was last bought or filled up again."""
    updated_at: datetime = Field(sa_type=UtcDateTime)

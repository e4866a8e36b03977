"""Whom a message went to: what a page behind one of its links has to know."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, select

from crm_store.consents import ADDRESS_COLUMN
from crm_store.scope import CUSTOMER
from crm_store.touchpoints import TOUCHPOINT


@dataclass(frozen=True)
class Recipient:
    """A touchpoint's customer, as she is now."""

    customer_id: int
    channel: str
    """Of the message."""
    language: str | None
    """Of the message; hers where that is not known."""
    sent_at: datetime | None
    addresses: Mapping[str, str]
    """By channel, where she can be written to at all."""


def recipient_of(connection: Connection, touchpoint_id: int) -> Recipient | None:
    """Whom a message went to; nothing when the touchpoint is not there any more."""
    row = connection.execute(
        select(
            CUSTOMER.c.id,
            CUSTOMER.c.email,
            CUSTOMER.c.phone,
            TOUCHPOINT.c.channel,
            func.coalesce(TOUCHPOINT.c.language, CUSTOMER.c.language).label("language"),
            TOUCHPOINT.c.sent_at,
        )
        .join(CUSTOMER, CUSTOMER.c.id == TOUCHPOINT.c.customer_id)
        .where(TOUCHPOINT.c.id == touchpoint_id)
    ).one_or_none()
    if row is None:
        return None
    return Recipient(row.id, row.channel, row.language, row.sent_at, _addresses(row))


def addresses_of(connection: Connection, customer_id: int) -> dict[str, str]:
    """By channel, where a customer can be written to at all."""
    row = connection.execute(
        select(CUSTOMER.c.email, CUSTOMER.c.phone).where(CUSTOMER.c.id == customer_id)
    ).one()
    return _addresses(row)


def _addresses(row: Row[Any]) -> dict[str, str]:
    found = {channel: getattr(row, column) for channel, column in ADDRESS_COLUMN.items()}
    return {channel: address for channel, address in found.items() if address}

"""What came of a mail that came back: for whoever asks, and before an address is given up."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Integer, cast, func, select

from crm_store.event_names import EMAIL_COMPLAINED
from crm_store.models.customer import Customer
from crm_store.models.event import Event
from crm_store.models.touchpoint import Touchpoint
from crm_store.reasons import Reason
from crm_store.tables import table_of

_CUSTOMER = table_of(Customer)
_EVENT = table_of(Event)
_TOUCHPOINT = table_of(Touchpoint)


def has_email(connection: Connection, customer_id: int, address: str | None) -> bool:
    """Whether this is her address at present; `address` as the store writes it."""
    hers = select(_CUSTOMER.c.email).where(_CUSTOMER.c.id == customer_id)
    return address is not None and connection.scalar(hers) == address


@dataclass(frozen=True)
class Became:
    """What one fact of a message became in the store."""

    fact: str
    """The fact's own source id."""
    event: str
    data: dict[str, Any]
    customer: str
    """Her reference."""
    touchpoint_id: int | None
    state: str | None
    """The touchpoint's, as it is now."""

    @property
    def takes_address_out(self) -> bool:
        """Whether her address is not written to any more because of it."""
        return self.event == EMAIL_COMPLAINED or self.data.get("kind") == Reason.HARD_BOUNCE


def what_became(
    connection: Connection, club_id: int, source: str, prefixes: Sequence[str]
) -> list[Became]:
    """The events of `source` whose own ids begin with one of `prefixes`, all of one length.

    With the touchpoint of each; oldest first.
    """
    if not prefixes:
        return []
    beginning = func.substr(_EVENT.c.source_id, 1, len(prefixes[0]))
    rows = connection.execute(
        select(
            _EVENT.c.source_id,
            _EVENT.c.name,
            _EVENT.c.data,
            _CUSTOMER.c.ref,
            _TOUCHPOINT.c.id,
            _TOUCHPOINT.c.state,
        )
        .join(_CUSTOMER, _CUSTOMER.c.id == _EVENT.c.customer_id)
        .outerjoin(
            _TOUCHPOINT, _TOUCHPOINT.c.id == cast(_EVENT.c.data["touchpoint"].as_string(), Integer)
        )
        .where(_CUSTOMER.c.club_id == club_id, _EVENT.c.source == source, beginning.in_(prefixes))
        .order_by(_EVENT.c.id)
    )
    return [Became(row[0].rpartition(":")[0], *row[1:]) for row in rows]

"""Which campaigns were there before a renewal or a purchase: first touch and last touch.

A touch is a message that left within the window before the goal. Nothing is said about cause:
whoever would have renewed anyway counts as well; a holdout tells what a campaign has added.
Neither opens nor clicks are looked at, for machines do both.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import Any

from sqlalchemy import Column, Connection, Table, and_, func, literal, select

from crm_store.models.activity import Purchase
from crm_store.models.event import Event
from crm_store.models.touchpoint import State
from crm_store.scope import CUSTOMER
from crm_store.tables import table_of
from crm_store.touchpoints import TOUCHPOINT

_EVENT, _PURCHASE = table_of(Event), table_of(Purchase)
_REACHED = (State.ACCEPTED, State.DELIVERED, State.COMPLAINED)
WINDOW = timedelta(days=30)


@dataclass
class Credit:
    """What is put down to one campaign. Amounts are in the club's currency."""

    campaign: str | None
    """None for goals before which no message had left."""
    first: int = 0
    """Goals for which its message was the first in the window."""
    last: int = 0
    """Goals for which it was the last one before."""
    first_amount: Decimal = Decimal(0)
    last_amount: Decimal = Decimal(0)


@dataclass(frozen=True)
class Goals:
    """What counts as a goal: events of these names, and purchases, in a span of time."""

    since: datetime
    until: datetime
    """Not in the span itself."""
    events: Sequence[str] = ()
    purchases: bool = False


def attribution(
    connection: Connection, club_id: int, goals: Goals, window: timedelta = WINDOW
) -> list[Credit]:
    """Credit for each goal, the most last touches first.

    Each counts once as a first and once as a last touch, whatever the number of messages before
    it: the sums over all credits, that of no campaign too, are the number of goals.
    """
    credits: dict[str | None, Credit] = {}
    for first, last, amount in _touched(connection, club_id, goals, window):
        earliest = credits.setdefault(first, Credit(first))
        earliest.first += 1
        earliest.first_amount += amount
        latest = credits.setdefault(last, Credit(last))
        latest.last += 1
        latest.last_amount += amount
    return sorted(credits.values(), key=lambda one: (-one.last, -one.first, one.campaign or ""))


def messages_sent(
    connection: Connection, club_id: int, since: datetime, until: datetime
) -> dict[str, int]:
    """How many messages of each campaign left in the span."""
    rows = connection.execute(
        select(TOUCHPOINT.c.campaign, func.count())
        .join(CUSTOMER, CUSTOMER.c.id == TOUCHPOINT.c.customer_id)
        .where(
            CUSTOMER.c.club_id == club_id,
            TOUCHPOINT.c.state.in_(_REACHED),
            TOUCHPOINT.c.sent_at >= since,
            TOUCHPOINT.c.sent_at < until,
        )
        .group_by(TOUCHPOINT.c.campaign)
    )
    return {row[0]: row[1] for row in rows}


Touched = tuple[str | None, str | None, Decimal]
"""The campaigns of the first and of the last message before a goal, and its amount."""


def _touched(
    connection: Connection, club_id: int, goals: Goals, window: timedelta
) -> Iterator[Touched]:
    if goals.events:
        is_one = _EVENT.c.name.in_(goals.events)
        yield from _each(connection, club_id, goals, window, _EVENT, _EVENT.c.occurred_at, is_one)
    if goals.purchases:
        when = _PURCHASE.c.purchased_at
        yield from _each(connection, club_id, goals, window, _PURCHASE, when, literal(True))


def _each(
    connection: Connection,
    club_id: int,
    goals: Goals,
    window: timedelta,
    table: Table,
    when: Column[Any],
    is_one: Any,
) -> Iterator[Touched]:
    """Each goal of a table with the messages before it, in the order in which they left."""
    amount = table.c.amount if "amount" in table.c else literal(0)
    rows = connection.execute(
        select(table.c.id, when, amount, TOUCHPOINT.c.campaign, TOUCHPOINT.c.sent_at)
        .select_from(table)
        .join(CUSTOMER, CUSTOMER.c.id == table.c.customer_id)
        .outerjoin(
            TOUCHPOINT,
            and_(
                TOUCHPOINT.c.customer_id == table.c.customer_id,
                TOUCHPOINT.c.sent_at >= goals.since - window,
                TOUCHPOINT.c.sent_at <= when,
                TOUCHPOINT.c.state.in_(_REACHED),
            ),
        )
        .where(CUSTOMER.c.club_id == club_id, is_one, when >= goals.since, when < goals.until)
        .order_by(table.c.id, TOUCHPOINT.c.sent_at, TOUCHPOINT.c.id)
    )
    for _, of_one in groupby(rows, key=lambda row: row[0]):
        found = list(of_one)
        reached_at, worth = found[0][1], Decimal(found[0][2])
        campaigns = [
            campaign
            for _, _, _, campaign, sent_at in found
            if sent_at is not None and sent_at >= reached_at - window
        ]
        yield (campaigns[0], campaigns[-1], worth) if campaigns else (None, None, worth)

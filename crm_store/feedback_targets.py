"""Which touchpoint a report is about: by what names it, else by her address if only one can be."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Connection, Row, Select, bindparam, or_, select

from crm_store.columns import UtcDateTime
from crm_store.consents import ADDRESS_COLUMN
from crm_store.models.consent import Cause
from crm_store.models.touchpoint import TAKEN, State
from crm_store.reasons import Reason
from crm_store.scope import CUSTOMER
from crm_store.touchpoints import TOUCHPOINT

WINDOW = timedelta(days=3)
"""How long before a report its message can have left, when only the address says which it was."""
_CLOCKS_DIFFER = timedelta(minutes=10)


@dataclass(frozen=True)
class Told:
    """One fact about one recipient, in the ledger's words."""

    event: str
    """One of `event_names.TOLD_AFTERWARDS`."""
    channel: str
    source: str
    """Who tells it: a provider's name."""
    source_id: str
    """The same fact told twice has the same one; no address is in it."""
    occurred_at: datetime
    moves_to: tuple[State, Reason | None] | None = None
    """A key of `feedback.RANKS`, if it moves the touchpoint."""
    cause: Cause | None = None
    """Why her address is not to be written to any more, if so."""
    touchpoint_id: int | None = None
    """Where the report itself names it, in a return path of ours."""
    message_id: str | None = None
    provider_ref: str | None = None
    address: str | None = None
    """Normalised."""
    status: str = ""
    detail: str = ""


@dataclass(frozen=True)
class Found:
    """The touchpoint that a report is about."""

    id: int
    customer_id: int
    campaign: str
    step: str
    sent_at: datetime | None


@dataclass(frozen=True)
class Several:
    """More than one touchpoint may be meant; a later report may tell."""


Target = Found | Several | None


def find_all(connection: Connection, club_id: int, told: Sequence[Told]) -> list[Target]:
    """The touchpoint that each report is about; `None` for one that is about none of ours."""
    by_id = _rows(connection, club_id, "id", (one.touchpoint_id for one in told))
    by_message = _rows(connection, club_id, "message_id", (one.message_id for one in told))
    references = (spelt for one in told for spelt in _spellings(one.provider_ref))
    by_reference = _rows(connection, club_id, "provider_ref", references)
    found: list[Target] = []
    for one in told:
        rows = by_id.get(one.touchpoint_id) or by_message.get(one.message_id)
        for spelt in _spellings(one.provider_ref):
            rows = rows or by_reference.get(spelt)
        if rows:
            found.append(_hers(rows, one))
        # A Message-ID that is not ours is that of another program's mail; but some providers
        # give a mail an id of their own making in that form.
        elif one.address and one.message_id in (None, one.provider_ref):
            found.append(_lately(connection, club_id, one))
        else:
            found.append(None)
    return found


def with_address(connection: Connection, club_id: int, told: Told) -> list[int]:
    """The customers of the club who have the address that a report names."""
    if told.address is None:
        return []
    asked = {"address": told.address, "club_id": club_id}
    return list(connection.execute(_WHO_HAS[kind_of(told.channel)], asked).scalars())


def kind_of(channel: str) -> str:
    """The channel by whose kind of address she is known: all but e-mail go by the phone number."""
    return channel if channel in ADDRESS_COLUMN else "sms"


def _rows(
    connection: Connection, club_id: int, column: str, values: Iterable[Any]
) -> dict[Any, list[Row[Any]]]:
    """The touchpoints whose column has one of the values, by the value."""
    wanted = {value for value in values if value}
    found: dict[Any, list[Row[Any]]] = {}
    if wanted:
        asked = {"club_id": club_id, "values": sorted(wanted)}
        for row in connection.execute(_BY[column], asked):
            found.setdefault(row.named, []).append(row)
    return found


def _hers(rows: Sequence[Row[Any]], told: Told) -> Found | None:
    """Of several touchpoints with one id, that of the recipient: providers' ids may be of a mail
    to many."""
    rows = [row for row in rows if row.channel == told.channel]
    hers = [row for row in rows if told.address in (row.email, row.phone)]
    chosen = hers if len(rows) > 1 else rows
    return Found(*chosen[0][:5]) if len(chosen) == 1 else None


def _lately(connection: Connection, club_id: int, told: Told) -> Target:
    asked = {
        "club_id": club_id,
        "channel": told.channel,
        "address": told.address,
        "since": told.occurred_at - WINDOW,
        "until": told.occurred_at + _CLOCKS_DIFFER,
        "is_named": told.provider_ref is not None,
    }
    rows = connection.execute(_LATELY[kind_of(told.channel)], asked).all()
    if len(rows) > 1:
        return Several()
    return Found(*rows[0][:5]) if rows else None


def _spellings(reference: str | None) -> tuple[str, ...]:
    """A provider's id with and without angle brackets: providers write it both ways."""
    if not reference:
        return ()
    bare = reference.strip("<>")
    return (bare, f"<{bare}>")


# Built once: SQLAlchemy then finds the compiled form by identity.
def _touchpoints(*conditions: ColumnElement[bool]) -> Select[Any]:
    return (
        select(
            TOUCHPOINT.c.id,
            TOUCHPOINT.c.customer_id,
            TOUCHPOINT.c.campaign,
            TOUCHPOINT.c.step,
            TOUCHPOINT.c.sent_at,
            TOUCHPOINT.c.channel,
            CUSTOMER.c.email,
            CUSTOMER.c.phone,
        )
        .join(CUSTOMER, CUSTOMER.c.id == TOUCHPOINT.c.customer_id)
        .where(CUSTOMER.c.club_id == bindparam("club_id"), *conditions)
    )


def _by_channel(make: Callable[[ColumnElement[bool]], Select[Any]]) -> Mapping[str, Select[Any]]:
    return {
        channel: make(CUSTOMER.c[column] == bindparam("address"))
        for channel, column in ADDRESS_COLUMN.items()
    }


_BY = {
    name: _touchpoints(TOUCHPOINT.c[name].in_(bindparam("values", expanding=True))).add_columns(
        TOUCHPOINT.c[name].label("named")
    )
    for name in ("id", "message_id", "provider_ref")
}
_LATELY = _by_channel(
    lambda hers: _touchpoints(
        hers,
        TOUCHPOINT.c.channel == bindparam("channel"),
        TOUCHPOINT.c.state.in_(TAKEN),
        TOUCHPOINT.c.sent_at.between(
            bindparam("since", type_=UtcDateTime), bindparam("until", type_=UtcDateTime)
        ),
        # One whose reference is known was compared with it already.
        or_(bindparam("is_named", type_=Boolean).is_(False), TOUCHPOINT.c.provider_ref.is_(None)),
    ).limit(2)
)
_WHO_HAS = _by_channel(
    lambda hers: select(CUSTOMER.c.id).where(hers, CUSTOMER.c.club_id == bindparam("club_id"))
)

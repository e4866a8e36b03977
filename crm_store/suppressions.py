"""Addresses not to write to, whoever has them. Kept as keyed hashes: nobody can read them back.

So they survive the erasure of a customer, hold for every record with the same address, and for
one that is imported later. The hash is of the channel and the normalised address.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, String, and_, bindparam, delete, or_, select

from crm_store.address_hashes import hashes_with
from crm_store.database import keys_of
from crm_store.given_rows import given_rows
from crm_store.inserting import insert_into
from crm_store.literals import one_of
from crm_store.locks import Lock, hold
from crm_store.models.consent import Cause, Reach, Suppression
from crm_store.tables import table_of

_SUPPRESSION = table_of(Suppression)

Address = tuple[str, str]
"""Channel and normalised address, such as ``("email", "asha@example.org")``."""

LIFTED_BY_HER = (Cause.OPT_OUT, Cause.ERASURE)
"""Causes that end when she herself asks for messages again. The others are not hers to end."""


@dataclass(frozen=True)
class Found:
    """A suppression of an address."""

    reach: str
    cause: str
    source: str
    since: datetime

    @property
    def is_hers(self) -> bool:
        """Whether she herself brought it about, and may end it."""
        return self.cause in LIFTED_BY_HER


def suppress(
    connection: Connection,
    addresses: Iterable[Address],
    *,
    cause: Cause,
    source: str,
    now: datetime,
    reach: Reach = Reach.EVERYTHING,
) -> None:
    """Suppress addresses, from this commit on (promise G5).

    `source` says who or what told it, without an address. A suppression that is there already
    stays, unless the new one reaches further.
    """
    hashed = _hashed(connection, sorted(set(addresses)))
    suppress_hashes(
        connection,
        [(channel, hashes[0]) for (channel, _), hashes in hashed.items()],
        cause=cause,
        source=source,
        now=now,
        reach=reach,
    )


def suppress_hashes(
    connection: Connection,
    hashes: Iterable[tuple[str, str]],
    *,
    cause: Cause,
    source: str,
    now: datetime,
    reach: Reach,
) -> None:
    """The same for (channel, hash): a signed link knows no more of an address."""
    rows = [
        {
            "channel": channel,
            "address_hash": hashed,
            "reach": reach,
            "cause": cause,
            "source": source,
            "created_at": now,
        }
        for channel, hashed in hashes
    ]
    if not rows:
        return
    hold(connection, Lock.PERMISSION)
    statement = insert_into(connection, _SUPPRESSION)
    new = statement.excluded
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=["address_hash"],
            set_={name: new[name] for name in ("reach", "cause", "source", "created_at")},
            where=and_(new.reach == Reach.EVERYTHING, _SUPPRESSION.c.reach == Reach.MARKETING),
        ),
        rows,
    )


def suppressions(connection: Connection, addresses: Iterable[Address]) -> dict[Address, Found]:
    """Those of the addresses that are suppressed, and how."""
    hashed = _hashed(connection, addresses)
    rows = connection.execute(
        _LOOK_UP, {"hashes": [one for hashes in hashed.values() for one in hashes]}
    )
    found = {row[0]: Found(*row[1:]) for row in rows}
    if not found:
        return {}
    return {
        address: found[one] for address, hashes in hashed.items() for one in hashes if one in found
    }


_LOOK_UP = select(
    _SUPPRESSION.c.address_hash,
    _SUPPRESSION.c.reach,
    _SUPPRESSION.c.cause,
    _SUPPRESSION.c.source,
    _SUPPRESSION.c.created_at,
).where(_SUPPRESSION.c.address_hash.in_(bindparam("hashes", expanding=True)))


def any_suppressed(reaches: Sequence[Reach]) -> ColumnElement[bool]:
    """Whether any of the `hashes` (`as_rows`) is suppressed, as a part of another statement."""
    asked = select(given_rows("hashes", hash=String()).c.hash)
    return (
        select(_SUPPRESSION.c.id)
        .where(_SUPPRESSION.c.address_hash.in_(asked), one_of(_SUPPRESSION.c.reach, reaches))
        .exists()
    )


def lift(connection: Connection, addresses: Iterable[Address]) -> None:
    """End what she herself brought about, because she herself asks for messages again."""
    hashes = [one for hashes in _hashed(connection, addresses).values() for one in hashes]
    connection.execute(
        delete(_SUPPRESSION).where(
            _SUPPRESSION.c.address_hash.in_(hashes),
            or_(*(_SUPPRESSION.c.cause == cause for cause in LIFTED_BY_HER)),
        )
    )


def hashes_of(connection: Connection, addresses: Iterable[Address]) -> list[str]:
    """The hashes by which addresses may be found, of every key that the store has."""
    return [one for hashes in _hashed(connection, addresses).values() for one in hashes]


def address_hash(connection: Connection, address: Address) -> str:
    """The hash under which an address is kept, in hexadecimal digits."""
    return _hashed(connection, [address])[address][0]


def _hashed(connection: Connection, addresses: Iterable[Address]) -> dict[Address, list[str]]:
    """By address: its hash with each key, that of the newest first."""
    hashes = hashes_with(keys_of(connection))
    return {address: [one.hex() for one in hashes.all_of(*address)] for address in addresses}

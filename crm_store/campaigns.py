"""Campaign versions: what a file said when customers entered under it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from crm_store.inserting import insert_new
from crm_store.models.campaign import CampaignVersion
from crm_store.tables import table_of

_VERSION = table_of(CampaignVersion)


@dataclass(frozen=True)
class VersionRow:
    """One stored version of a campaign."""

    id: int
    campaign: str
    version: int
    definition: dict[str, Any]


def keep_version(
    connection: Connection, *, campaign: str, digest: str, definition: dict[str, Any], now: datetime
) -> VersionRow:
    """The version with this digest; made when the file is new or has changed."""
    # Two schedulers may meet a new file at the same moment: the second takes what the first made.
    while (known := _version_with(connection, campaign, digest)) is None:
        last = connection.execute(
            select(func.coalesce(func.max(_VERSION.c.version), 0)).where(
                _VERSION.c.campaign == campaign
            )
        ).scalar_one()
        connection.execute(
            insert_new(connection, _VERSION).values(
                campaign=campaign,
                version=last + 1,
                digest=digest,
                definition=definition,
                created_at=now,
            )
        )
    return known


def _version_with(connection: Connection, campaign: str, digest: str) -> VersionRow | None:
    row = connection.execute(
        select(_VERSION).where(_VERSION.c.campaign == campaign, _VERSION.c.digest == digest)
    ).one_or_none()
    return None if row is None else VersionRow(row.id, campaign, row.version, row.definition)


def versions_by_id(connection: Connection, ids: Iterable[int]) -> dict[int, VersionRow]:
    """Stored versions by their id."""
    rows = connection.execute(select(_VERSION).where(_VERSION.c.id.in_(list(ids))))
    return {row.id: VersionRow(row.id, row.campaign, row.version, row.definition) for row in rows}

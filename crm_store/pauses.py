"""The red button: what is paused sends nothing, from the next message on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, select

from crm_store.inserting import insert_new
from crm_store.models.operation import EVERYTHING, Pause
from crm_store.tables import table_of

_PAUSE = table_of(Pause)


@dataclass(frozen=True)
class Paused:
    """One pause; `campaign` is ``*`` when it is of everything."""

    campaign: str
    reason: str
    since: datetime


def is_paused(campaign: ColumnElement[Any] | str) -> ColumnElement[bool]:
    """Whether the campaign, or everything, is paused: looked at wherever sending is decided."""
    return (
        select(_PAUSE.c.campaign)
        .where((_PAUSE.c.campaign == campaign) | (_PAUSE.c.campaign == EVERYTHING))
        .correlate_except(_PAUSE)
        .exists()
    )


def pause(connection: Connection, campaign: str, reason: str, now: datetime) -> bool:
    """Pause a campaign, or everything with ``*``; False when it is paused already."""
    made = connection.execute(
        insert_new(connection, _PAUSE)
        .values(campaign=campaign, reason=reason, since=now)
        .returning(_PAUSE.c.campaign)
    )
    return made.first() is not None


def resume(connection: Connection, campaign: str) -> bool:
    """Take this pause back; False when there is none."""
    return connection.execute(delete(_PAUSE).where(_PAUSE.c.campaign == campaign)).rowcount > 0


def pauses(connection: Connection) -> list[Paused]:
    """What is paused, the longest first."""
    rows = connection.execute(
        select(_PAUSE.c.campaign, _PAUSE.c.reason, _PAUSE.c.since).order_by(_PAUSE.c.since)
    )
    return [Paused(*row) for row in rows]

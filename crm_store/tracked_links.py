"""Counted links: where each leads, and that somebody followed it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from crm_store import events
from crm_store.event_names import EMAIL_CLICKED, LINK_CLICKED, LINK_SCANNED
from crm_store.feedback import MACHINE, WHO, is_machine
from crm_store.inserting import insert_new
from crm_store.models.tracked_link import TrackedLink
from crm_store.tables import table_of
from crm_store.touchpoints import TOUCHPOINT

_LINK = table_of(TrackedLink)
SOURCE = "link"


@dataclass(frozen=True)
class Target:
    """A stored link."""

    id: int
    url: str


def keep_links(
    connection: Connection, campaign: str, urls: Sequence[str], now: datetime
) -> list[int]:
    """The ids of a campaign's links, in the order of `urls`; new ones are stored."""
    if not urls:
        return []
    rows = [{"campaign": campaign, "url": url, "created_at": now} for url in sorted(set(urls))]
    connection.execute(insert_new(connection, _LINK), rows)
    found = connection.execute(
        select(_LINK.c.url, _LINK.c.id).where(_LINK.c.campaign == campaign, _LINK.c.url.in_(urls))
    )
    ids = {row.url: row.id for row in found}
    return [ids[url] for url in urls]


def target_of(connection: Connection, link_id: int) -> Target | None:
    """Where a link leads; nothing when there is none of this id."""
    row = connection.execute(select(_LINK.c.id, _LINK.c.url).where(_LINK.c.id == link_id)).first()
    return Target(row.id, row.url) if row is not None else None


def record_click(connection: Connection, target: Target, touchpoint_id: int, now: datetime) -> bool:
    """Record that a machine or a person followed a link of a message; False if that is known.

    The first time counts, and what surely was a machine by itself. Of a message that is not there
    any more nothing is recorded.
    """
    touch = connection.execute(
        select(
            TOUCHPOINT.c.customer_id,
            TOUCHPOINT.c.campaign,
            TOUCHPOINT.c.step,
            TOUCHPOINT.c.channel,
            TOUCHPOINT.c.sent_at,
        ).where(TOUCHPOINT.c.id == touchpoint_id)
    ).first()
    if touch is None:
        return False
    scanned = is_machine(touch.sent_at, now)
    data = {
        "touchpoint": touchpoint_id,
        "campaign": touch.campaign,
        "step": touch.step,
        "url": target.url,
        "who": MACHINE if scanned else WHO,
    }
    names = [LINK_SCANNED] if scanned else [LINK_CLICKED]
    if touch.channel == "email" and not scanned:
        names.append(EMAIL_CLICKED)
    made = [
        events.record(
            connection,
            customer_id=touch.customer_id,
            name=name,
            data=data,
            source=SOURCE,
            source_id=f"{name}:{touchpoint_id}:{target.id}",
            occurred_at=now,
            now=now,
        )
        for name in names
    ]
    return made[0] is not None

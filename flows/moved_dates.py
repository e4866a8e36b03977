"""A date was moved: who is inside a campaign that counts from it goes along, or leaves."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection

from crm_store import moved_dates
from crm_store.asked import Asked
from crm_store.dates import DAY
from crm_store.enrollments import DueEnrollment
from flows.campaigns import RunningCampaign, version_of
from flows.engine import Engine
from triggers.definition import CampaignDefinition
from triggers.kinds.birthday import Birthday
from triggers.kinds.date import Date
from triggers.timeline import birthday_in


class Moved(NamedTuple):
    """An enrollment whose date is another one now."""

    id: int
    occurrence: str
    to: date
    overtaken: bool
    """It cannot go along: the customer has entered for the other day already."""


def wake_moved(
    engine: Engine, campaign: RunningCampaign, versions: Sequence[int], now: datetime
) -> None:
    """Have `advance` look at those in a campaign whose date was moved, before anybody is admitted.

    `versions` are those under which somebody is in it. Terms are looked after elsewhere, for all
    campaigns at once.
    """
    if _counts_from(campaign.current.definition) is None:
        return
    for version_id in versions:
        definition = version_of(campaign, version_id, engine.store, engine.catalogue).definition
        among = moved_dates.inside(engine.club_id, campaign.slug, version_id)
        engine.store.transact(_wake, definition, among, now)


def _wake(
    connection: Connection,
    definition: CampaignDefinition,
    among: Asked[ColumnElement[bool]],
    now: datetime,
) -> None:
    moved = moved_among(connection, definition, among)
    moved_dates.wake_these(connection, sorted(one.id for one in moved), now)


def moved_in(
    connection: Connection, definition: CampaignDefinition, batch: Sequence[DueEnrollment]
) -> dict[int, Moved]:
    """Those of a batch whose date was moved, by their id."""
    among = moved_dates.these([one.id for one in batch])
    return {one.id: one for one in moved_among(connection, definition, among)}


def moved_among(
    connection: Connection, definition: CampaignDefinition, among: Asked[ColumnElement[bool]]
) -> list[Moved]:
    """Those of the enrollments whose date was moved; who goes along has the new occasion by now."""
    counted = _counts_from(definition)
    if counted is None:
        return []
    field, yearly = counted
    is_new_occasion = not yearly and not field.startswith("membership.")
    found = []
    for one in moved_dates.other_days(connection, field, among, yearly=yearly):
        to = _day(one.written)
        if to is not None and yearly:
            to = birthday_in(to, one.anchor_on.year)
        if to is None or to == one.anchor_on:
            continue
        occurrence, overtaken = one.occurrence, False
        if is_new_occasion and definition.if_anchor_moves == "follow":
            occurrence = f"{DAY}{one.written}"
            overtaken = not moved_dates.take_over(connection, one.id, occurrence)
        found.append(Moved(one.id, occurrence, to, overtaken))
    return found


def _counts_from(definition: CampaignDefinition) -> tuple[str, bool] | None:
    """The field that a campaign's days come from and may move with, and whether every year.

    Not a package's, of which each new day is another purchase; nor the anniversaries of a term,
    which are those of the next term after a renewal.
    """
    if definition.if_anchor_moves == "stay":
        return None
    match definition.trigger:
        case Birthday():
            return "customer.birth_date", True
        case Date(field=str(field), every=every) if not field.startswith("package."):
            is_term = field.startswith("membership.")
            return None if is_term and every else (field, every is not None)
    return None


def _day(written: str) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None

"""Recording one event: its name, its customer and its data looked over, then written."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from crm_console.moments import read_moment
from crm_console.naming import customer_named, events_of
from crm_store import events
from crm_store.customers import find_customer, stage_of
from crm_store.errors import UsageError
from crm_store.event_names import LEAD_CREATED, STAGE_CHANGED
from crm_store.imports.batch import Purpose
from crm_store.imports.cells import Reading
from crm_store.imports.kinds import customer_columns
from crm_store.leads import keep_lead
from flows.clock import wall_clock
from flows.project import Project, open_club
from triggers.problems import choose_from, nearest

SOURCE = "cli"
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@dataclass(frozen=True)
class Recorded:
    """What became of it; `event_id` is None when this delivery was known already."""

    name: str
    event_id: int | None
    customer_id: int
    customer_made: bool
    campaigns: tuple[str, ...]
    """Campaigns that the event may start or end."""
    broken: tuple[str, ...]
    """Campaigns of which it is not known, their files being broken."""
    nearest: str | None
    """A name that some campaign knows, where none knows this one."""
    misspelt: Mapping[str, str]
    """Keys of a new lead's data that nothing was read from, and the fields they are nearly."""

    def to_json(self) -> dict[str, Any]:
        """The stable form of `event --json`."""
        return asdict(self) | {"campaigns": list(self.campaigns), "broken": list(self.broken)}


def record_event(
    project: Project,
    name: str,
    *,
    customer: str,
    data: dict[str, Any],
    at: str | None,
    source_id: str | None,
) -> Recorded:
    """Record an event of the customer named `customer`, at a moment as people write it.

    Raises `UsageError` for a name, a moment or data that cannot be taken, `UnknownName` for a
    customer who is not there.
    """
    if not _NAME.fullmatch(name):
        raise UsageError(
            f"{name} cannot be an event's name.",
            "Use small letters and underscores, in the past tense, such as trial_booked.",
        )
    now = wall_clock()
    occurred_at = now if at is None else read_moment(at, project.zone)
    if occurred_at > now:
        raise UsageError(
            f"{at} is still to come.", "An event has happened already: check the date and the zone."
        )
    with open_club(project, wall_clock) as (store, club_id), store.write() as connection:
        known = find_customer(connection, club_id, customer)
        if name == LEAD_CREATED:
            customer_id = _lead(connection, project, club_id, customer, data, now)
        else:
            country = project.settings.club.country
            customer_id = customer_named(connection, club_id, customer, country)
        if name == STAGE_CHANGED:
            data = _move(data, project.settings.pipelines, stage_of(connection, customer_id))
        event_id = events.record(
            connection,
            customer_id=customer_id,
            name=name,
            data=data,
            source=SOURCE,
            source_id=source_id,
            occurred_at=occurred_at,
            now=now,
        )
    files = project.check()
    definitions = [one.definition for one in files if one.definition is not None]
    broken = tuple(one.name for one in files if one.definition is None)
    concerned = tuple(one.campaign for one in definitions if name in events_of(one))
    known_names = {other for one in definitions for other in events_of(one)}
    return Recorded(
        name,
        event_id,
        customer_id,
        customer_made=name == LEAD_CREATED and known is None,
        campaigns=concerned,
        broken=broken,
        nearest=None if concerned or broken else nearest(name, known_names),
        misspelt=_misspelt(data, project) if name == LEAD_CREATED else {},
    )


def _misspelt(data: Iterable[str], project: Project) -> dict[str, str]:
    known = {column.name for column in customer_columns(project.catalogue)}
    near = {key: nearest(key, known, cutoff=0.8) for key in data if key not in known}
    return {key: field for key, field in near.items() if field is not None}


def _lead(
    connection: Connection,
    project: Project,
    club_id: int,
    ref: str,
    data: Mapping[str, Any],
    now: datetime,
) -> int:
    zone = project.zone
    reading = Reading(project.settings.club.country, zone, now.astimezone(zone).date())
    purpose = Purpose(club_id, "the event lead_created", now, project.catalogue)
    return keep_lead(connection, ref, data, purpose, reading)


def _move(
    data: Mapping[str, Any],
    pipelines: Mapping[str, tuple[str, ...]],
    before: tuple[str | None, str | None],
) -> dict[str, Any]:
    """The data of a `stage_changed` event, complete: pipeline, from, to."""
    only = next(iter(pipelines)) if len(pipelines) == 1 else ""
    pipeline = str(data.get("pipeline") or only)
    if pipeline not in pipelines:
        raise UsageError(
            f"There is no pipeline {pipeline}." if pipeline else "stage_changed needs a pipeline.",
            f'Write "pipeline" into the data; {choose_from(pipeline, pipelines)}',
        )
    stages = pipelines[pipeline]
    to = data.get("to")
    if to not in stages:
        raise UsageError(
            f"The pipeline {pipeline} has no stage {to}." if to else "stage_changed needs a stage.",
            f'Write "to" into the data: {", ".join(stages)}.',
        )
    was_in, was_at = before
    came_from = {"from": was_at} if was_in == pipeline and was_at else {}
    return {**came_from, **data, "pipeline": pipeline, "to": to}

"""What people did in a simulation, and the same again in the club itself, by its own doors."""

import csv
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import select

from crm_store import events
from crm_store.database import Store
from crm_store.event_names import MEMBERSHIP_RENEWED, VISIT_RECORDED
from crm_store.imports.run import import_file
from crm_store.models.activity import Visit
from crm_store.models.customer import Customer
from crm_store.models.event import Event
from crm_store.models.membership import Membership
from crm_store.tables import table_of
from flows.engine import Engine

_CUSTOMER, _EVENT = table_of(Customer), table_of(Event)
_MEMBERSHIP, _VISIT = table_of(Membership), table_of(Visit)
TERMS = ("Member No", "ref", "plan", "starts_on", "ends_on", "auto_renew")


class Came(NamedTuple):
    at: datetime
    ref: str


class Did(NamedTuple):
    at: datetime
    ref: str
    name: str


@dataclass
class Lives:
    """What is still to come, in its order."""

    visits: deque[Came]
    deeds: deque[Did]


def lives_in(simulated: Store, since: datetime) -> Lives:
    """What everyone did after `since`, as the simulation's copy holds it."""
    with simulated.read() as connection:
        did = connection.execute(
            select(_EVENT.c.occurred_at, _CUSTOMER.c.ref, _EVENT.c.name)
            .join(_CUSTOMER, _CUSTOMER.c.id == _EVENT.c.customer_id)
            .where(_EVENT.c.source == "simulation")
            .order_by(_EVENT.c.occurred_at, _EVENT.c.id)
        )
        deeds = deque(Did(*row) for row in did)
        came = connection.execute(
            select(_VISIT.c.visited_at, _CUSTOMER.c.ref)
            .join(_CUSTOMER, _CUSTOMER.c.id == _VISIT.c.customer_id)
            .where(_VISIT.c.visited_at > since)
            .order_by(_VISIT.c.visited_at, _VISIT.c.id)
        )
        told = {(one.at, one.ref) for one in deeds if one.name == VISIT_RECORDED}
        visits = deque(Came(*row) for row in came if tuple(row) not in told)
    return Lives(visits, deeds)


def live_until(lives: Lives, now: datetime, engine: Engine, folder: Path) -> None:
    """Visits come by the turnstile's file, renewals by the export, the rest as events.

    What somebody does is known at its moment, who came by the next sweep.
    """
    while lives.deeds and lives.deeds[0].at <= now:
        at = lives.deeds[0].at
        together = _taken(lives.deeds, at)
        _renew(engine, [one.ref for one in together if one.name == MEMBERSHIP_RENEWED], at, folder)
        _tell(engine, [one for one in together if one.name != MEMBERSHIP_RENEWED])
    if came := _taken(lives.visits, now):
        rows = [(one.ref, one.at.isoformat()) for one in came]
        _import(engine, "visits", folder, ("Member No", "visited_at"), rows, now)


OneOf = TypeVar("OneOf", Came, Did)


def _taken(coming: deque[OneOf], until: datetime) -> Sequence[OneOf]:
    taken = list(takewhile(lambda one: one.at <= until, coming))
    for _ in taken:
        coming.popleft()
    return taken


def _tell(engine: Engine, deeds: Sequence[Did]) -> None:
    with engine.store.read() as connection:
        known = connection.execute(select(_CUSTOMER.c.ref, _CUSTOMER.c.id))
        ids = {row.ref: row.id for row in known}
    with engine.store.write() as connection:
        for one in deeds:
            events.record(
                connection,
                customer_id=ids[one.ref],
                name=one.name,
                source="till",
                occurred_at=one.at,
                now=one.at,
            )


def _renew(engine: Engine, refs: Sequence[str], at: datetime, folder: Path) -> None:
    """The next term of each is like the last."""
    if not refs:
        return
    with engine.store.read() as connection:
        terms = connection.execute(
            select(_MEMBERSHIP, _CUSTOMER.c.ref.label("whose"))
            .join(_CUSTOMER, _CUSTOMER.c.id == _MEMBERSHIP.c.customer_id)
            .order_by(_MEMBERSHIP.c.ends_on)
        ).mappings()
        latest: Mapping[str, Any] = {term["whose"]: term for term in terms}
    rows = []
    for ref in refs:
        term = latest[ref]
        starts_on = term["ends_on"] + timedelta(days=1)
        ends_on = starts_on + (term["ends_on"] - term["starts_on"])
        auto_renew = "yes" if term["auto_renew"] else "no"
        rows.append((ref, term["ref"], term["plan"], starts_on, ends_on, auto_renew))
    _import(engine, "memberships", folder, TERMS, rows, at)


def _import(
    engine: Engine,
    kind: str,
    folder: Path,
    headings: Sequence[str],
    rows: Sequence[Iterable[Any]],
    now: datetime,
) -> None:
    path = folder / f"{kind}.csv"
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([headings, *rows])
    result = import_file(
        engine.store, kind, path, club_id=engine.club_id, catalogue=engine.catalogue, now=now
    )
    if (result.added, result.rejected) != (len(rows), []):
        raise AssertionError(f"of {len(rows)} {kind}, {result.added} came in")

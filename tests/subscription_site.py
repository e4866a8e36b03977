"""The pages behind a message's links, and a customer who got the message."""

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import httpx
from making import (
    NOW,
    make_club,
    make_customer,
    make_enrollment,
    make_touchpoint,
    make_version,
    rows_of,
)
from public_site import public_project, public_site

from crm_messaging.links import Holder, Links, Purpose
from crm_messaging.message_links import PATHS
from crm_store.consents import standing
from crm_store.database import Store
from crm_store.models.consent import Consent, ConsentRecord, Suppression
from crm_store.suppressions import suppressions

ASHA, PHONE = "asha@example.org", "+919876500001"
TOPICS = (
    "topics: {news: {title: {en: Club news, ru: Новости клуба}}, offers: ,"
    " bookings: {transactional: true, title: {en: Your bookings}}}\n"
)


@dataclass
class Clock:
    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Site:
    """A club's site, and a message that Asha got."""

    store: Store
    client: httpx.AsyncClient
    clock: Clock
    asha: int
    touchpoint: int

    @property
    def links(self) -> Links:
        return Links(self.store.keys)

    def path(
        self, purpose: Purpose, *, address: str = ASHA, channel: str = "email", touchpoint: int = 0
    ) -> str:
        holder = Holder(touchpoint or self.touchpoint, self.links.address_hash(channel, address))
        return f"{PATHS[purpose]}/{self.links.token(purpose, holder, NOW)}"

    async def get(self, path: str, **more: str) -> str:
        answer = await self.client.get(path, headers=more)
        assert answer.status_code == 200, answer.text
        return answer.text

    async def post(self, path: str, *, data: Iterable[tuple[str, str]] = (), **more: str) -> str:
        body = httpx.QueryParams(list(data)).__str__()
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        answer = await self.client.post(path, content=body, headers=kind | more)
        assert answer.status_code == 200, answer.text
        return answer.text

    def standing(self, customer: int = 0) -> dict[tuple[str, str], bool]:
        with self.store.read() as connection:
            return standing(connection, customer or self.asha)

    def is_out(self, address: str = ASHA, channel: str = "email") -> bool:
        with self.store.read() as connection:
            return bool(suppressions(connection, [(channel, address)]))

    def everything(self) -> list[list[tuple[object, ...]]]:
        return [rows_of(self.store, table) for table in (Consent, ConsentRecord, Suppression)]


@asynccontextmanager
async def a_site(store: Store, folder: Path, more: str = "", **hers: str) -> AsyncIterator[Site]:
    project = public_project(folder / "club", more, topics=TOPICS)
    club = make_club(store)
    asha = make_customer(store, **{"email": ASHA, "phone": PHONE} | hers)
    touchpoint = make_touchpoint(
        store,
        asha,
        make_enrollment(store, asha, make_version(store)),
        state="accepted",
        sent_at=NOW - timedelta(hours=1),
    )
    clock = Clock()
    async with public_site(project, store, club, clock=clock) as client:
        yield Site(store, client, clock, asha, touchpoint)

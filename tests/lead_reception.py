"""A club whose forms are open, and how senders prove themselves to it."""

import base64
import hashlib
import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from engines import Workshop, workshop
from making import NOW, rows_of
from public_site import public_project, public_site

from crm_store.database import Store
from crm_store.models.customer import Customer
from crm_store.models.event import Event
from flows.inbox import handle_inbox
from flows.leads.readers import lead_readers

SHARED = Path(__file__).parents[2] / "shared" / "data"
SECRET = "a secret of the form's own"
BASE = "https://crm.lotus.example"
FORMS = """
public: {base_url: https://crm.lotus.example}
pipelines: {sales: [new, trial_booked, member]}
forms:
  quiz: {kind: typeform, map: {first_name: What's your name?}}
  sheet: {kind: google_forms, source: google}
  site: {kind: tilda, source: site}
  ads: {kind: google_ads, source: google-ads}
  facebook: {kind: meta, source: facebook}
  any:
    kind: json
    id: lead.id
    map: {first_name: lead.name, phone: lead.phones.0, email: lead.mail}
  hub: {kind: hubspot, pipeline: sales, stages: {lead: new, opportunity: trial_booked}}
  pipe: {kind: pipedrive, pipeline: sales, stages: {'1': trial_booked}}
  trial-signup:
    kind: hosted
    title: A free trial
    fields: [first_name, phone, email]
    consent: {text: I want the club's news., version: '2', channels: [email, sms], topic: news}
"""
NAMES = ("quiz", "sheet", "site", "ads", "facebook", "any", "hub", "pipe")


@dataclass
class Reception:
    """A club whose forms are open."""

    club: Workshop
    client: httpx.AsyncClient

    async def read(self) -> None:
        while await handle_inbox(self.club.engine):
            pass

    def customers(self, *columns: str) -> list[tuple[Any, ...]]:
        return rows_of(self.club.store, Customer, *columns)

    def events(self) -> list[str]:
        return [name for (name,) in rows_of(self.club.store, Event, "name")]


@asynccontextmanager
async def opened(store: Store, folder: Path, forms: str = FORMS) -> AsyncIterator[Reception]:
    project = public_project(folder / "project", forms)
    async with workshop(store, folder / "club") as club:
        readers = lead_readers(project.settings.forms, "IN")
        club.engine = replace(club.engine, readers=readers)
        async with public_site(project, store, club.engine.club_id) as client:
            yield Reception(club, client)


def mac(octets: bytes) -> bytes:
    return hmac.digest(SECRET.encode(), octets, hashlib.sha256)


def typeform_headers(body: bytes) -> Mapping[str, str]:
    return {"Typeform-Signature": f"sha256={base64.b64encode(mac(body)).decode()}"}


def meta_headers(body: bytes) -> Mapping[str, str]:
    return {"X-Hub-Signature-256": f"sha256={mac(body).hex()}"}


def hubspot_headers(body: bytes) -> Mapping[str, str]:
    stamp = str(int(NOW.timestamp() * 1000))
    signed = b"POST" + f"{BASE}/in/hub".encode() + body + stamp.encode()
    return {
        "X-HubSpot-Request-Timestamp": stamp,
        "X-HubSpot-Signature-v3": base64.b64encode(mac(signed)).decode(),
    }


BEARER = {"Authorization": f"Bearer {SECRET}"}
BASIC = {"Authorization": "Basic " + base64.b64encode(f"user:{SECRET}".encode()).decode()}
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}

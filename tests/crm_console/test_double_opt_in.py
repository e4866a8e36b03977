"""Double opt-in from the form to the confirmation: what stands in a form is no consent yet."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from engines import Workshop, workshop
from making import NOW, make_enrollment, make_touchpoint, make_version, rows_of
from public_site import public_project, public_site

from crm_messaging.bounces.reading import read_mail
from crm_messaging.links import Holder, Links, Purpose
from crm_store.consents import standing
from crm_store.database import Store
from crm_store.inbox import Taken
from crm_store.models.consent import ConsentRecord
from crm_store.models.customer import Customer
from crm_store.models.event import Event
from crm_store.suppressions import suppressions
from flows.feedback import apply_feedback
from flows.inbox import handle_inbox
from flows.leads.readers import lead_readers
from flows.reading import Reading

FORMS = """
forms:
  trial:
    kind: hosted
    title: A free trial
    fields: [first_name, email, phone]
    consent: {text: I want the club's news., version: '2', channels: [email, sms], topic: news}
"""
EMAIL = "asha@example.org"
GIVEN = {"first_name": "Asha", "email": EMAIL, "phone": "98765 43210", "consent": "yes"}


@dataclass
class Desk:
    club: Workshop
    client: httpx.AsyncClient

    async def take(self) -> int:
        """The form is sent and read; the customer's id."""
        answer = await self.client.post("/in/trial", data=GIVEN)
        assert answer.status_code == 200
        while await handle_inbox(self.club.engine):
            pass
        [(customer,)] = rows_of(self.club.store, Customer, "id")
        return int(customer)

    def message_to(self, customer: int) -> int:
        enrollment = make_enrollment(self.club.store, customer, make_version(self.club.store))
        sent = NOW - timedelta(minutes=1)
        return make_touchpoint(
            self.club.store, customer, enrollment, state="accepted", sent_at=sent
        )

    def standing(self, customer: int) -> dict[tuple[str, str], bool]:
        with self.club.store.read() as connection:
            return standing(connection, customer)


@pytest.fixture
async def desk(store: Store, tmp_path: Path) -> AsyncIterator[Desk]:
    project = public_project(tmp_path / "project", FORMS)
    async with workshop(store, tmp_path / "club") as club:
        readers = lead_readers(project.settings.forms, "IN")
        club.engine = replace(club.engine, readers=readers, double_opt_in=frozenset({"email"}))
        async with public_site(project, store, club.engine.club_id) as client:
            yield Desk(club, client)


async def test_a_form_asks_and_her_click_grants(desk: Desk) -> None:
    asha = await desk.take()
    assert desk.standing(asha) == {("sms", "news"): True}
    assert ("consent_requested", {"channel": "email", "topic": "news"}) in rows_of(
        desk.club.store, Event, "name", "data"
    )
    links = Links(desk.club.store.keys)
    holder = Holder(desk.message_to(asha), links.address_hash("email", EMAIL))
    path = f"/ok/{links.token(Purpose.CONFIRM, holder, NOW)}"
    assert (await desk.client.get(path)).status_code == 200
    assert ("email", "news") not in desk.standing(asha)
    assert (await desk.client.post(path)).status_code == 200
    assert desk.standing(asha) == {("sms", "news"): True, ("email", "news"): True}
    steps = rows_of(desk.club.store, ConsentRecord, "channel", "step", "text_version")
    assert ("email", "requested", "2") in steps
    assert ("email", "granted", "1") in steps


def letter(to: str, subject: str = "unsubscribe") -> bytes:
    return f"From: {EMAIL}\r\nTo: {to}\r\nSubject: {subject}\r\n\r\n\r\n".encode()


@pytest.mark.parametrize(
    ("subject", "by_return_path", "is_out"),
    [
        ("unsubscribe", False, True),
        ("Unsubscribe ", False, True),
        ("unsubscribe", True, False),
        ("Re: your offer", False, False),
    ],
)
async def test_the_mail_that_list_unsubscribe_offers(
    desk: Desk, subject: str, by_return_path: bool, is_out: bool
) -> None:
    """RFC 2369: and whoever knows only a message's return path cannot send one."""
    asha = await desk.take()
    links, touchpoint = Links(desk.club.store.keys), desk.message_to(asha)
    make = links.return_token if by_return_path else links.leave_token
    raw = letter(f"bounce+{make(touchpoint)}@lotus.example", subject)
    with desk.club.store.write() as connection:
        message = Taken(1, "mail", "1", {}, raw, NOW, 1)
        apply_feedback(Reading(connection, desk.club.engine, NOW), message, read_mail(raw))
        found = suppressions(connection, [("email", EMAIL)])
    assert bool(found) == is_out
    assert (desk.standing(asha).get(("email", "*")) is False) == is_out

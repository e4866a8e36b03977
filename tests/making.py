"""Makers of rows for tests: the least that is valid, and whatever the test says itself."""

from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any

from sqlalchemy import Table, select
from sqlmodel import SQLModel

from crm_store.database import Store
from crm_store.keys import KeyRing
from crm_store.models.activity import PackageBalance, Purchase, Visit
from crm_store.models.campaign import CampaignVersion, Enrollment
from crm_store.models.club import Club
from crm_store.models.consent import ANY_TOPIC, Consent, Suppression
from crm_store.models.customer import Customer, CustomerTag
from crm_store.models.event import Event
from crm_store.models.membership import Membership, MembershipFreeze, MembershipStatus
from crm_store.models.touchpoint import Touchpoint
from crm_store.suppressions import address_hash
from crm_store.tables import table_of

SECRET = "the secret key of the tests, and of nobody else"
KEYS = KeyRing(SECRET)
NOW = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)
"""Sunday, 10:30 in the club's own zone."""
TODAY = date(2026, 11, 22)

_serial = count(1)


def make_club(store: Store, **values: Any) -> int:
    """A club in Pune; its id."""
    row = {
        "code": "lotus",
        "name": "Lotus Fitness",
        "timezone": "Asia/Kolkata",
        "country": "IN",
        "language": "en",
        "currency": "INR",
        "website": "https://lotus.example",
        "phone": "+912240001000",
        "address": "12 MG Road, Pune",
        "updated_at": NOW,
    }
    return _insert(store, Club, row | values)


def make_customer(
    store: Store, *, club_id: int | None = None, tags: tuple[str, ...] = (), **values: Any
) -> int:
    """A customer with an address and a number, in `club_id` or the one club; her id."""
    number = next(_serial)
    row = {
        "club_id": club_id or _the_club(store),
        "ref": f"M-{number}",
        "first_name": "Asha",
        "last_name": "Verma",
        "email": f"member{number}@example.org",
        "phone": f"+91987{number:07d}",
        "language": "en",
        "custom": {},
        "created_at": NOW - timedelta(days=400),
        "updated_at": NOW - timedelta(days=400),
    }
    customer = _insert(store, Customer, row | values)
    for tag in tags:
        _insert(store, CustomerTag, {"customer_id": customer, "tag": tag})
    return customer


def make_membership(store: Store, customer_id: int, **values: Any) -> int:
    """An annual term that ends in 30 days; its id."""
    ends_on: date = values.get("ends_on", TODAY + timedelta(days=30))
    row = {
        "customer_id": customer_id,
        "ref": f"T-{customer_id}",
        "plan": "annual",
        "starts_on": ends_on - timedelta(days=364),
        "ends_on": ends_on,
        "auto_renew": False,
        "status": MembershipStatus.ACTIVE,
        "created_at": NOW - timedelta(days=300),
        "updated_at": NOW - timedelta(days=300),
    }
    return _insert(store, Membership, row | values)


def make_freeze(
    store: Store, membership_id: int, starts_on: date, ends_on: date | None = None
) -> int:
    """A span in which the term stands still; its id."""
    row = {"membership_id": membership_id, "starts_on": starts_on, "ends_on": ends_on}
    return _insert(store, MembershipFreeze, row)


def make_visit(store: Store, customer_id: int, visited_at: datetime = NOW) -> int:
    """One visit; its id."""
    return _insert(store, Visit, {"customer_id": customer_id, "visited_at": visited_at})


def make_purchase(store: Store, customer_id: int, **values: Any) -> int:
    """One purchase, today; its id."""
    row = {
        "customer_id": customer_id,
        "ref": f"P-{next(_serial)}",
        "item": "Protein shake",
        "amount": 250,
        "purchased_at": NOW,
    }
    return _insert(store, Purchase, row | values)


def make_package(store: Store, customer_id: int, **values: Any) -> int:
    """Two of her personal trainings are left; the row's id."""
    row = {
        "customer_id": customer_id,
        "package": "pt10",
        "remaining": 2,
        "expires_on": None,
        "updated_at": NOW,
    }
    return _insert(store, PackageBalance, row | values)


def make_event(store: Store, customer_id: int, name: str = "lead_created", **values: Any) -> int:
    """An event not yet handled, now; its id."""
    row = {
        "customer_id": customer_id,
        "name": name,
        "data": {},
        "source": "test",
        "source_id": str(next(_serial)),
        "occurred_at": NOW,
        "recorded_at": NOW,
    }
    return _insert(store, Event, row | values)


def make_consent(store: Store, customer_id: int, **values: Any) -> int:
    """She opted out of all e-mail; the row's id."""
    row = {
        "customer_id": customer_id,
        "channel": "email",
        "topic": ANY_TOPIC,
        "granted": False,
        "source": "test",
        "proof": "",
        "given_at": NOW,
    }
    return _insert(store, Consent, row | values)


def make_suppression(store: Store, channel: str, address: str, **values: Any) -> int:
    """An address never to write to; the row's id."""
    with store.read() as connection:
        hashed = address_hash(connection, (channel, address))
    row = {
        "channel": channel,
        "address_hash": hashed,
        "reach": "everything",
        "cause": "hard_bounce",
        "source": "test",
        "created_at": NOW,
    }
    return _insert(store, Suppression, row | values)


def addresses_of(store: Store, *touchpoints: int) -> dict[int, tuple[str, str]]:
    """Where these touchpoints' customers get e-mail, with the channel before it."""
    emails = dict(rows_of(store, Customer, "id", "email"))
    whose = dict(rows_of(store, Touchpoint, "id", "customer_id"))
    return {one: ("email", emails[whose[one]]) for one in touchpoints}


def rows_of(store: Store, model: type[SQLModel], *columns: str) -> list[tuple[Any, ...]]:
    """All rows of a table in the order of their keys; the named columns, or all."""
    table: Table = table_of(model)
    chosen = [table.c[column] for column in columns] or list(table.c)
    with store.read() as connection:
        query = select(*chosen).order_by(*table.primary_key.columns)
        return [tuple(row) for row in connection.execute(query)]


def _the_club(store: Store) -> int:
    with store.read() as connection:
        found: int | None = connection.scalar(select(table_of(Club).c.id))
    return found or make_club(store)


def _insert(store: Store, model: type[SQLModel], row: dict[str, Any]) -> int:
    with store.write() as connection:
        result = connection.execute(table_of(model).insert().values(**row))
        key = result.inserted_primary_key
        assert key is not None
        return int(key[0])


def make_version(store: Store, campaign: str = "renewal", **values: Any) -> int:
    """A stored version of a campaign; its id."""
    row = {
        "campaign": campaign,
        "version": 1,
        "digest": f"digest-{next(_serial)}",
        "definition": {},
        "created_at": NOW,
    }
    return _insert(store, CampaignVersion, row | values)


def make_enrollment(store: Store, customer_id: int, version_id: int, **values: Any) -> int:
    """She is in the campaign since yesterday, to be looked at now; the row's id."""
    row = {
        "campaign": "renewal",
        "version_id": version_id,
        "customer_id": customer_id,
        "occurrence": f"event:{next(_serial)}",
        "anchor_at": NOW - timedelta(days=1),
        "entered_at": NOW - timedelta(days=1),
        "exits_from": NOW - timedelta(days=1),
        "status": "active",
        "next_at": NOW,
    }
    return _insert(store, Enrollment, row | values)


def make_touchpoint(store: Store, customer_id: int, enrollment_id: int, **values: Any) -> int:
    """A queued e-mail that is due now; the row's id."""
    number = next(_serial)
    row = {
        "enrollment_id": enrollment_id,
        "version_id": 1,
        "campaign": "renewal",
        "customer_id": customer_id,
        "occurrence": "event:1",
        "step": f"step{number}",
        "variant": "",
        "channel": "email",
        "message_id": f"<{number}@lotus.example>",
        "is_marketing": True,
        "state": "queued",
        "detail": "",
        "due_at": NOW,
        "expires_at": NOW + timedelta(hours=36),
        "not_before": NOW,
        "queued_at": NOW,
        "attempts": 0,
        "resends": 0,
        "created_at": NOW,
    }
    return _insert(store, Touchpoint, row | values)

"""Erasing a customer: what identifies her goes; what is counted stays, and that she is let alone.

Her row stays as an empty one, so that memberships, messages and goals of past campaigns still add
up. Her addresses are suppressed by hash: a file that still knows her brings nobody back into a
campaign. Proof of consent stays under that hash, without her.
"""

import re
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Integer, String, cast, delete, func, literal, or_, update

from crm_store.locks import in_order
from crm_store.models.activity import Purchase
from crm_store.models.campaign import Enrollment, EnrollmentStatus
from crm_store.models.consent import Cause, Consent, ConsentRecord
from crm_store.models.customer import Customer, CustomerTag
from crm_store.models.event import Event
from crm_store.models.inbox import InboundMessage
from crm_store.models.membership import Membership, MembershipStatus
from crm_store.models.segment import SegmentStay
from crm_store.models.staff_task import StaffTask
from crm_store.models.touchpoint import WAITING, State, Touchpoint
from crm_store.reasons import Reason
from crm_store.recipients import addresses_of
from crm_store.suppressions import suppress
from crm_store.tables import table_of

SOURCE = "erasure"
_LIKE_SIGN = re.compile(rb"[%_\\]")


def erase(connection: Connection, customer_id: int, now: datetime) -> dict[str, int]:
    """Erase a customer; by table, how many rows were emptied, ended or removed.

    From this commit on nothing is sent to her. Doing it again changes nothing.
    """
    addresses = addresses_of(connection, customer_id)
    suppress(connection, addresses.items(), cause=Cause.ERASURE, source=SOURCE, now=now)
    # In the order of `crm_store.locks`: whoever is at work on her is let finish.
    done = {
        "enrollment": _end_campaigns(connection, customer_id, now),
        "touchpoint": _end_messages(connection, customer_id, now),
        "consent_record": _forget_whose(connection, customer_id),
        "event": _empty_events(connection, customer_id),
        "membership": _empty_memberships(connection, customer_id, now),
        "purchase": _empty_purchases(connection, customer_id),
        "staff_task": _empty_tasks(connection, customer_id, now),
    }
    for model in (Consent, CustomerTag, SegmentStay):
        table = table_of(model)
        gone = connection.execute(delete(table).where(table.c.customer_id == customer_id))
        done[table.name] = gone.rowcount
    done["customer"] = _empty_customer(connection, customer_id, now)
    done["inbox"] = _empty_inbox(connection, list(addresses.values()), now)
    return done


def _empty_customer(connection: Connection, customer_id: int, now: datetime) -> int:
    customer = table_of(Customer)
    new: dict[str, Any] = {"ref": _nameless(customer_id), "custom": {}, "updated_at": now}
    kept = ("id", "club_id", "created_at", *new)
    empty = new | {
        column.name: None if column.nullable else 0 if isinstance(column.type, Integer) else ""
        for column in customer.c
        if column.name not in kept and column.computed is None
    }
    return connection.execute(
        update(customer).where(customer.c.id == customer_id).values(empty)
    ).rowcount


def _nameless(number: int) -> str:
    """What takes the place of a reference: others know it, so it would lead back to her."""
    return f"erased-{number}"


def _end_messages(connection: Connection, customer_id: int, now: datetime) -> int:
    touchpoint = table_of(Touchpoint)
    hers = in_order(connection, touchpoint, touchpoint.c.customer_id == customer_id)
    connection.execute(
        update(touchpoint)
        .where(hers, touchpoint.c.state.in_(WAITING))
        .values(state=str(State.CANCELLED), reason=Reason.ERASED, settled_at=now)
    )
    return connection.execute(
        update(touchpoint).where(hers).values(provider_ref=None, coupon=None, detail="")
    ).rowcount


def _end_campaigns(connection: Connection, customer_id: int, now: datetime) -> int:
    enrollment = table_of(Enrollment)
    active = in_order(
        connection,
        enrollment,
        enrollment.c.customer_id == customer_id,
        enrollment.c.status == EnrollmentStatus.ACTIVE,
    )
    return connection.execute(
        update(enrollment)
        .where(active)
        .values(
            status=EnrollmentStatus.EXITED,
            next_at=None,
            ended_at=now,
            end_reason=Reason.ERASED,
        )
    ).rowcount


def _empty_events(connection: Connection, customer_id: int) -> int:
    """That something happened stays; what was told of it goes, and by whose number."""
    event = table_of(Event)
    nameless = literal("erased-", String) + cast(event.c.id, String)
    return connection.execute(
        update(event).where(event.c.customer_id == customer_id).values(data={}, source_id=nameless)
    ).rowcount


def _empty_memberships(connection: Connection, customer_id: int, now: datetime) -> int:
    membership = table_of(Membership)
    hers = membership.c.customer_id == customer_id
    connection.execute(
        update(membership)
        .where(hers, membership.c.ends_on >= now.date())
        .values(status=str(MembershipStatus.CANCELLED))
    )
    nameless = literal("erased-", String) + cast(membership.c.id, String)
    return connection.execute(update(membership).where(hers).values(ref=nameless)).rowcount


def _empty_purchases(connection: Connection, customer_id: int) -> int:
    purchase = table_of(Purchase)
    nameless = literal("erased-", String) + cast(purchase.c.id, String)
    return connection.execute(
        update(purchase).where(purchase.c.customer_id == customer_id).values(ref=nameless)
    ).rowcount


def _empty_tasks(connection: Connection, customer_id: int, now: datetime) -> int:
    task = table_of(StaffTask)
    return connection.execute(
        update(task)
        .where(task.c.customer_id == customer_id)
        .values(title="", done_at=func.coalesce(task.c.done_at, now))
    ).rowcount


def _forget_whose(connection: Connection, customer_id: int) -> int:
    record = table_of(ConsentRecord)
    return connection.execute(
        update(record).where(record.c.customer_id == customer_id).values(customer_id=None)
    ).rowcount


def _empty_inbox(connection: Connection, addresses: list[str], now: datetime) -> int:
    """Messages from outside in which an address of hers stands: that they came is kept."""
    inbox = table_of(InboundMessage)
    if not addresses:
        return 0
    # Looked for as octets: a body may be in any encoding, or in none.
    needles = [one.lstrip("+").encode() for one in addresses]
    if connection.dialect.name == "sqlite":
        found = [func.instr(inbox.c.body, needle) > 0 for needle in needles]
    else:
        patterns = [b"%" + _LIKE_SIGN.sub(rb"\\\g<0>", needle) + b"%" for needle in needles]
        found = [inbox.c.body.bool_op("LIKE")(pattern) for pattern in patterns]
    named = in_order(connection, inbox, or_(*found))
    return connection.execute(
        update(inbox)
        .where(named)
        .values(body=b"", headers={}, handled_at=func.coalesce(inbox.c.handled_at, now))
    ).rowcount

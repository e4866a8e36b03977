"""The providers' own samples: each lands as the right event on the right touchpoint.

`webhook_truth.txt` says by hand what each sample means, and where in it the recipient stands and
the id by which the touchpoint is known; `-`: there is none, only the address tells.
"""

import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import parseaddr
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import pytest
from engines import Workshop
from making import (
    NOW,
    make_club,
    make_customer,
    make_enrollment,
    make_touchpoint,
    make_version,
    rows_of,
)
from webhook_senders import SAMPLES, Post, all_samples, sample

from crm_messaging.webhooks.posted import Posted
from crm_messaging.webhooks.providers import PROVIDERS
from crm_store import inbox
from crm_store.database import Store
from crm_store.inbox import Arrival
from crm_store.models.consent import Consent, Suppression
from crm_store.models.customer import Customer
from crm_store.models.event import Event
from crm_store.models.inbox import InboundMessage
from crm_store.models.touchpoint import Touchpoint
from crm_store.suppressions import suppressions
from flows.inbox import handle_inbox
from flows.provider_reports import report_reader

pytestmark = pytest.mark.skipif(not SAMPLES.is_dir(), reason="no folder shared/data/webhooks-esp")

_serial = count(1)

READERS = {name: report_reader(one) for name, one in PROVIDERS.items()}


@dataclass(frozen=True)
class Truth:
    """What one sample says of one recipient."""

    sample: str
    recipient: str = "-"
    named_by: str = "-"
    id: str = "-"
    event: str = ""
    state: str = ""
    reason: str = "-"
    suppressed: str = "-"

    @property
    def says_something(self) -> bool:
        return bool(self.event)

    def address(self, said: Any) -> str:
        return parseaddr(str(_at(said, self.recipient)))[1] or "nobody@example.com"

    def ids(self, said: Any) -> dict[str, str]:
        """The column of the touchpoint that knows it, as our server or SendGrid's would say."""
        if self.named_by == "-":
            return {}
        named = str(_at(said, self.id)).strip("<>")
        return {self.named_by: f"<{named}>" if self.named_by == "message_id" else _sent(named)}


def _at(said: Any, path: str) -> Any:
    for key in path.split("/") if path != "-" else []:
        said = said[int(key)] if isinstance(said, list) else said[key]
    return said if path != "-" else ""


def _sent(reference: str) -> str:
    """SendGrid says `abc` when it takes a mail, and `abc.filter12.34` of it afterwards."""
    return reference if reference.startswith("filter") else reference.split(".filter")[0]


TRUTHS = [
    Truth(*line.split())
    for line in (Path(__file__).parent / "webhook_truth.txt").read_text().splitlines()[1:]
]


def test_the_truth_is_of_these_samples() -> None:
    assert sorted({truth.sample for truth in TRUTHS}) == all_samples()


TOLD = [truth for truth in TRUTHS if truth.says_something]
"""Without the samples that say nothing of a message, or nothing at all."""


def said_in(name: str) -> Any:
    return json.loads((SAMPLES / name).read_text(encoding="utf-8"))


def told_at(said: Any) -> datetime:
    """When the sample's fact happened, as far as it says."""
    stamp = said.get("event-data", {}).get("timestamp") if isinstance(said, dict) else None
    if stamp is None and isinstance(said, dict) and "event_time" in said:
        return datetime.fromisoformat(said["event_time"]).replace(tzinfo=NOW.tzinfo)
    return datetime.fromtimestamp(stamp, NOW.tzinfo) if stamp else NOW


def a_touchpoint(store: Store, club: int, truth: Truth) -> int:
    said = said_in(truth.sample)
    customer = make_customer(store, club_id=club, email=truth.address(said))
    version = make_version(store, version=next(_serial))
    enrollment = make_enrollment(store, customer, version)
    sent_at = told_at(said) - timedelta(minutes=1)
    row = {"state": "accepted", "version_id": version, "sent_at": sent_at, "settled_at": sent_at}
    return make_touchpoint(store, customer, enrollment, **row | truth.ids(said))


def arrival(post: Post) -> Arrival:
    headers = {name.lower(): value for name, value in post.headers.items()}
    provider = PROVIDERS[post.provider]
    return Arrival(
        post.provider, provider.source_id(Posted(post.body, headers)), post.body, headers
    )


async def handle(club: Workshop, club_id: int, posts: Sequence[Post]) -> None:
    with club.store.write() as connection:
        inbox.receive_all(connection, club_id, [arrival(post) for post in posts], NOW)
    engine = replace(club.engine, club_id=club_id, readers=READERS)
    while _waits(club.store, club_id):
        while await handle_inbox(engine):
            pass
        club.clock.on(hours=1)  # what may be about several messages is tried again and again
    club.clock.now = NOW


def _waits(store: Store, club_id: int) -> bool:
    with store.read() as connection:
        return inbox.has_waiting(connection, club_id, NOW + timedelta(days=2))


async def test_each_lands_as_the_right_event_on_the_right_touchpoint(club: Workshop) -> None:
    """Each in a club of its own, with nobody suppressed: they speak of the same addresses."""
    wrong = []
    for number, name in enumerate(all_samples()):
        _forget_suppressions(club.store)
        truths = [truth for truth in TOLD if truth.sample == name]
        here = make_club(club.store, code=f"club{number}")
        bystander = _bystander(club.store, here)
        touchpoints = [a_touchpoint(club.store, here, one) for one in truths]
        before = len(rows_of(club.store, Event, "id"))
        await handle(club, here, [sample(name)])
        landed = _landed(club.store, before)
        expected = [
            (touchpoint, one.event, one.state, None if one.reason == "-" else one.reason)
            for touchpoint, one in zip(touchpoints, truths, strict=True)
        ]
        suppressed = _suppressed(club.store, [one.address(said_in(name)) for one in truths])
        if (
            # What one report says of several goes into the store in the order of its own ids.
            Counter(landed) != Counter(expected)
            or suppressed != [one.suppressed for one in truths]
            or _state(club.store, bystander) != ("accepted", None)
        ):
            wrong.append((name, landed, expected, suppressed))
    assert wrong == []


def _suppressed(store: Store, addresses: Sequence[str]) -> list[str]:
    asked = [("email", address.lower()) for address in addresses]
    with store.read() as connection:
        found = suppressions(connection, asked)
    return [str(found[one].cause) if one in found else "-" for one in asked]


def _bystander(store: Store, club: int) -> int:
    """Another member's message of the same club and hour."""
    customer = make_customer(store, club_id=club)
    version = make_version(store, version=next(_serial))
    enrollment = make_enrollment(store, customer, version)
    return make_touchpoint(store, customer, enrollment, state="accepted", sent_at=NOW)


def _landed(store: Store, before: int) -> list[tuple[object, ...]]:
    events = rows_of(store, Event, "data", "name")[before:]
    return [(data["touchpoint"], name, *_state(store, data["touchpoint"])) for data, name in events]


def _state(store: Store, touchpoint: int) -> tuple[str, str | None]:
    rows = rows_of(store, Touchpoint, "id", "state", "reason")
    return next((state, reason) for key, state, reason in rows if key == touchpoint)


def _forget_suppressions(store: Store) -> None:
    with store.write() as connection:
        connection.execute(Suppression.__table__.delete())  # type: ignore[attr-defined]


async def test_what_cannot_be_used_is_kept_with_the_reason(lite_club: Workshop) -> None:
    unusable = ["amazon_ses/incorrect_received_event.json", "mailgun/misconfigured_inbound.json"]
    await handle(lite_club, lite_club.engine.club_id, [sample(name) for name in unusable])
    failures = [failure for (failure,) in rows_of(lite_club.store, InboundMessage, "failure")]
    assert failures == [
        "This topic tells of mail that SES receives."
        " Give it a topic that tells of bounces, complaints and deliveries.",
        "This is no report on a message; it may be a route for mail that Mailgun receives."
        " Give the route another address.",
    ]


async def test_ten_times_each_in_any_order_ends_alike(club: Workshop) -> None:
    """Half of the replays are the same octets, half are wrapped and signed anew."""
    ends = []
    dice = random.Random(20261122)  # noqa: S311
    originals = {name: sample(name) for name in all_samples()}
    for number in range(3):
        here = make_club(club.store, code=f"club{number}")
        _forget_suppressions(club.store)
        first, seen = (len(rows_of(club.store, table, "id")) for table in (Touchpoint, Event))
        # Some samples are about one message: it has one touchpoint.
        messages = {str(one.ids(said_in(one.sample))) + one.recipient: one for one in TOLD}
        for truth in messages.values():
            a_touchpoint(club.store, here, truth)
        names = all_samples() * (1 if number == 0 else 5)
        dice.shuffle(names)
        await handle(
            club, here, [post for name in names for post in (originals[name], sample(name))]
        )
        touchpoints = rows_of(club.store, Touchpoint, "state", "reason", "detail", "settled_at")
        events = rows_of(club.store, Event, "name", "occurred_at", "data")[seen:]
        ends.append(
            (
                touchpoints[first:],
                sorted((name, at, data["detail"]) for name, at, data in events if "detail" in data),
                sorted(name for name, *_ in events),
                _opted_out(club.store, here),
            )
        )
    for one, other in pairwise(ends):
        for part, same in zip(one, other, strict=True):
            assert part == same
    assert {state for state, *_ in ends[0][0]} == {"accepted", "delivered", "bounced", "complained"}


def _opted_out(store: Store, club: int) -> list[str]:
    hers = {
        key: email
        for key, where, email in rows_of(store, Customer, "id", "club_id", "email")
        if where == club
    }
    rows = rows_of(store, Consent, "customer_id", "granted")
    return sorted(hers[who] for who, granted in rows if who in hers and not granted)

"""G5: once an opt-out is committed, no later hand-over starts. Real senders, real requests."""

import asyncio
import threading
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from random import Random

import httpx
import pytest
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
from crm_store.database import Store
from crm_store.models.touchpoint import Touchpoint
from crm_store.sending import TopicRule, begin_sending

PEOPLE, SENDERS = 90, 3


class Sender(threading.Thread):
    """A worker that takes a few of its messages at a time past the point of no return."""

    def __init__(self, store: Store, mine: Sequence[tuple[int, str]]) -> None:
        super().__init__()
        self._store, self._mine = store, mine
        self.begun: dict[int, float] = {}
        """By message that may leave: when the step began that let it."""

    def run(self) -> None:
        for at in range(0, len(self._mine), 3):
            some = {one: ("email", address) for one, address in self._mine[at : at + 3]}
            begins = time.monotonic()
            with self._store.write() as connection:
                moved = begin_sending(
                    connection, some, token="t", rule=TopicRule("news"), exit_on=(), now=NOW
                )
            self.begun |= dict.fromkeys(moved, begins)
            time.sleep(0.004)


@pytest.mark.parametrize("seed", [1, 2])
async def test_after_the_answer_no_hand_over_starts(
    store: Store, tmp_path: Path, seed: int
) -> None:
    project, club = public_project(tmp_path / "club"), make_club(store)
    version = make_version(store)
    messages = []
    for number in range(PEOPLE):
        address = f"person{number}@example.org"
        customer = make_customer(store, email=address)
        enrollment = make_enrollment(store, customer, version)
        lease = NOW + timedelta(hours=1)
        more = {"state": "claimed", "claim_token": "t", "lease_until": lease}
        messages.append((make_touchpoint(store, customer, enrollment, **more), address))
    chance = Random(seed)  # noqa: S311 - nothing secret
    leaving = chance.sample(messages, PEOPLE // 2)
    senders = [
        Sender(store, chance.sample(messages[n::SENDERS], PEOPLE // SENDERS))
        for n in range(SENDERS)
    ]
    links, answered = Links(store.keys), dict[int, float]()

    async def leave(client: httpx.AsyncClient, some: Sequence[tuple[int, str]]) -> None:
        for touchpoint, address in some:
            holder = Holder(touchpoint, links.address_hash("email", address))
            token = links.token(Purpose.UNSUBSCRIBE, holder, NOW)
            answer = await client.post(f"/u/{token}", data={"List-Unsubscribe": "One-Click"})
            assert answer.status_code == 200
            answered[touchpoint] = time.monotonic()

    async with public_site(project, store, club) as client:
        for sender in senders:
            sender.start()
        await asyncio.gather(*(leave(client, leaving[n::4]) for n in range(4)))
        for sender in senders:
            await asyncio.to_thread(sender.join)
    begun = {one: at for sender in senders for one, at in sender.begun.items()}
    too_late = [one for one, at in begun.items() if at > answered.get(one, at)]
    assert too_late == []
    held_back = {one for one, _ in leaving} - begun.keys()
    assert held_back, "every message left before its opt-out: the test has shown nothing"
    states = dict(rows_of(store, Touchpoint, "id", "state"))
    assert {states[one] for one in held_back} == {"claimed"}
    assert {states[one] for one, _ in messages if one not in dict(leaving)} == {"sending"}

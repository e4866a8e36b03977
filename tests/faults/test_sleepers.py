"""A worker that is stopped, taken for dead, and wakes: what it may still do, and what not.

It sleeps past its lease; another worker takes over; it wakes. What it had only claimed it never
sends, and of the ledger it changes nothing more. What it had under way (`sending` is committed) is
in doubt and is sent by nobody else, so that a body which leaves on waking is the only one. That
last gap, between the last look at the clock and the first byte of the body, cannot be closed from
this side of the wire; it holds no more messages than the channel sends at once.
"""

import pytest
from faults.audit import states
from faults.boundaries import Boundary
from faults.club import add_leads
from faults.driver import PAST_THE_LEASE, Driver, until

from crm_store.models.touchpoint import State

NOT_YET_ALLOWED = (Boundary.AFTER_CLAIM, Boundary.AFTER_SENDING)
"""Where nobody has been told yet that a body may leave."""


@pytest.mark.parametrize("boundary", [*NOT_YET_ALLOWED, Boundary.BEFORE_BODY, Boundary.AFTER_REPLY])
def test_one_that_sleeps_past_its_lease_and_wakes(driver: Driver, boundary: Boundary) -> None:
    add_leads(driver.site, 40)
    sleeper = driver.put_to_sleep(boundary)
    driver.site.clock.turn(PAST_THE_LEASE)
    driver.ended(driver.start())
    sent_before = driver.taken_from(sleeper)
    before = states(driver.site)
    assert set(before.values()) <= {State.ACCEPTED, State.IN_DOUBT}

    sleeper.wake()
    driver.ended(sleeper)
    woken = set(driver.taken_from(sleeper)) - set(sent_before)
    assert states(driver.site) == before
    assert all(before[one] is State.IN_DOUBT for one in woken)
    assert len(woken) <= driver.site.concurrency
    assert not woken or boundary not in NOT_YET_ALLOWED

    found = driver.drain()
    assert found.is_right, found
    assert found.in_doubt <= driver.site.concurrency
    assert driver.figures.failures == 0


@pytest.mark.parametrize("store", ["postgres"], indirect=True)
def test_one_that_sleeps_within_a_transaction_does_not_hold_the_others(driver: Driver) -> None:
    """PostgreSQL ends its transaction. SQLite has no way to take a lock from a living process:
    there the others wait, fail, and come back with the next sweep until it wakes or is killed."""
    add_leads(driver.site, 40)
    impatient = {"idle_in_transaction_session_timeout": 500}
    sleeper = driver.put_to_sleep(Boundary.BEFORE_SENDING, settings=impatient)
    driver.site.clock.turn(PAST_THE_LEASE)
    driver.ended(driver.start())  # what the sleeper has is passed over for the time being
    assert set(states(driver.site).values()) <= {State.ACCEPTED, State.CLAIMED}

    def all_accepted() -> bool:
        driver.ended(driver.start())
        return set(states(driver.site).values()) == {State.ACCEPTED}

    until(all_accepted, "the sleeper's rows are not given back")

    sleeper.wake()
    driver.ended(sleeper)
    assert driver.taken_from(sleeper) == []
    found = driver.drain()
    assert found.is_right, found
    assert found.in_doubt == 0

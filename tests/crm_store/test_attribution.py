"""First and last touch: every goal is put down once to each, and the sums are the goals."""

from datetime import timedelta
from decimal import Decimal
from itertools import count

import pytest
from making import (
    NOW,
    make_club,
    make_customer,
    make_enrollment,
    make_event,
    make_purchase,
    make_touchpoint,
    make_version,
)

from crm_store.attribution import Goals, attribution, messages_sent
from crm_store.database import Store

DAY = timedelta(days=1)
_serial = count(1)
MONTH = Goals(NOW - 30 * DAY, NOW + DAY, events=["membership_renewed"], purchases=True)
Touch = tuple[str, int, str]
"""Campaign, days ago, state."""


def member(store: Store, *touches: Touch) -> int:
    """A customer who got these messages."""
    asha = make_customer(store)
    for campaign, days_ago, state in touches:
        version = make_version(store, campaign, version=next(_serial))
        enrollment = make_enrollment(
            store, asha, version, campaign=campaign, occurrence=f"day:{days_ago}"
        )
        make_touchpoint(
            store,
            asha,
            enrollment,
            campaign=campaign,
            version_id=version,
            state=state,
            sent_at=NOW - days_ago * DAY,
        )
    return asha


def credit(store: Store, goals: Goals = MONTH, days: int = 30) -> dict[str | None, list[object]]:
    with store.read() as connection:
        found = attribution(connection, 1, goals, days * DAY)
    return {one.campaign: [one.first, one.last, one.first_amount, one.last_amount] for one in found}


@pytest.mark.parametrize(
    ("touches", "first", "last"),
    [
        ([], None, None),
        ([("renewal", 3, "accepted")], "renewal", "renewal"),
        ([("news", 9, "delivered"), ("renewal", 3, "accepted")], "news", "renewal"),
        ([("news", 31, "accepted"), ("renewal", 30, "accepted")], "renewal", "renewal"),
        ([("news", 31, "accepted")], None, None),
        ([("news", 3, "bounced"), ("news", 2, "suppressed"), ("news", 1, "failed")], None, None),
        ([("renewal", 3, "accepted"), ("thanks", -1, "accepted")], "renewal", "renewal"),
    ],
)
def test_who_was_there_before_a_renewal(
    store: Store, touches: list[Touch], first: str | None, last: str | None
) -> None:
    make_event(store, member(store, *touches), "membership_renewed")
    found = credit(store)
    assert found[first][0] == 1
    assert found[last][1] == 1
    assert sum(row[0] for row in found.values()) == 1  # type: ignore[misc]


def test_amounts_and_sums(store: Store) -> None:
    asha = member(store, ("news", 9, "accepted"), ("offer", 2, "accepted"))
    make_purchase(store, asha, amount=Decimal("1499.50"))
    make_purchase(store, asha, amount=Decimal("250"), purchased_at=NOW - 5 * DAY)
    make_purchase(store, member(store), amount=Decimal(90))
    make_purchase(store, asha, amount=Decimal(1), purchased_at=NOW - 60 * DAY)
    elsewhere = make_customer(store, club_id=make_club(store, code="other"))
    make_purchase(store, elsewhere)
    assert credit(store) == {
        "offer": [0, 1, 0, Decimal("1499.50")],
        "news": [2, 1, Decimal("1749.50"), Decimal(250)],
        None: [1, 1, Decimal(90), Decimal(90)],
    }
    assert credit(store, Goals(MONTH.since, MONTH.until)) == {}


def test_how_many_left(store: Store) -> None:
    member(store, ("news", 9, "accepted"), ("offer", 2, "delivered"), ("offer", 1, "suppressed"))
    with store.read() as connection:
        assert messages_sent(connection, 1, MONTH.since, MONTH.until) == {"news": 1, "offer": 1}

"""The moves of the ledger's rows, each in a transaction of its own."""

from datetime import datetime, timedelta

from making import NOW, addresses_of, rows_of

from crm_store import touchpoints
from crm_store.database import Store
from crm_store.models.touchpoint import Touchpoint
from crm_store.sending import TopicRule, begin_sending
from crm_store.touchpoints import Claimed, Ruling

LEASE_END = NOW + timedelta(minutes=20)


def claim(store: Store, token: str = "a", now: datetime = NOW, limit: int = 100) -> list[Claimed]:
    with store.write() as connection:
        return touchpoints.claim(
            connection,
            club_id=1,
            campaign="renewal",
            token=token,
            now=now,
            lease_until=LEASE_END,
            limit=limit,
        )


RENEWALS = TopicRule("renewals")


def begin(
    store: Store,
    ids: list[int],
    token: str = "a",
    now: datetime = NOW,
    rule: TopicRule = RENEWALS,
) -> set[int]:
    with store.write() as connection:
        return begin_sending(
            connection,
            addresses_of(store, *ids),
            token=token,
            rule=rule,
            exit_on=["membership_renewed"],
            now=now,
        )


def settle(store: Store, ruling: Ruling, token: str = "a") -> None:
    with store.write() as connection:
        touchpoints.rule(connection, [ruling], token, NOW)


def states(store: Store) -> list[tuple[str, str | None]]:
    return [(state, reason) for state, reason in rows_of(store, Touchpoint, "state", "reason")]

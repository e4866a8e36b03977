"""The ledger's moves: each from the state it names, by the holder of the token, once."""

import re
from datetime import timedelta

from ledger_moves import LEASE_END, begin, claim, settle, states
from making import NOW, make_customer, make_enrollment, make_touchpoint, make_version, rows_of
from query_plans import statements
from sqlalchemy import select

from crm_store import planned, touchpoints
from crm_store.database import Store
from crm_store.models.touchpoint import State, Touchpoint
from crm_store.planned import NewTime
from crm_store.reasons import Reason
from crm_store.touchpoints import Ruling


def test_the_same_occasion_twice_makes_one_touchpoint(
    store: Store, enrolled: tuple[int, int]
) -> None:
    customer, enrollment = enrolled
    make_touchpoint(store, customer, enrollment, step="heads_up")
    [row] = rows_of(store, Touchpoint)
    columns = [column.name for column in touchpoints.TOUCHPOINT.columns]
    again = dict(zip(columns, row, strict=True)) | {"id": None, "state": "queued"}
    again.pop("id")
    with store.write() as connection:
        planned.add(connection, [again, again])
    assert len(rows_of(store, Touchpoint)) == 1


def test_nothing_is_begun_after_the_lease(store: Store, enrolled: tuple[int, int]) -> None:
    made = make_touchpoint(store, *enrolled, expires_at=NOW + timedelta(days=1))
    claim(store)
    assert begin(store, [made], now=LEASE_END + timedelta(seconds=1)) == set()
    assert begin(store, [made], now=LEASE_END) == {made}


def test_a_claimed_touchpoint_is_nobody_elses(store: Store, enrolled: tuple[int, int]) -> None:
    made = [make_touchpoint(store, *enrolled) for _ in range(5)]
    assert [one.id for one in claim(store, "a", limit=3)] == made[:3]
    assert [one.id for one in claim(store, "b")] == made[3:]
    assert claim(store, "c") == []


def test_what_is_not_due_is_not_claimed(store: Store, enrolled: tuple[int, int]) -> None:
    make_touchpoint(store, *enrolled, not_before=NOW + timedelta(seconds=1))
    assert claim(store) == []
    assert len(claim(store, now=NOW + timedelta(seconds=1))) == 1


def test_a_batch_is_of_one_version(store: Store, enrolled: tuple[int, int]) -> None:
    first = make_touchpoint(store, *enrolled)
    newer = make_version(store, version=2)
    second = make_touchpoint(store, *enrolled, version_id=newer)
    assert [one.id for one in claim(store, "a")] == [first]
    assert [one.id for one in claim(store, "b")] == [second]


def test_the_way_to_accepted(store: Store, enrolled: tuple[int, int]) -> None:
    made = make_touchpoint(store, *enrolled)
    claim(store)
    assert begin(store, [made]) == {made}
    settle(store, Ruling(made, State.ACCEPTED, provider_ref="SM1"))
    row = rows_of(
        store,
        Touchpoint,
        "state",
        "attempts",
        "sent_at",
        "settled_at",
        "provider_ref",
        "lease_until",
    )
    assert row == [("accepted", 1, NOW, NOW, "SM1", None)]


def test_only_the_holder_of_the_token_moves_it(store: Store, enrolled: tuple[int, int]) -> None:
    made = make_touchpoint(store, *enrolled)
    claim(store, "a")
    assert begin(store, [made], token="b") == set()
    settle(store, Ruling(made, State.ACCEPTED), token="b")
    assert states(store) == [("claimed", None)]


def test_a_settled_touchpoint_stays_as_it_is(store: Store, enrolled: tuple[int, int]) -> None:
    made = make_touchpoint(store, *enrolled)
    claim(store)
    begin(store, [made])
    settle(store, Ruling(made, State.IN_DOUBT, Reason.NO_REPLY))
    settle(store, Ruling(made, State.QUEUED))
    assert states(store) == [("in_doubt", "no_reply")]


def test_sending_begins_once(store: Store, enrolled: tuple[int, int]) -> None:
    made = make_touchpoint(store, *enrolled)
    claim(store)
    assert begin(store, [made]) == {made}
    assert begin(store, [made]) == set()


def test_a_dead_workers_rows(store: Store, enrolled: tuple[int, int]) -> None:
    """What had not begun goes back to the queue; what had begun is in doubt, and stays so."""
    sending, claimed = (make_touchpoint(store, *enrolled) for _ in range(2))
    claim(store)
    begin(store, [sending])
    with store.write() as connection:
        assert touchpoints.recover(connection, LEASE_END) == (0, 0)
        assert touchpoints.recover(connection, LEASE_END + timedelta(seconds=1)) == (1, 1)
    assert states(store) == [("in_doubt", "interrupted"), ("queued", None)]
    assert [one.id for one in claim(store, "b", now=LEASE_END)] == [claimed]
    settle(store, Ruling(sending, State.ACCEPTED), token="a")
    assert states(store)[0] == ("in_doubt", "interrupted")


def test_a_renewed_lease_is_not_recovered(store: Store, enrolled: tuple[int, int]) -> None:
    make_touchpoint(store, *enrolled)
    claim(store)
    with store.write() as connection:
        touchpoints.renew_lease(connection, "a", LEASE_END + timedelta(hours=1))
        assert touchpoints.recover(connection, LEASE_END + timedelta(minutes=1)) == (0, 0)


def test_postponed_means_planned_until_then(store: Store, enrolled: tuple[int, int]) -> None:
    made = make_touchpoint(store, *enrolled)
    claim(store)
    later = NOW + timedelta(hours=9)
    settle(store, Ruling(made, State.PLANNED, Reason.QUIET_HOURS, not_before=later))
    assert states(store) == [("planned", "quiet_hours")]
    with store.write() as connection:
        assert planned.queue_due(connection, later - timedelta(seconds=1)) == 0
        assert planned.queue_due(connection, later) == 1
    assert [one.id for one in claim(store, "b", now=later)] == [made]


def test_deferred_means_queued_with_a_time(store: Store, enrolled: tuple[int, int]) -> None:
    made = make_touchpoint(store, *enrolled)
    claim(store)
    begin(store, [made])
    later = NOW + timedelta(minutes=5)
    settle(store, Ruling(made, State.QUEUED, Reason.NOT_NOW, "451 later", not_before=later))
    assert claim(store, "b") == []
    [again] = claim(store, "b", now=later)
    assert (again.id, again.attempts) == (made, 1)


def test_several_are_planned_anew_at_once_unless_they_have_left(
    store: Store, enrolled: tuple[int, int]
) -> None:
    states = ("planned", "queued", "expired", "claimed", "cancelled")
    made = [make_touchpoint(store, *enrolled, state=state) for state in states]
    later = NOW + timedelta(days=3)
    with store.write() as connection:
        moves = [NewTime(one, later, later + timedelta(hours=1)) for one in made]
        planned.move_in_time(connection, moves)
    assert rows_of(store, Touchpoint, "state", "due_at", "not_before") == [
        ("planned", later, later),
        ("planned", later, later),
        ("planned", later, later),
        ("claimed", NOW, NOW),
        ("cancelled", NOW, NOW),
    ]


def test_on_postgresql_few_of_many_claimed_are_found_by_their_ids(postgres_store: Store) -> None:
    """Not by what is claimed just now, by all workers: that is read anew with every commit."""
    customer = make_customer(postgres_store)
    enrollment = make_enrollment(postgres_store, customer, make_version(postgres_store))
    made = make_touchpoint(postgres_store, customer, enrollment)
    with postgres_store.write() as connection:
        table = touchpoints.TOUCHPOINT
        row = connection.execute(select(table).where(table.c.id == made)).mappings().one()
        claimed = {"state": "claimed", "claim_token": "a", "lease_until": LEASE_END}
        rows = [
            {**row, **claimed, "id": made + n, "step": f"step-{n}", "coupon": None}
            for n in range(1, 2_001)
        ]
        connection.execute(table.insert(), rows)
    few = [made + 1, made + 2]
    with statements(postgres_store) as seen:
        begin(postgres_store, few)
        with postgres_store.write() as connection:
            rulings = [Ruling(one, State.ACCEPTED) for one in few]
            touchpoints.rule(connection, rulings, "a", NOW)
    updates = [(sql, given) for sql, given in seen if sql.startswith("UPDATE")]
    assert len(updates) == 2
    for sql, given in updates:
        with postgres_store.read() as connection:
            plan = connection.exec_driver_sql(f"EXPLAIN {sql}", given).scalars().all()
        indexes = re.findall(r"on (touchpoint\w*|ix_touchpoint\w*)", "\n".join(plan))
        assert "touchpoint_pkey" in indexes
        assert set(indexes) <= {"touchpoint_pkey", "touchpoint"}, plan

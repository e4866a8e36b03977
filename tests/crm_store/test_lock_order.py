"""Locks on PostgreSQL: whoever waits does it in one order, so nobody waits for one who waits.

One row, the first by its id, is in other hands. Who wants it and others waits there, and holds none
of the others: in the table, and in the indexes that find them, they stand the other way round.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, TypeAlias

import pytest
from making import (
    NOW,
    TODAY,
    make_customer,
    make_enrollment,
    make_event,
    make_membership,
    make_touchpoint,
    make_version,
    rows_of,
)
from postgres_waits import until_waiting
from sqlalchemy import Connection, Date, Table, literal, select, text

from crm_store import admission, changes, doubts, enrollments, planned, touchpoints
from crm_store.asked import Asked
from crm_store.database import Store
from crm_store.enrollments import ENROLLMENT, Progress
from crm_store.erasure import erase
from crm_store.models.all import MODELS
from crm_store.models.campaign import Enrollment, EnrollmentStatus
from crm_store.models.touchpoint import Touchpoint
from crm_store.occasions import occasion
from crm_store.planned import NewTime
from crm_store.reasons import UNREACHED, Reason
from crm_store.scope import CUSTOMER
from crm_store.tables import table_of
from crm_store.touchpoints import TOUCHPOINT

SOON = NOW + timedelta(minutes=10)
FIRST, LAST = 1, 3
IDS = range(FIRST, LAST + 1)
UNREACHABLE = str(next(iter(UNREACHED)))


Values: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """Something that changes several rows of a table at once."""

    table: Table
    work: Callable[[Connection], object]
    enrollment: Values = field(default_factory=dict)
    touchpoint: Values = field(default_factory=dict)


@pytest.fixture
def store(postgres_store_of_module: Store) -> Store:
    """A new database for each test would take longer than they do."""
    tables = ", ".join(table_of(model).name for model in MODELS)
    with postgres_store_of_module.write() as connection:
        connection.execute(text(f"TRUNCATE {tables} RESTART IDENTITY"))
    return postgres_store_of_module


def furnish(
    store: Store, enrollment: Values | None = None, touchpoint: Values | None = None
) -> None:
    """Three customers; the first has three enrollments and a message of each. The last comes
    first, in the tables and by its time."""
    for number in reversed(IDS):
        make_customer(store, id=number)
    make_membership(store, FIRST)
    make_event(store, FIRST)
    make_version(store)
    make_version(store, version=2)
    for number in reversed(IDS):
        at = NOW + timedelta(minutes=LAST - number)
        times = {"due_at": at, "not_before": at}
        make_enrollment(store, FIRST, FIRST, **{"id": number, "next_at": at} | (enrollment or {}))
        make_touchpoint(store, FIRST, number, **{"id": number} | times | (touchpoint or {}))


def lock(connection: Connection, table: Table, row_id: int) -> None:
    connection.execute(select(table.c.id).where(table.c.id == row_id).with_for_update())


def free(connection: Connection, table: Table) -> list[int]:
    """The rows that nobody has."""
    rows = select(table.c.id).order_by(table.c.id).with_for_update(skip_locked=True)
    return list(connection.execute(rows).scalars())


@contextmanager
def at_work(store: Store, work: Callable[..., object], *args: object) -> Iterator[list[Any]]:
    """`work` in a transaction of its own beside the caller's; what it returned, once that is over.

    An error of it is raised at the end.
    """
    answers: list[Any] = []
    errors: list[Exception] = []

    def run() -> None:
        try:
            with store.write() as connection:
                connection.execute(text("SET LOCAL deadlock_timeout = '20ms'"))
                answers.append(work(connection, *args))
        except Exception as error:
            errors.append(error)

    worker = threading.Thread(target=run, daemon=True)
    worker.start()
    yield answers
    worker.join(10)
    assert not worker.is_alive()
    for error in errors:
        raise error


def move_and_cancel(connection: Connection) -> None:
    planned.hold_unsent(connection, [2, LAST], [FIRST])
    planned.move_in_time(connection, [NewTime(one, SOON, SOON) for one in (2, LAST)])
    planned.cancel_unsent(connection, [FIRST], Reason.EXITED, NOW)


PLANNED = {"state": "planned"}
CLAIMED = {"state": "claimed", "claim_token": "a", "lease_until": NOW}
DOUBTED = {"state": "in_doubt"}
WAITING = {
    "a look at who is due": Case(ENROLLMENT, lambda c: enrollments.due(c, 1, "renewal", SOON, 9)),
    "moved terms": Case(
        ENROLLMENT,
        lambda c: enrollments.wake_moved_terms(c, NOW),
        enrollment={"anchor_on": TODAY, "membership_id": 1},
    ),
    "an exit": Case(
        ENROLLMENT, lambda c: enrollments.wake_for_exit(c, "renewal", [1], ["lead_created"], NOW)
    ),
    "refused messages": Case(
        ENROLLMENT,
        lambda c: enrollments.wake_refused(c, 1, "renewal", NOW),
        touchpoint={"state": "failed", "reason": UNREACHABLE},
    ),
    "enrollments under a new version": Case(
        ENROLLMENT, lambda c: enrollments.move_to(c, 1, "renewal", 2, NOW)
    ),
    "touchpoints under a new version": Case(
        TOUCHPOINT, lambda c: planned.move_to(c, 1, "renewal", 2, [], NOW)
    ),
    "what is due": Case(TOUCHPOINT, lambda c: planned.queue_due(c, SOON), touchpoint=PLANNED),
    "moves and cancellations": Case(TOUCHPOINT, move_and_cancel),
    "a batch given back": Case(
        TOUCHPOINT, lambda c: touchpoints.release(c, "a"), touchpoint=CLAIMED
    ),
    "doubts settled": Case(
        TOUCHPOINT,
        lambda c: doubts.resolve(c, [*IDS], arrived=True, now=NOW),
        touchpoint=DOUBTED,
    ),
    "doubts resent": Case(TOUCHPOINT, lambda c: doubts.resend(c, [*IDS], NOW), touchpoint=DOUBTED),
    "an erased customer's messages": Case(TOUCHPOINT, lambda c: erase(c, 1, NOW)),
    "an erased customer's campaigns": Case(ENROLLMENT, lambda c: erase(c, 1, NOW)),
    "customers who are changed": Case(
        CUSTOMER, lambda c: changes.hold_customers(c, [*reversed(IDS)])
    ),
}


@pytest.mark.parametrize("name", WAITING)
def test_who_waits_for_a_row_holds_none_that_comes_after_it(store: Store, name: str) -> None:
    case = WAITING[name]
    furnish(store, case.enrollment, case.touchpoint)
    with store.write() as other:
        lock(other, case.table, FIRST)
        with at_work(store, case.work) as done:
            until_waiting(store, 1)
            with store.write() as third:
                assert free(third, case.table) == [*IDS][1:]
            other.rollback()
    assert len(done) == 1


@pytest.mark.parametrize(
    "work",
    [
        lambda c: touchpoints.recover(c, SOON),
        lambda c: touchpoints.renew_lease(c, "a", SOON),
    ],
    ids=["recovery", "a lease renewed"],
)
def test_what_can_wait_for_another_time_is_passed_over(
    store: Store, work: Callable[[Connection], object]
) -> None:
    furnish(store, touchpoint=CLAIMED)
    before = rows_of(store, Touchpoint, "id", "state", "lease_until")
    with store.write() as other:
        lock(other, TOUCHPOINT, FIRST)
        with store.write() as connection:
            connection.execute(text("SET LOCAL lock_timeout = '5s'"))
            work(connection)
    after = rows_of(store, Touchpoint, "id", "state", "lease_until")
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, False]


def test_two_who_admit_the_same_people_do_not_stand_in_each_others_way(
    store: Store,
) -> None:
    """Their plans find the people in opposite orders, and both have come to the middle."""
    version = make_version(store)
    for number in range(9, 0, -1):
        make_customer(store, id=number)

    def admit(connection: Connection, without: str) -> int:
        for way in ("hashjoin", "mergejoin", "bitmapscan", without):
            connection.execute(text(f"SET LOCAL enable_{way} = off"))
        everyone = occasion(literal("birthday:2026"), literal(TODAY, Date))
        return admission.admit(
            connection,
            campaign="renewal",
            version_id=version,
            occasions=Asked(everyone.where(CUSTOMER.c.id > 0), {}),
            condition=None,
            now=NOW,
        )

    with store.write() as other:
        in_the_middle = {
            "campaign": "renewal",
            "version_id": version,
            "customer_id": 5,
            "occurrence": "birthday:2026",
            "entered_at": NOW,
        }
        other.execute(ENROLLMENT.insert().values(in_the_middle))
        with (
            at_work(store, admit, "seqscan") as some,
            at_work(store, admit, "indexscan") as others,
        ):
            until_waiting(store, 2)
            other.rollback()
    assert sorted(some + others) == [0, 9]
    assert len(rows_of(store, Enrollment)) == 9


def test_a_wake_up_between_the_look_and_its_note_is_not_lost(store: Store) -> None:
    furnish(store)
    awake = NOW + timedelta(minutes=1)
    with store.write() as looking:
        batch, is_more = enrollments.due(looking, 1, "renewal", NOW, 9)
        assert ([one.id for one in batch], is_more) == ([LAST], False)
        exits = ("renewal", [FIRST], ["lead_created"], awake)
        with at_work(store, enrollments.wake_for_exit, *exits):
            until_waiting(store, 1)
            later = Progress(LAST, EnrollmentStatus.ACTIVE, SOON, NOW, None, None)
            enrollments.keep_progress(looking, [later], NOW)
            looking.commit()
    assert rows_of(store, Enrollment, "next_at")[LAST - 1] == (awake,)


def test_who_waited_for_another_s_look_finds_nothing_due_any_more(store: Store) -> None:
    furnish(store)
    asked = (1, "renewal", NOW, 1)
    with store.write() as looking:
        enrollments.due(looking, *asked)
        with at_work(store, enrollments.due, *asked) as answers:
            until_waiting(store, 1)
            done = Progress(LAST, EnrollmentStatus.COMPLETED, None, NOW, None, None)
            enrollments.keep_progress(looking, [done], NOW)
            looking.commit()
    assert answers == [([], True)]  # there may be more: it had asked for one


def test_erasing_lets_a_look_at_her_finish(store: Store) -> None:
    """Enrollments come before touchpoints: the look has the one, and wants the others yet."""
    furnish(store)
    with store.write() as looking:
        enrollments.due(looking, 1, "renewal", NOW, 9)
        with at_work(store, erase, FIRST, NOW):
            until_waiting(store, 1)
            planned.cancel_unsent(looking, [LAST], Reason.EXITED, NOW)
            looking.commit()
    assert {state for (state,) in rows_of(store, Touchpoint, "state")} == {"cancelled"}


def broken_off(connection: Connection, sqlstate: str) -> None:
    raising = f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{sqlstate}'; END $$"
    connection.execute(text(raising))


def test_one_of_two_in_a_deadlock_is_run_again(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    furnish(store)
    meet = threading.Barrier(2, timeout=10)
    runs: list[int] = []

    def both(connection: Connection, first: int, second: int) -> int:
        connection.execute(text("SET LOCAL deadlock_timeout = '20ms'"))
        runs.append(first)
        lock(connection, TOUCHPOINT, first)
        if len(runs) <= 2:
            meet.wait()
        lock(connection, TOUCHPOINT, second)
        return first

    answers: list[int] = []
    pairs = ((FIRST, LAST), (LAST, FIRST))
    rivals = [
        threading.Thread(target=lambda pair: answers.append(store.transact(both, *pair)), args=(p,))
        for p in pairs
    ]
    for one in rivals:
        one.start()
    for one in rivals:
        one.join(10)
    assert sorted(answers) == [FIRST, LAST]
    warnings = [one.getMessage().partition(": ")[0] for one in caplog.records]
    # More than once when the other wakes up late: a row is theirs who ask first.
    assert len(runs) == len(pairs) + len(warnings) > len(pairs)
    assert set(warnings) == {"a transaction is run again (deadlock, SQLSTATE 40P01)"}


@pytest.mark.parametrize(
    ("sqlstate", "times"),
    [("40001", 5), ("40P01", 5), ("23505", 5), ("57014", 1), ("53100", 1), ("23514", 1)],
)
def test_only_what_was_broken_off_for_anothers_sake_is_run_again(
    store: Store, sqlstate: str, times: int
) -> None:
    runs = []

    def fail(connection: Connection) -> None:
        runs.append(1)
        broken_off(connection, sqlstate)

    with pytest.raises(Exception, match="no") as raised:
        store.transact(fail)
    assert raised.value.orig.sqlstate == sqlstate  # type: ignore[attr-defined]
    assert len(runs) == times

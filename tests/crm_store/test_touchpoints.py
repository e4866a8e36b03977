"""The ledger's moves: each from the state it names, by the holder of the token, once."""

import re
import threading
from datetime import datetime, timedelta

import pytest
from making import (
    NOW,
    addresses_of,
    make_consent,
    make_customer,
    make_enrollment,
    make_event,
    make_suppression,
    make_touchpoint,
    make_version,
    rows_of,
)
from query_plans import statements
from sqlalchemy import select

from crm_store import planned, touchpoints
from crm_store.database import Store
from crm_store.imports.permission import Answer, write_answers
from crm_store.models.touchpoint import State, Touchpoint
from crm_store.planned import NewTime
from crm_store.reasons import Reason
from crm_store.sending import TopicRule, begin_sending, facts, sent_since
from crm_store.touchpoints import Claimed, Ruling

LEASE_END = NOW + timedelta(minutes=20)


@pytest.fixture
def enrolled(store: Store) -> tuple[int, int]:
    """A customer and her enrollment."""
    customer = make_customer(store)
    return customer, make_enrollment(store, customer, make_version(store))


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


@pytest.mark.parametrize(
    ("what", "may_go"),
    [
        ("nothing", True),
        ("opted out of everything", False),
        ("opted out of this topic", False),
        ("opted out of another topic", True),
        ("opted out of sms", True),
        ("the address is suppressed", False),
        ("the address is suppressed for marketing", False),
        ("somebody else's address is suppressed", True),
        ("the number is suppressed for sms", True),
        ("renewed since", False),
        ("renewed before it counted", True),
        ("too late", False),
    ],
)
def test_the_last_look_before_sending(store: Store, what: str, may_go: bool) -> None:
    customer = make_customer(store, email="asha@example.org", phone="+919876500001")
    enrollment = make_enrollment(store, customer, make_version(store))
    made = make_touchpoint(store, customer, enrollment)
    claim(store)
    now = NOW
    match what:
        case "opted out of everything":
            make_consent(store, customer)
        case "opted out of this topic":
            make_consent(store, customer, topic="renewals")
        case "opted out of another topic":
            make_consent(store, customer, topic="news")
        case "opted out of sms":
            make_consent(store, customer, channel="sms")
        case "the address is suppressed":
            make_suppression(store, "email", "asha@example.org")
        case "the address is suppressed for marketing":
            make_suppression(store, "email", "asha@example.org", reach="marketing")
        case "somebody else's address is suppressed":
            make_suppression(store, "email", "vera@example.org")
        case "the number is suppressed for sms":
            make_suppression(store, "sms", "+919876500001")
        case "renewed since":
            make_event(store, customer, "membership_renewed")
        case "renewed before it counted":
            make_event(store, customer, "membership_renewed", occurred_at=NOW - timedelta(days=9))
        case "too late":
            now = NOW + timedelta(hours=37)
    assert begin(store, [made], now=now) == ({made} if may_go else set())


@pytest.mark.parametrize(
    ("what", "may_go"),
    [
        ("opted out of everything", True),
        ("opted out of this topic", False),
        ("suppressed for marketing", True),
        ("suppressed", False),
    ],
)
def test_what_keeps_a_transactional_message_back(store: Store, what: str, may_go: bool) -> None:
    customer = make_customer(store, email="asha@example.org")
    made = make_touchpoint(store, customer, make_enrollment(store, customer, make_version(store)))
    claim(store)
    match what:
        case "opted out of everything":
            make_consent(store, customer)
        case "opted out of this topic":
            make_consent(store, customer, topic="bookings")
        case _:
            reach = "marketing" if what.endswith("marketing") else "everything"
            make_suppression(store, "email", "asha@example.org", reach=reach)
    rule = TopicRule("bookings", transactional=True, opt_in=frozenset({"email"}))
    with store.read() as connection:
        known = facts(connection, [made], rule=rule, exit_on=[])[made]
    assert known.agreed
    assert (not known.opted_out and not known.suppressed) == may_go
    assert begin(store, [made], rule=rule) == ({made} if may_go else set())


@pytest.mark.parametrize(
    ("opt_in", "answers", "agreed"),
    [
        (["sms"], {}, True),
        (["email"], {}, False),
        (["email"], {"*": True}, True),
        (["email"], {"renewals": True}, True),
        (["email"], {"news": True}, False),
        (["email"], {"*": False, "renewals": True}, True),
    ],
)
def test_where_she_must_have_agreed(
    store: Store, opt_in: list[str], answers: dict[str, bool], agreed: bool
) -> None:
    customer = make_customer(store)
    made = make_touchpoint(store, customer, make_enrollment(store, customer, make_version(store)))
    claim(store)
    for topic, granted in answers.items():
        make_consent(store, customer, topic=topic, granted=granted)
    rule = TopicRule("renewals", opt_in=frozenset(opt_in))
    with store.read() as connection:
        known = facts(connection, [made], rule=rule, exit_on=[])[made]
    assert (known.agreed, known.opted_out) == (agreed, answers.get("*") is False)
    may_go = agreed and not known.opted_out
    assert begin(store, [made], rule=rule) == ({made} if may_go else set())


def test_a_suppressed_address_holds_up_nobody_else(store: Store) -> None:
    made = []
    for email in ("asha@example.org", "ravi@example.org", "vera@example.org"):
        customer = make_customer(store, email=email)
        enrollment = make_enrollment(store, customer, make_version(store, version=len(made) + 1))
        made.append(make_touchpoint(store, customer, enrollment))
    claim(store)
    make_suppression(store, "email", "ravi@example.org")
    with store.read() as connection:
        known = facts(connection, made, rule=RENEWALS, exit_on=[])
    assert [known[one].suppressed for one in made] == [False, True, False]
    assert begin(store, made) == {made[0], made[2]}


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


def test_the_gates_facts(store: Store) -> None:
    customer = make_customer(store, email=None, timezone="Europe/Moscow", language="ru")
    enrollment = make_enrollment(store, customer, make_version(store))
    made = make_touchpoint(store, customer, enrollment)
    with store.read() as connection:
        known = facts(connection, [made], rule=RENEWALS, exit_on=[])[made]
    assert (known.address, known.timezone, known.language) == (None, "Europe/Moscow", "ru")
    assert (known.opted_out, known.suppressed, known.exited) == (False, False, False)


def test_what_counts_towards_a_cap(store: Store, enrolled: tuple[int, int]) -> None:
    customer, _ = enrolled
    ago = [NOW - timedelta(days=days) for days in (8, 3, 2, 1, 7)]
    states = ["accepted", "accepted", "rejected", "in_doubt", "accepted"]
    for state, sent_at in zip(states, ago, strict=True):
        make_touchpoint(store, *enrolled, state=state, sent_at=sent_at)
    make_touchpoint(store, *enrolled, state="claimed", claim_token="mine")
    make_touchpoint(store, *enrolled, state="claimed", claim_token="another's")
    with store.read() as connection:
        times = sent_since(connection, [customer], NOW - timedelta(days=7), "mine", NOW)
    assert times == {customer: [ago[1], ago[3], NOW]}  # and none of exactly seven days ago


def test_an_opt_out_on_its_way_wins(store: Store) -> None:
    """G5: the opt-out has begun and not yet committed; sending waits for it and sees it."""
    customer = make_customer(store)
    made = make_touchpoint(store, customer, make_enrollment(store, customer, make_version(store)))
    claim(store)
    may_go: list[set[int]] = []
    sending = threading.Thread(target=lambda: may_go.append(begin(store, [made])))
    with store.write() as connection:
        refusal = Answer("email", granted=False, proof="test")
        write_answers(connection, [(customer, refusal)], NOW)
        sending.start()
        sending.join(timeout=0.5)
        assert may_go == []  # it waits
    sending.join(timeout=10)
    assert may_go == [set()]


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

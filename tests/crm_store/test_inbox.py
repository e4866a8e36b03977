"""The inbox: once in, never lost; a replay is no second; one bad message is alone."""

from datetime import timedelta

from making import NOW, make_club, rows_of

from crm_store import inbox
from crm_store.database import Store
from crm_store.inbox import Arrival, Taken
from crm_store.models.inbox import InboundMessage


def arrival(source_id: str = "1", body: bytes = b"\x00{}\xff", source: str = "postmark") -> Arrival:
    return Arrival(source, source_id, body, {"content-type": "application/json"})


def put_in(store: Store, club_id: int, *arrivals: Arrival) -> list[bool]:
    with store.write() as connection:
        return inbox.receive_all(connection, club_id, arrivals, NOW)


def take(store: Store, club_id: int, *, minutes: float = 0, limit: int = 10) -> list[Taken]:
    with store.write() as connection:
        later = NOW + timedelta(minutes=minutes)
        return inbox.take(connection, club_id, limit=limit, now=later)


def waits(store: Store, club_id: int, *, minutes: float = 0) -> bool:
    with store.read() as connection:
        return inbox.has_waiting(connection, club_id, NOW + timedelta(minutes=minutes))


def test_a_message_comes_out_as_it_went_in(store: Store) -> None:
    club = make_club(store)
    with store.write() as connection:
        assert inbox.receive(connection, club, arrival(), NOW)
    (taken,) = take(store, club)
    assert (taken.body, taken.headers) == (b"\x00{}\xff", {"content-type": "application/json"})
    assert (taken.source, taken.source_id, taken.received_at) == ("postmark", "1", NOW)


def test_a_replay_is_known_within_a_batch_and_later(store: Store) -> None:
    club, other = make_club(store), make_club(store, code="mumbai")
    assert put_in(store, club, arrival("1"), arrival("1"), arrival("2")) == [True, False, True]
    assert put_in(store, club, arrival("1", b"forged"), arrival("3")) == [False, True]
    assert put_in(store, club, arrival("1", source="brevo")) == [True]
    assert put_in(store, other, arrival("1")) == [True]
    assert next(one.body for one in take(store, club)) == b"\x00{}\xff"
    assert len(take(store, other)) == 1


def test_what_one_reader_has_taken_no_other_gets_until_he_must_be_dead(store: Store) -> None:
    club = make_club(store)
    put_in(store, club, *(arrival(str(number)) for number in range(5)))
    assert [one.source_id for one in take(store, club, limit=3)] == ["0", "1", "2"]
    assert [one.source_id for one in take(store, club)] == ["3", "4"]
    assert take(store, club, minutes=4) == []
    assert not waits(store, club, minutes=4)
    assert waits(store, club, minutes=6)
    assert [one.attempts for one in take(store, club, minutes=6)] == [2] * 5


def test_settled_failed_and_put_back(store: Store) -> None:
    club = make_club(store)
    put_in(store, club, *(arrival(str(number)) for number in range(3)))
    good, bad, later = (one.id for one in take(store, club))
    with store.write() as connection:
        inbox.settle(connection, [good], NOW)
        inbox.fail(connection, {bad: "It is no JSON." * 100}, NOW)
        inbox.put_back(connection, [later], NOW + timedelta(minutes=1))
    rows = rows_of(store, InboundMessage, "body", "handled_at", "failure")
    assert rows[0] == (b"", NOW, None), "an erasure has one place less to look"
    assert rows[1] == (b"\x00{}\xff", NOW, ("It is no JSON." * 100)[:300])
    assert [one.id for one in take(store, club, minutes=1)] == [later]
    assert put_in(store, club, arrival("0")) == [False], "known even when it was read"


def test_old_ones_are_forgotten_but_never_one_that_waits(store: Store) -> None:
    club = make_club(store)
    put_in(store, club, arrival("read"), arrival("waiting"))
    with store.write() as connection:
        inbox.settle(connection, [1], NOW)
    with store.write() as connection:
        assert inbox.forget(connection, NOW + timedelta(days=29)) == 0
        assert inbox.forget(connection, NOW + timedelta(days=31)) == 1
    assert rows_of(store, InboundMessage, "source_id") == [("waiting",)]


def test_what_failed_is_listed_and_read_again_when_asked(store: Store) -> None:
    club, other = make_club(store), make_club(store, code="other")
    put_in(store, club, *(arrival(str(number)) for number in range(3)))
    put_in(store, other, arrival("theirs"))
    bad, read, worse = (one.id for one in take(store, club))
    (theirs,) = (one.id for one in take(store, other))
    with store.write() as connection:
        inbox.fail(connection, dict.fromkeys((bad, worse, theirs), "It is no JSON."), NOW)
        inbox.settle(connection, [read], NOW)
        assert inbox.count_failed(connection) == 3
        listed = inbox.failed(connection, club)
        assert [(one.id, one.source, one.failure) for one in listed] == [
            (worse, "postmark", "It is no JSON."),
            (bad, "postmark", "It is no JSON."),
        ]
        assert inbox.count_waiting(connection, club) == 0
        assert inbox.read_again(connection, club, [bad, read, theirs], NOW) == 1
        assert inbox.count_waiting(connection, club) == 1
    (again,) = take(store, club)
    assert (again.id, again.attempts, again.body) == (bad, 1, b"\x00{}\xff")

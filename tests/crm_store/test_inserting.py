"""An insert that leaves known rows alone, compiled once however often it is asked for."""

from making import NOW
from sqlalchemy import literal, select

from crm_store.columns import UtcDateTime
from crm_store.database import Store
from crm_store.inserting import insert_new
from crm_store.models.operation import Pause
from crm_store.tables import table_of

PAUSE = table_of(Pause)


def test_a_known_row_is_left_alone(store: Store) -> None:
    with store.write() as connection:
        for reason in ("first", "second"):
            row = {"campaign": "renewal", "reason": reason, "since": NOW}
            connection.execute(insert_new(connection, PAUSE).values(row))
            connection.execute(insert_new(connection, PAUSE), [row, row | {"campaign": "other"}])
        kept = connection.execute(select(PAUSE.c.campaign, PAUSE.c.reason)).all()
    assert sorted(kept) == [("other", "first"), ("renewal", "first")]


def test_what_is_new_is_returned(store: Store) -> None:
    with store.write() as connection:
        statement = insert_new(connection, PAUSE).returning(PAUSE.c.campaign)
        row = {"campaign": "renewal", "reason": "", "since": NOW}
        answers = [connection.execute(statement.values(row)).scalar_one_or_none() for _ in "ab"]
    assert answers == ["renewal", None]


def test_it_is_compiled_once(store: Store) -> None:
    with store.write() as connection:
        for number in range(3):
            rows = select(literal(f"c{number}"), literal(""), literal(NOW, UtcDateTime))
            statement = insert_new(connection, PAUSE).from_select(
                ["campaign", "reason", "since"], rows
            )
            context = connection.execute(statement).context
            # SQLAlchemy says whether it found the compiled form, or why it cannot keep any.
            assert ("cached" in context._get_cache_stats()) == (number > 0)

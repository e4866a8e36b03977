"""What the driver is handed is what SQLAlchemy would have handed it."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import String, bindparam, func, literal, select

from crm_store.columns import UtcDateTime
from crm_store.database import Store
from crm_store.on_driver import OnDriver

AT = datetime(2026, 11, 23, 9, 30, tzinfo=timezone(timedelta(hours=5, minutes=30)))
STATEMENT = select(
    bindparam("at", type_=UtcDateTime) == literal(AT.astimezone(UTC), UtcDateTime),
    func.length(bindparam("word", type_=String)),
    bindparam("word", type_=String) == "a 100 % 'own' word",
    func.coalesce(bindparam("nothing", type_=String), "none"),
)


@pytest.mark.parametrize("word", ["a 100 % 'own' word", "", "आशा"])
def test_it_answers_as_sqlalchemy_does(store: Store, word: str) -> None:
    given = {"at": AT, "word": word, "nothing": None}
    with store.read() as connection:
        expected = connection.execute(STATEMENT, given).one()
        assert OnDriver(STATEMENT, connection.dialect).execute(connection, given).one() == expected
    assert expected[0]
    assert expected[2] == (word == "a 100 % 'own' word")


def test_a_parameter_without_a_value_is_missed(store: Store) -> None:
    with store.read() as connection, pytest.raises(KeyError, match="nothing"):
        OnDriver(STATEMENT, connection.dialect).execute(connection, {"at": AT, "word": ""})

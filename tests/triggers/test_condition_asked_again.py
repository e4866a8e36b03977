"""A condition that is built once and asked at another moment is as if it were made anew."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.dialects import sqlite

from crm_store.catalogue.standard import catalogue_of
from crm_store.scope import Scope
from triggers.expression import parse_condition

CATALOGUE = catalogue_of()
BEGUN = Scope.at(datetime(2026, 2, 28, 5, tzinfo=UTC), ZoneInfo("Asia/Kolkata"))
LATER = Scope.at(datetime(2028, 7, 1, 5, tzinfo=UTC), ZoneInfo("America/New_York"))


@pytest.mark.parametrize(
    "text",
    [
        "visits.last_90d >= 8 and visits.last_30d < 2",
        "customer.age > 30",
        "membership.days_left < 30 and not membership.frozen",
        'visits.days_since_last > 14 and "staff" not in customer.tags',
        'customer.stage == "won"',
    ],
)
def test_it_speaks_of_the_new_moment(text: str) -> None:
    condition = parse_condition(text, CATALOGUE)
    first, again = condition.asked(BEGUN), condition.asked(LATER)
    assert again.sql is first.sql
    made_anew = condition.sql(LATER).compile(dialect=sqlite.dialect())
    asked_again = again.sql.compile(dialect=sqlite.dialect())
    assert str(asked_again) == str(made_anew)
    assert {**asked_again.params, **again.values} == dict(made_anew.params)

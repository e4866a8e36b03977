"""A condition means the same in SQL, on either database, as the same words in a template.

Random expressions over random customers; Jinja itself, on plain values, is the oracle.
"""

import json
import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jinja2 import Environment
from making import (
    NOW,
    TODAY,
    make_club,
    make_customer,
    make_membership,
    make_package,
    make_purchase,
    make_visit,
)
from sqlalchemy import select

from crm_store.catalogue.field import Catalogue, FieldType
from crm_store.database import Store
from crm_store.scope import CUSTOMER, MEMBERSHIP, Scope
from triggers.conditions.reader import MOST_SUMS
from triggers.expression import parse_condition

SCOPE = Scope(now=NOW, today=TODAY)
TEXTS = (
    "",
    "annual",
    "monthly",
    "sales",
    "trial",
    "O'Brien",
    'say "hi"',
    "नमस्ते",
    "50%",
    "a\\b",
    ":x",
)
TAGS = ("vip", "staff", "O'Brien", "संपर्क", "a%")
DAYS = (date(1992, 2, 29), date(2026, 11, 21), TODAY, date(2026, 12, 22), date(2027, 1, 1))
NUMBERS = (-2, -1, 0, 1, 2, 3, 5, 30, 0.5, 2.5, 100)


class Blank:
    """An empty value in a template: equal to `none` alone, in no order, false."""

    def __eq__(self, other: object) -> bool:
        return other is None

    def __hash__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return False

    def _never(self, _other: object) -> bool:
        return False

    __lt__ = __le__ = __gt__ = __ge__ = _never

    def _still_empty(self, *_other: object) -> "Blank":
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __neg__ = _still_empty


JINJA = Environment()  # noqa: S701 - nothing is rendered
JINJA.tests["none"] = lambda value: value is None or isinstance(value, Blank)


def make_population(store: Store) -> None:
    """Forty customers who have much, little or nothing of everything; always the same."""
    dice = random.Random(7)  # noqa: S311 - test data
    make_club(store)
    for _ in range(40):
        customer = make_customer(
            store,
            tags=tuple(tag for tag in TAGS if dice.random() < 0.3),
            **{
                key: dice.choice((None, *TEXTS))
                for key in ("pipeline", "stage", "source", "language", "timezone")
            },
            first_name=dice.choice(TEXTS),
            birth_date=dice.choice((None, *DAYS)),
            joined_on=dice.choice((None, *DAYS)),
            custom=dict(_some(dice)),
        )
        if dice.random() < 0.7:
            make_membership(
                store,
                customer,
                plan=dice.choice(("annual", "monthly")),
                auto_renew=dice.random() < 0.5,
                ends_on=TODAY + timedelta(days=dice.choice((-2, 0, 1, 5, 30))),
            )
        for days in dice.sample((1, 5, 40), dice.choice((0, 0, 1, 3))):
            make_visit(store, customer, visited_at=NOW - timedelta(days=days))
        if dice.random() < 0.4:
            make_purchase(store, customer, amount=dice.choice(("0.50", "2.50", "100.00")))
        if dice.random() < 0.4:
            make_package(store, customer, remaining=dice.choice((0, 1, 3)))


def _some(dice: random.Random) -> Iterator[tuple[str, Any]]:
    choices = {
        "goal": TEXTS,
        "score": (0.5, 2.5, -1.0),
        "trainer": (True, False),
        "level": (0, 1, 5),
        "medical_on": tuple(day.isoformat() for day in DAYS),
    }
    for key, values in choices.items():
        if dice.random() < 0.6:
            yield key, dice.choice(values)


def plain_values(store: Store, catalogue: Catalogue) -> dict[int, dict[str, dict[str, Any]]]:
    """Per customer what a template would see, as plain Python values."""
    fields = list(catalogue)
    columns = [field.sql(SCOPE).label(f"f{index}") for index, field in enumerate(fields)]
    with store.read() as connection:
        rows = connection.execute(select(CUSTOMER.c.id, *columns)).all()
    values: dict[int, dict[str, dict[str, Any]]] = {}
    for customer, *row in rows:
        families: dict[str, dict[str, Any]] = {}
        for field, value in zip(fields, row, strict=True):
            family, name = field.name.split(".")
            families.setdefault(family, {})[name] = _plain(field.type, value)
        values[customer] = families
    return values


def _plain(kind: FieldType, value: Any) -> Any:
    if value is None:
        return Blank()
    match kind:
        case FieldType.TAGS:
            return value.split("\n") if value else []
        case FieldType.NUMBER:
            return float(value)
        case FieldType.BOOLEAN:
            return bool(value)
        case FieldType.DATE:
            return value.isoformat()  # which sorts as the date does
        case _:
            return value


def expressions(catalogue: Catalogue) -> st.SearchStrategy[str]:
    """Conditions of every kind that the language knows."""

    def of(*kinds: FieldType) -> st.SearchStrategy[str]:
        return st.sampled_from([field.name for field in catalogue if field.type in kinds])

    text = st.sampled_from(TEXTS).map(lambda value: json.dumps(value, ensure_ascii=False))
    day = st.sampled_from(DAYS).map(lambda value: f'"{value.isoformat()}"')
    number = st.sampled_from(NUMBERS).map(str)
    numeric = of(FieldType.INTEGER, FieldType.NUMBER)
    sums = st.recursive(
        numeric | number,
        lambda inner: (
            st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda p: f"({p[0]} {p[1]} {p[2]})")
            | inner.map(lambda term: f"-{term}")
        ),
        max_leaves=4,
    )
    same = st.sampled_from(["==", "!="])
    order = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    among = st.sampled_from(["in", "not in"])
    none = st.sampled_from(["== none", "!= none", "is none", "is not none"])
    valued = of(*(set(FieldType) - {FieldType.TAGS}))

    def three(a: Any, b: Any, c: Any) -> st.SearchStrategy[str]:
        return st.tuples(a, b, c).map(" ".join)

    def listed(item: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.lists(item, min_size=1, max_size=3).map(lambda items: f"[{', '.join(items)}]")

    texts, dates, flags = of(FieldType.TEXT), of(FieldType.DATE), of(FieldType.BOOLEAN)
    simple = st.one_of(
        three(texts, same, text | texts),
        three(text, same, texts),
        three(texts, among, listed(text)),
        three(dates, order, day | dates),
        three(day, order, dates),
        three(dates, among, listed(day)),
        three(sums.filter(lambda t: "." in t and any(c.isalpha() for c in t)), order, sums),
        st.tuples(number, order, numeric, order, number).map(" ".join),
        three(numeric, among, listed(number)),
        flags,
        three(flags, same, st.sampled_from(["true", "false"]) | flags),
        st.tuples(valued, none).map(" ".join),
        three(st.sampled_from(TAGS).map(lambda t: f'"{t}"'), among, st.just("customer.tags")),
        st.sampled_from(["true", "false"]),
    )
    return st.recursive(
        simple,
        lambda inner: (
            st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(
                lambda p: f"({' '.join(p)})"
            )
            | inner.map(lambda part: f"not ({part})")
            | inner.map(lambda part: f"not {part}")
        ),
        max_leaves=6,
    ).filter(lambda text: sum(text.count(f" {sign} ") for sign in "+-*") <= MOST_SUMS)


def judged_by_sql(store: Store, catalogue: Catalogue, text: str) -> dict[int, bool]:
    """Per customer the condition's value; never NULL."""
    condition = parse_condition(text, catalogue).sql(SCOPE)
    with store.read() as connection:
        rows = connection.execute(select(CUSTOMER.c.id, condition.label("holds"))).all()
        chosen = set(connection.scalars(select(CUSTOMER.c.id).where(condition)))
    assert all(value is not None for _, value in rows), text
    assert chosen == {customer for customer, value in rows if value}, text
    return {customer: bool(value) for customer, value in rows}


def judged_by_jinja(people: dict[int, dict[str, Any]], text: str) -> dict[int, bool]:
    expression = JINJA.compile_expression(text, undefined_to_none=False)
    return {customer: bool(expression(**values)) for customer, values in people.items()}


def test_sql_and_jinja_agree(store: Store, catalogue: Catalogue) -> None:
    make_population(store)
    people = plain_values(store, catalogue)

    @settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
    @given(text=expressions(catalogue))
    def agree(text: str) -> None:
        assert judged_by_sql(store, catalogue, text) == judged_by_jinja(people, text), text

    agree()


EMPTY = [
    # x is empty for a customer without a membership
    ('membership.plan == "annual"', False),
    ('not membership.plan == "annual"', True),
    ('membership.plan != "annual"', True),
    ('not membership.plan != "annual"', False),
    ("membership.days_left > 3", False),
    ("not membership.days_left > 3", True),
    ("membership.days_left <= 3", False),
    ("1 < membership.days_left < 3", False),
    ("membership.days_left + 1 > 0", False),
    ("not -membership.days_left == 0", True),
    ("membership.auto_renew", False),
    ("not membership.auto_renew", True),
    ("membership.auto_renew == true", False),
    ("membership.auto_renew == false", False),
    ("membership.auto_renew != true", True),
    ("membership.frozen", False),
    ('membership.plan in ["annual"]', False),
    ('membership.plan not in ["annual"]', True),
    ("membership.plan == none", True),
    ("none == membership.plan", True),
    ("membership.plan != none", False),
    ("membership.plan is none", True),
    ("membership.plan is not none", False),
    ("membership.starts_on == membership.ends_on", False),
    ("membership.starts_on != membership.ends_on", True),
    ('membership.ends_on < "2030-01-01"', False),
    ("visits.total == 0", True),
    ('"vip" in customer.tags', False),
    ('"vip" not in customer.tags', True),
]


def test_what_an_empty_value_means(store: Store, catalogue: Catalogue) -> None:
    make_club(store)
    make_customer(store)
    people = plain_values(store, catalogue)
    for text, holds in EMPTY:
        assert set(judged_by_sql(store, catalogue, text).values()) == {holds}, text
        assert set(judged_by_jinja(people, text).values()) == {holds}, text


def test_a_membership_of_the_statement_is_the_one_that_is_judged(
    sqlite_store: Store, catalogue: Catalogue
) -> None:
    make_club(sqlite_store)
    customer = make_customer(sqlite_store)
    old = make_membership(sqlite_store, customer, plan="monthly", ends_on=date(2026, 1, 1))
    make_membership(sqlite_store, customer, plan="annual", ends_on=date(2027, 1, 1))
    scope = Scope(now=NOW, today=TODAY, membership=MEMBERSHIP)
    condition = parse_condition('membership.plan == "monthly"', catalogue)
    with sqlite_store.read() as connection:
        joined = select(MEMBERSHIP.c.id).join(CUSTOMER, MEMBERSHIP.c.customer_id == CUSTOMER.c.id)
        assert connection.scalars(joined.where(condition.sql(scope))).all() == [old]
        latest = select(CUSTOMER.c.id).where(condition.sql(SCOPE))
        assert connection.scalars(latest).all() == []


@pytest.mark.parametrize("text", ["'; DROP TABLE customer; --", "%(x)s", ":x", "?", "x' OR '1'='1"])
def test_a_value_is_never_sql(text: str, sqlite_store: Store, catalogue: Catalogue) -> None:
    make_club(sqlite_store)
    make_customer(sqlite_store, source=text)
    make_customer(sqlite_store, source="x")
    condition = parse_condition(f"customer.source == {json.dumps(text)}", catalogue)
    assert text not in str(condition.sql(SCOPE))
    judged = judged_by_sql(sqlite_store, catalogue, condition.text)
    assert sorted(judged.values()) == [False, True]


def test_a_day_is_the_clubs(store: Store, catalogue: Catalogue) -> None:
    """Seven in the evening in Los Angeles is tomorrow by UTC, and one in the night in Pune
    yesterday."""
    customer = make_customer(store, club_id=make_club(store))
    evening = datetime.fromisoformat("2026-11-22T19:00:00-08:00")
    make_visit(store, customer, visited_at=evening)
    for zone, later, day, days in (
        ("America/Los_Angeles", 1, "2026-11-22", 0),
        ("America/Los_Angeles", 6, "2026-11-22", 1),
        ("Asia/Kolkata", 1, "2026-11-23", 0),
        ("Asia/Kolkata", 20, "2026-11-23", 1),
    ):
        scope = Scope.at(evening + timedelta(hours=later), ZoneInfo(zone))
        names = ("visits.last_on", "visits.first_on", "visits.days_since_last")
        columns = [catalogue[name].sql(scope) for name in names]
        with store.read() as connection:
            [row] = connection.execute(select(*columns).select_from(CUSTOMER)).all()
        assert tuple(map(str, row)) == (day, day, str(days)), (zone, later)


def test_now_is_the_scopes(sqlite_store: Store, catalogue: Catalogue) -> None:
    make_club(sqlite_store)
    customer = make_customer(sqlite_store)
    make_visit(sqlite_store, customer, visited_at=NOW - timedelta(days=3))
    condition = parse_condition("visits.last_7d > 0", catalogue)

    def holds(now: datetime) -> bool:
        scope = Scope(now=now, today=now.date())
        with sqlite_store.read() as connection:
            return bool(connection.scalar(select(condition.sql(scope)).select_from(CUSTOMER)))

    assert holds(NOW)
    assert not holds(NOW + timedelta(days=5))
    assert not holds(NOW - timedelta(days=5))

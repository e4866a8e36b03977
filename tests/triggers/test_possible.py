"""What can never be true: proved for what is simple, and never claimed of what can be."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_store.catalogue.standard import catalogue_of
from triggers.expression import never, parse_condition

CATALOGUE = catalogue_of()


def is_never(text: str) -> bool:
    return never(hold=[parse_condition(text, CATALOGUE)])


def is_always(text: str) -> bool:
    return never(hold=[], fail=[parse_condition(text, CATALOGUE)])


@pytest.mark.parametrize(
    "text",
    [
        "visits.total >= 8 and visits.total < 5",
        "visits.total > 5 and visits.total < 6",
        "visits.total < 0",
        "5 > visits.total > 7",
        "membership.days_left < 0 and not membership.days_left <= 30 ",
        'customer.stage == "new" and customer.stage == "won"',
        'customer.stage == "new" and customer.stage in ["won", "lost"]',
        'customer.stage == "new" and customer.stage != "new"',
        'customer.stage == "new" and customer.stage is none',
        "membership.auto_renew and not membership.auto_renew",
        "membership.auto_renew and membership.auto_renew == false",
        '"vip" in customer.tags and "vip" not in customer.tags',
        'membership.ends_on < "2026-01-01" and membership.ends_on > "2026-06-01"',
        'customer.ref is none',
        "false",
        "false or (visits.total > 3 and visits.total < 1)",
        'not (customer.stage == "new" or customer.stage != "new")',
        "visits.total + 1 > 3 and not visits.total + 1 > 3",
    ],
)  # fmt: skip
def test_never_true(text: str) -> None:
    assert is_never(text)
    assert is_always(f"not ({text})")


@pytest.mark.parametrize(
    "text",
    [
        "visits.total >= 8 and visits.total <= 8",
        "visits.total >= 8 or visits.total < 5",
        "visits.total > 5 and visits.last_90d < 5",
        "membership.days_left < 0",
        'customer.stage != "new" and customer.stage != "won"',
        'customer.stage != "new" and customer.stage is none',
        # It may be empty: then neither holds.
        "not membership.days_left < 5 and not membership.days_left >= 5",
        "not membership.auto_renew and not membership.auto_renew == false",
        '"vip" in customer.tags and "staff" not in customer.tags',
        "visits.total > 3 and visits.total + 1 < 3",
    ],
)
def test_possible_and_not_certain(text: str) -> None:
    assert not is_never(text)
    assert not is_always(text)


def test_what_is_too_long_to_write_out_is_taken_to_be_possible() -> None:
    ways = " and ".join(f"(visits.total == {n} or visits.last_7d == {n})" for n in range(12))
    assert not is_never(ways)
    assert is_never(f"visits.total < 0 and ({ways})")


VALUES: dict[str, list[Any]] = {
    "visits.total": [0, 1, 2, 3],
    "membership.days_left": [None, -1, 0, 1, 2],
    "customer.stage": [None, "a", "b", "c"],
    "membership.auto_renew": [None, True, False],
}
NUMBERS = st.sampled_from(["visits.total", "membership.days_left"])
COMPARED = st.builds(
    "{} {} {}".format, NUMBERS, st.sampled_from(["<", "<=", ">", ">=", "=="]), st.integers(0, 2)
)
TEXTS = st.builds(
    'customer.stage {} "{}"'.format, st.sampled_from(["==", "!="]), st.sampled_from("abc")
)
OTHERS = st.sampled_from(
    [
        "membership.auto_renew",
        "membership.days_left is none",
        'customer.stage in ["a", "b"]',
        "true",
    ]
)
CONDITIONS = st.recursive(
    st.one_of(COMPARED, TEXTS, OTHERS),
    lambda part: st.one_of(
        st.builds("({} and {})".format, part, part),
        st.builds("({} or {})".format, part, part),
        st.builds("(not {})".format, part),
    ),
    max_leaves=8,
)  # fmt: skip


class Never:
    """An empty value: equal to nothing, neither more nor less than anything."""

    def __bool__(self) -> bool:
        return False

    def _no(self, _other: object) -> bool:
        return False

    __lt__ = __le__ = __gt__ = __ge__ = __eq__ = _no
    __hash__ = object.__hash__


def holds(text: str, row: dict[str, Any]) -> bool:
    """The slow, obvious reading of a condition."""
    python = text.replace("membership.days_left is none", "left_is_none").replace("true", "True")
    values = {name.partition(".")[2]: Never() if v is None else v for name, v in row.items()}
    values |= {"left_is_none": row["membership.days_left"] is None}
    for name in VALUES:
        python = python.replace(name, name.partition(".")[2])
    return bool(eval(python, {}, values))  # noqa: S307 - a text made above


@given(text=CONDITIONS)
def test_what_is_called_impossible_is_true_of_nobody(text: str) -> None:
    rows = [dict(zip(VALUES, row, strict=True)) for row in product(*VALUES.values())]
    if is_never(text):
        assert not any(holds(text, row) for row in rows)
    if is_always(text):
        assert all(holds(text, row) for row in rows)
    # The reading above is the same as ours where it matters: some conditions are possible.
    assert holds("true", rows[0])

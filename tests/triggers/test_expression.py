"""What a condition may say, and what its writer is told otherwise."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm_store.catalogue.field import Catalogue
from triggers.expression import ConditionError, Mention, parse_condition

# A caret stands under the character that the message points at.
REFUSED = [
    ("visits.last_90 >= 8",
     "^", "unknown field `visits.last_90`; did you mean `visits.last_90d`?"),
    ("true and not first_name is none",
     "             ^", "unknown field `first_name`; did you mean `customer.first_name`?"),
    ("membership.plan == annual",
     "                   ^", "unknown field `annual`; is it a text? Then put it in quotes"),
    ("club.colour == 'red'",
     "^", "unknown field `club.colour`; choose from `club.name`, `club.website`"),
    ("custom.hat == 1",
     "^", "unknown field `custom.hat`; choose from `custom.goal`, `custom.score`"),
    ("mebership.plan == 'annual'",
     "^", "unknown field `mebership.plan`; did you mean `membership.plan`?"),
    ("customer == 'Asha'",
     "^", "unknown field `customer`; "),
    ("customer.first_name.upper == 'A'",
     "^", "unknown field `customer.first_name.upper`"),
    ("membership.plan == 3",
     "                   ^", "membership.plan is text; compare it with a text in quotes"),
    ("membership.plan == visits.total",
     "                   ^", "membership.plan is text"),
    ("'3' < visits.total",
     "^", "visits.total is a whole number; compare it with a number without quotes"),
    ("visits.total == true",
     "                ^", "visits.total is a whole number"),
    ("membership.auto_renew == 'yes'",
     "                         ^", "membership.auto_renew is true or false; write"),
    ("membership.ends_on > '1 March 2026'",
     "                     ^", "`1 March 2026` is not a date; write year, month and day, such as"),
    ("membership.ends_on > '2026-02-30'",
     "                     ^", "`2026-02-30` is not a date"),
    ("membership.ends_on > '20260301'",
     "                     ^", "`20260301` is not a date"),
    ("customer.stage < 'm'",
     "^", "`<` cannot compare text; only numbers and dates have an order"),
    ("visits.total",
     "^", "`visits.total` is a whole number, not a condition; compare it, as in `vis"),
    ("membership.plan and true",
     "^", "`membership.plan` is text, not a condition"),
    ("customer.tags",
     "^", '`customer.tags` is a set of tags, not a condition; write `"vip" in customer.tags`'),
    ("customer.tags == 'vip'",
     "^", 'customer.tags is a set of tags; write `"vip" in customer.tags`'),
    ("'vip' in customer.source",
     "         ^", "`in` looks into a list or into tags; write a list after it"),
    ("customer.source in 'web'",
     "                   ^", "`in` looks into a list or into tags; write a list, such"),
    ("customer.source in tags",
     "                   ^", "unknown field `tags`; did you mean `customer.tags`?"),
    ("customer.source in customer.tags",
     "^", "a tag is a text in quotes"),
    ("customer.source in []",
     "                   ^", "the list has 0 values"),
    ("customer.source in ['a', 2]",
     "                         ^", "customer.source is text"),
    ("customer.source in ['a', none]",
     "                         ^", "a list holds constants only"),
    ("customer.source in ['a', customer.stage]",
     "                         ^", "a list holds constants only"),
    ("membership.frozen in [true]",
     "^", "`membership.frozen` cannot be looked up in a list"),
    ("1 < 2",
     "^", "two constants are compared; put a field on one side"),
    ("visits.total < none",
     "^", "`none` has no order; write `visits.total is none`"),
    ("(visits.total > 3) == true",
     " ^", "a condition cannot be part of a comparison"),
    ("visits.total is defined",
     "             ^", "`is defined` is not known here; write `is none` or `is not none`"),
    ("customer.tags == none",
     "^", "`customer.tags` is never empty"),
    ("customer.tags is none",
     "^", "`customer.tags` is never empty"),
    ("customer.source + 'x' == 'webx'",
     "^", "customer.source is text; use + - * between numbers only"),
    ("-customer.source == 1",
     " ^", "customer.source is text"),
    ("membership.ends_on - 3 > '2026-01-01'",
     "^", "membership.ends_on is a date; use + - * between numbers only"),
    ("visits.total / 2 > 3",
     "^", "division is not known here; multiply the other side instead"),
    ("visits.total ** 9 > 3",
     "^", "`**` is not known here"),
    ("customer.first_name|lower == 'a'",
     "^", "filters have no meaning in a condition"),
    ("customer.first_name.upper() == 'A'",
     "^", "nothing can be called here"),
    ("range(9)",
     "^", "nothing can be called here"),
    ("customer['tags']",
     "^", "[ ] after a name has no meaning here"),
    ("true if true else false",
     "^", "`if` has no meaning within a condition"),
    ("customer.source ~ 'x' == 'y'",
     "^", "`~` has no meaning in a condition"),
    ("{'a': 1}",
     "^", "{ } has no meaning in a condition"),
    ("[1, 2]",
     "^", "a list can only stand after `in`"),
    ("+visits.total > 1",
     "^", "a + before a value has no meaning"),
    ("membership.plan = 'annual'",
     "                ^", "`=` is not expected here; write `==` to compare"),
    ("visits.total => 1",
     "             ^", "`=>` is not expected here; write `>=`"),
    ("membership.frozen AND true",
     "                  ^", "`AND` is not expected here; write `and` in small letters"),
    ("membership.frozen && true",
     "                  ^", "`&&` is not expected here; write `and`"),
    ("!membership.frozen",
     "^", "`!` is not expected here; write `not`"),
    ("visits.total <> 1",
     "              ^", "`>` is not expected here"),
    ("membership.plan == “annual”",
     "                   ^", "`“` is not expected here; use straight quotes"),
    ("membership.plan == 'annual",
     "                   ^", "a quotation mark is missing; end the text with '"),
    ("{{ visits.total > 1 }}",
     "^", "`{{` is not expected here; write the condition without {{ and }}"),
    ("visits.total >",
     "              ^", "the condition breaks off"),
    ("(visits.total > 1",
     "                 ^", "the condition breaks off"),
    ("visits.total > 1)",
     "                ^", "`)` is not expected here"),
    ("   ",
     "^", "the condition is empty"),
    ("visits.total > 1e999",
     "               ^", "the number is too large"),
    ("visits.total > 9007199254740993",
     "               ^", "the number is too large"),
    (r"customer.source == 'a\0'",
     "                   ^", "the text holds characters that cannot be seen"),
    (r"customer.source == '\ud800'",
     "                   ^", "the text holds characters that cannot be seen"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "caret", "message"), REFUSED, ids=[row[0] for row in REFUSED])
def test_a_refusal(text: str, caret: str, message: str, catalogue: Catalogue) -> None:
    with pytest.raises(ConditionError) as refused:
        parse_condition(text, catalogue)
    assert str(refused.value).startswith(message)
    assert refused.value.offset == caret.index("^")
    assert refused.value.fix


def test_the_offset_survives_line_breaks(catalogue: Catalogue) -> None:
    text = "visits.total > 1\n  and\r\n  visits.totl > 2"
    with pytest.raises(ConditionError) as refused:
        parse_condition(text, catalogue)
    assert text[refused.value.offset :].startswith("visits.totl")


def test_fields_and_mentions(catalogue: Catalogue) -> None:
    text = (
        'customer.stage in ["new", "trial"] and not "monthly" == membership.plan or custom.trainer'
    )
    condition = parse_condition(text, catalogue)
    assert condition.fields == {"customer.stage", "membership.plan", "custom.trainer"}
    assert condition.mentions == (
        Mention("customer.stage", "new", 19),
        Mention("customer.stage", "trial", 26),
        Mention("membership.plan", "monthly", 43),
    )


BOMBS = {
    "brackets": "(" * 900 + "true" + ")" * 900,
    "not": "not " * 450 + "true",
    "minus": "-" * 1900 + "visits.total > 1",
    "sums": "visits.total > " + "1" + " * 9" * 400,
    "dots": "a" + ".a" * 900,
    "length": "visits.total > 1 and " * 500 + "true",
    "list": "visits.total in [" + "1," * 900 + "1]",
    "digits": "visits.total > " + "9" * 1900,
    "brackets in lists": "[" * 1900,
    "calls": "a(" * 900,
    "ifs": "true if true else " * 100 + "true",
    "chain": "1 < " * 400 + "visits.total",
}


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS.keys())
def test_a_bomb_is_refused_quickly(text: str, catalogue: Catalogue) -> None:
    begin = time.perf_counter()
    with pytest.raises(ConditionError):
        parse_condition(text, catalogue)
    assert time.perf_counter() - begin < 0.5


def test_a_long_plain_condition_is_none(catalogue: Catalogue) -> None:
    text = " or ".join(f'membership.plan == "p{number}"' for number in range(60))
    assert len(parse_condition(text, catalogue).mentions) == 60


WORDS = st.sampled_from(
    [
        *("and", "or", "not", "in", "is", "none", "true", "if", "else", "for", "x", "customer"),
        *"()[],.<=+-*/|~{}:'\"\\&#\n",
        *("==", "!=", "<=", "1", "2.5", "'a'", "{{", "}}", "{%", "%}"),
        *("visits.total", "membership.plan", "customer.tags", "membership.auto_renew"),
    ]
)


@given(words=st.lists(WORDS, max_size=12))
def test_whatever_the_words_only_a_condition_error_is_raised(
    words: list[str], catalogue: Catalogue
) -> None:
    text = " ".join(words)
    try:
        parse_condition(text, catalogue)
    except ConditionError as error:
        assert 0 <= error.offset <= len(text)
        assert error.message

"""What a text message is going to cost."""

from decimal import Decimal

import pytest

from crm_messaging.channels.sms_settings import KannelSettings
from crm_messaging.sms_cost import country_of, estimate

PRICES = KannelSettings.model_validate(
    {"provider": "kannel", "username": "u", "prices": {"IN": "0.20", "RU": 4, "*": "7.5"}}
).prices

# text, country                  segments, cost
COSTS = [
    ("a" * 160, "IN", 1, "0.20"),
    ("a" * 161, "IN", 2, "0.40"),
    ("न" * 71, "IN", 2, "0.40"),
    ("Я" * 70, "RU", 1, "4"),
    ("💪" * 36, "RU", 2, "8"),
    ("a" * 160, "GB", 1, "7.5"),
    ("", "IN", 0, "0.00"),
]


@pytest.mark.parametrize(("text", "country", "segments", "cost"), COSTS)
def test_a_message_costs_its_segments(text: str, country: str, segments: int, cost: str) -> None:
    found = estimate(text, country, PRICES)
    assert (found.size.segments, found.cost) == (segments, Decimal(cost))


def test_without_a_price_there_is_no_cost() -> None:
    assert estimate("Hi", "IN", {}).cost is None
    assert estimate("Hi", "IN", {"RU": Decimal(4)}).cost is None


def test_a_longer_header_can_cost_a_segment() -> None:
    assert estimate("a" * 306, "IN", PRICES, 6).cost == Decimal("0.40")
    assert estimate("a" * 306, "IN", PRICES, 7).cost == Decimal("0.60")


def test_shift_tables_are_mentioned_where_they_would_save() -> None:
    longer, short = estimate("न" * 71, "IN", PRICES), estimate("न" * 70, "IN", PRICES)
    assert longer.national is not None
    assert (longer.national.language, longer.national.segments) == ("Hindi", 1)
    assert longer.cost == Decimal("0.40"), "they are not what is paid for"
    assert short.national is None
    assert estimate("Я" * 71, "RU", PRICES).national is None


@pytest.mark.parametrize(
    ("number", "country"),
    [
        ("+919876543210", "IN"),
        ("+79161234567", "RU"),
        ("+77012345678", "KZ"),
        ("+14165550123", "CA"),
        ("+881612345678", None),
    ],
)
def test_the_country_of_a_number(number: str, country: str | None) -> None:
    assert country_of(number) == country

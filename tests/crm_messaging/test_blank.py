"""Empty fields and dates, as templates meet them."""

from datetime import date
from pathlib import Path

import pytest
from template_folder import sms_of

from crm_messaging.blank import Blank, Day, EmptyValueError
from crm_messaging.render import RenderError

NAME = {"customer__first_name": None}
DAYS = {"membership__days_left": None}

SAYS = [
    ('{{ customer.first_name or "friend" }}', NAME, "friend"),
    ('{{ customer.first_name | default("friend") }}', NAME, "friend"),
    ('{{ customer.first_name | default("friend", true) }}', NAME, "friend"),
    ("{% if customer.first_name %}a{% else %}b{% endif %}", NAME, "b"),
    ("{% if customer.first_name is none %}a{% else %}b{% endif %}", NAME, "a"),
    ("{% if customer.first_name is not none %}a{% else %}b{% endif %}", {}, "a"),
    ("{% if customer.first_name is defined %}a{% else %}b{% endif %}", NAME, "b"),
    ("{% if customer.first_name == none %}a{% else %}b{% endif %}", NAME, "a"),
    ("{% if none == customer.first_name %}a{% else %}b{% endif %}", NAME, "a"),
    ('{% if customer.first_name == "" %}a{% else %}b{% endif %}', NAME, "b"),
    ('{% if customer.first_name != "Asha" %}a{% else %}b{% endif %}', NAME, "a"),
    ("{% if membership.days_left < 5 %}a{% else %}b{% endif %}", DAYS, "b"),
    ("{% if membership.days_left >= 5 %}a{% else %}b{% endif %}", DAYS, "b"),
    ("{% if 5 > membership.days_left %}a{% else %}b{% endif %}", DAYS, "b"),
    ('{% if customer.first_name in ["Asha", "Ravi"] %}a{% else %}b{% endif %}', NAME, "b"),
    ('{% if "A" in customer.first_name %}a{% else %}b{% endif %}', NAME, "b"),
    ('{% if "vip" in customer.tags %}a{% else %}b{% endif %}', {"customer__tags": ""}, "b"),
    ('{% if "vip" in customer.tags %}a{% else %}b{% endif %}', {}, "a"),
    ('{% if "vi" in customer.tags %}a{% else %}b{% endif %}', {}, "b"),
    ('{% if membership.ends_on > "2026-01-01" %}a{% else %}b{% endif %}', {}, "a"),
    ('{% if membership.ends_on == "2027-03-11" %}a{% else %}b{% endif %}', {}, "a"),
    ('{% if "2027-03-12" > membership.ends_on %}a{% else %}b{% endif %}', {}, "a"),
    ("{% if membership.ends_on > visits.last_on %}a{% else %}b{% endif %}", {}, "a"),
    (
        '{% if membership.ends_on > "2026-01-01" %}a{% else %}b{% endif %}',
        {"membership__ends_on": None},
        "b",
    ),
]


@pytest.mark.parametrize(("template", "values", "text"), SAYS)
def test_a_template_says(
    tmp_path: Path, template: str, values: dict[str, object], text: str
) -> None:
    assert sms_of(tmp_path, template, **values) == text


STOPS = [
    "Dear {{ customer.first_name }},",
    "Dear {{ customer.first_name | upper }},",
    'Dear {{ "Ms " ~ customer.first_name }},',
    "Dear {{ customer.first_name | trim | title }},",
    "{{ customer.first_name | length }}",
    "{{ customer.first_name | truncate(5) }}",
    '{{ customer.first_name | join(", ") }}',
    "{{ customer.first_name | date }}",
    "{{ package.remaining | money }}",
    "{{ customer.first_name | urlencode }}",
    "{{ package.remaining + 1 }}",
    "{{ 1 - package.remaining }}",
    '{{ package.remaining | plural("a", "b") }}',
]


@pytest.mark.parametrize("template", STOPS)
def test_an_empty_field_is_never_printed(tmp_path: Path, template: str) -> None:
    with pytest.raises(RenderError, match=r"(first_name|remaining) is empty"):
        sms_of(tmp_path, template, customer__first_name=None, package__remaining=None)


def test_blank_is_equal_to_nothing_but_nothing() -> None:
    blank = Blank("customer.phone")
    assert blank != Blank("customer.email")  # a comparison with an empty value is false
    assert blank == None  # noqa: E711 - the comparison is what is tested
    assert blank not in ("", 0, False)
    for printed in (str, format, list, len):
        with pytest.raises(EmptyValueError):
            printed(blank)


def test_a_day_is_still_a_date() -> None:
    day = Day(2026, 3, 1)
    assert day == date(2026, 3, 1) == day
    assert day in {date(2026, 3, 1)}
    assert day != "1 March"
    assert day <= "2026-03-01" <= day
    with pytest.raises(TypeError):
        assert day < "tomorrow"

"""From template files to finished words."""

import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from template_folder import ASHA, CATALOGUE, email_of, library, row_of, sms_of

from crm_messaging.render import RenderError, render_email, values_for

SMS = [
    ("en", "Until {{ membership.ends_on | date }}", "Until March 11, 2027"),
    ("en-IN", "Until {{ membership.ends_on | date }}", "Until 11 March 2027"),
    ("ru", 'До {{ membership.ends_on | date("d MMMM") }}', "До 11 марта"),
    ("hi", '{{ membership.ends_on | date("d MMMM") }} तक', "11 मार्च तक"),
    ("en", '{{ membership.ends_on | date("short") }}', "3/11/27"),
    ("en", "{{ purchases.total | money }}", "₹18,500"),
    ("hi", "{{ (club.name or 10) | money }}", None),
    ("hi", "{{ (purchases.total * 10) | money }}", "₹1,85,000"),
    ("ru", "{{ (purchases.total / 8) | money }}", "2\xa0312,50\xa0₹"),
    ("en", "{{ purchases.total | number }}", "18,500"),
    ("en", '{{ visits.total }} {{ visits.total | plural("visit", "visits") }}', "112 visits"),
    ("hi", '{{ visits.last_7d | plural("बार", "बारों") }}', "बार"),
    ("en", "{{ customer.first_name | upper | lower | title }}", "Asha"),
    ("en", '{{ customer.tags | join(" & ") }}', "vip & yoga"),
    ("en", "{% for t in customer.tags %}{{ loop.index }}{{ t }}{% endfor %}", "1vip2yoga"),
    ("en", '{{ "yes" if membership.days_left > 3 else "no" }}', "yes"),
    ("en", "{{ (purchases.total / 7) | round(2) }}", "2642.86"),
    ("en", "{# a note #}\n\n  Hi {{ club.name }}! \n", "Hi Lotus Fitness!"),
    ("en", "A\n{% if visits.total %}\nB\n{% else %}\nC\n{% endif %}\nD", "A\nB\nD"),
    ("en", "A{% if visits.total %} B{% endif %}\nD", "A B\nD"),
    ("en", "A {%- if visits.total -%} B {%- endif %} C", "AB C"),
    ("en", "Tom & <Jerry>", "Tom & <Jerry>"),
]


@pytest.mark.parametrize(("language", "template", "text"), SMS)
def test_a_text_message(tmp_path: Path, language: str, template: str, text: str | None) -> None:
    if text is None:  # a filter binds closer than `*`: a text cannot be multiplied
        with pytest.raises(RenderError):
            sms_of(tmp_path, template, language=language)
    else:
        assert sms_of(tmp_path, template, language=language) == text


RUSSIAN_DAYS = [(1, "день"), (2, "дня"), (5, "дней"), (11, "дней"), (21, "день"), (104, "дня")]


@pytest.mark.parametrize(("number", "word"), RUSSIAN_DAYS)
def test_russian_plurals(tmp_path: Path, number: int, word: str) -> None:
    template = '{{ membership.days_left | plural("день", "дня", "дней") }}'
    assert sms_of(tmp_path, template, language="ru", membership__days_left=number) == word


def test_an_email_has_its_layout_in_both_parts(tmp_path: Path) -> None:
    email = email_of(
        tmp_path,
        "Dear *{{ customer.first_name }}*,\n\n"
        '[Renew now]({{ club.website }}/renew?ref={{ customer.ref }} "button")\n',
        head='subject: "{{ customer.first_name }}, one month to go"\npreheader: Two minutes',
    )
    assert email.subject == "Asha, one month to go"
    assert email.text == (
        "Dear Asha,\n\nRenew now: https://lotus.example/renew?ref=M-1042\n\n"
        "Lotus Fitness, 12 MG Road, Pune\n"
    )
    assert "<title>Asha, one month to go</title>" in email.html
    assert ">Two minutes</div>" in email.html
    assert "Dear <em>Asha</em>," in email.html
    assert re.search(
        r'<a class="button"\s+href="https://lotus\.example/renew\?ref=M-1042"', email.html
    )
    assert "color: #123456" in email.html
    assert "@media (max-width: 480px)" in email.html
    assert "Lotus Fitness, 12 MG Road, Pune" in email.html
    assert '<html lang="en" dir="ltr"' in email.html


def test_nothing_of_the_machinery_is_left(tmp_path: Path) -> None:
    email = email_of(
        tmp_path, "{# note #}\nHi\n\n{% if visits.total %}\n{{ club.name }}\n{% endif %}\n"
    )
    for part in (email.subject, email.html, email.text):
        assert not re.search(r"\{[{%#]|[}%#]\}|zq\d|[\ue000-\uf8ff]", part)


def test_values_are_escaped_in_html_and_not_in_text(tmp_path: Path) -> None:
    email = email_of(
        tmp_path,
        "Hi {{ customer.first_name }} {{ club.name ~ customer.first_name }}",
        head='subject: "Hi {{ customer.first_name }}"\npreheader: "{{ customer.first_name }}"',
        customer__first_name='<b>"A" & {{ club.name }}</b>',
    )
    assert "<b>" not in email.html
    assert email.html.count("&lt;b&gt;&#34;A&#34; &amp; {{ club.name }}&lt;/b&gt;") == 5
    assert 'Hi <b>"A" & {{ club.name }}</b> Lotus' in email.text
    assert email.subject == 'Hi <b>"A" & {{ club.name }}</b>'


LINKS = [
    ("[x]({{ club.website }})", {}, "https://lotus.example"),
    ("[x]({{ club.website }}/r?a={{ custom.goal }})", {}, "https://lotus.example/r?a=a%26b%22%3Ec"),
    ("[x](https://a.example/{{ custom.goal }})", {}, "https://a.example/a%26b%22%3Ec"),
    ("[x](tel:{{ club.phone }})", {}, "tel:+912240001000"),
    ("[x](mailto:{{ customer.email }})", {}, "mailto:asha%40example.org"),
    ("![x](https://a.example/{{ customer.ref }}.png)", {}, "https://a.example/M-1042.png"),
]


@pytest.mark.parametrize(("markdown", "values", "address"), LINKS)
def test_a_value_in_a_link(
    tmp_path: Path, markdown: str, values: dict[str, Any], address: str
) -> None:
    email = email_of(tmp_path, markdown, custom__goal='a&b">c', **values)
    assert f'"{address}"' in email.html


@pytest.mark.parametrize(
    "website", ["javascript:alert(1)", "", "lotus.example", 'https://a"b', "data:x", " https://a"]
)
def test_a_link_that_begins_with_no_web_address_stops_the_message(
    tmp_path: Path, website: str
) -> None:
    with pytest.raises(RenderError, match="web address"):
        email_of(tmp_path, "[x]({{ club.website }}/renew)", club__website=website)


def test_only_the_fields_it_reads_are_asked_for(tmp_path: Path) -> None:
    files = {
        "en/email/a/b.md": (
            '---\nsubject: "{{ customer.first_name }}"\npreheader: "{{ visits.total }}"\n---\n'
            "{% if membership.frozen %}{{ purchases.total | money }}{% endif %}"
        ),
    }
    compiled = library(tmp_path, files).load_email("a/b", "en")
    assert compiled.fields == {
        "customer.first_name",
        "visits.total",
        "membership.frozen",
        "purchases.total",
        "club.currency",
        "club.name",
        "club.address",
    }


FALLBACKS = [
    ("hi", "hi"),
    ("hi-IN", "hi"),
    ("hi_IN", "hi"),
    ("HI", "hi"),
    ("ru", "en"),
    ("", "en"),
    ("../../etc", "en"),
    ("layouts", "en"),
]


@pytest.mark.parametrize(("wanted", "written"), FALLBACKS)
def test_the_language_falls_back(tmp_path: Path, wanted: str, written: str) -> None:
    files = {"en/sms/a/b.txt": "Hi", "hi/sms/a/b.txt": "नमस्ते"}
    assert library(tmp_path, files, ("en", "hi", "ru")).resolve("sms", "a/b", wanted) == written


def test_what_the_club_s_language_lacks_comes_from_any(tmp_path: Path) -> None:
    made = library(tmp_path, {"ru/sms/a/b.txt": "Привет"}, ("en", "hi", "ru"))
    assert made.resolve("sms", "a/b", "hi") == "ru"


def test_dates_follow_the_customer_s_region_only_within_the_language(tmp_path: Path) -> None:
    files = {"en/email/a/b.md": "---\nsubject: '{{ membership.ends_on | date }}'\n---\nHi"}
    compiled = library(tmp_path, files).load_email("a/b", "en")
    row = row_of(compiled.fields, {})
    for language, subject in (("en-GB", "11 March 2027"), ("ru", "March 11, 2027")):
        values = values_for(row, language, CATALOGUE)
        assert render_email(compiled, values).subject == subject


def test_the_values_of_a_row() -> None:
    row = {
        **ASHA,
        "membership.ends_on": date(2027, 3, 11),
        "visits.last_on": datetime(2027, 3, 11),  # noqa: DTZ001 - as a driver may give a date
        "purchases.total": Decimal("12.50"),
        "membership.frozen": 0,
        "customer.tags": "",
        "custom.goal": None,
    }
    values = values_for(row, "en", CATALOGUE)
    assert values["membership"]["ends_on"] == date(2027, 3, 11) == values["visits"]["last_on"]
    assert values["purchases"]["total"] == 12.5
    assert values["membership"]["frozen"] is False
    assert values["customer"]["tags"] == []
    assert not values["custom"]["goal"]


def test_a_date_that_is_none_stops_the_message() -> None:
    with pytest.raises(RenderError, match=r"membership\.ends_on is not a date") as error:
        values_for({"membership.ends_on": "tomorrow"}, "en", CATALOGUE)
    assert "tomorrow" not in str(error.value)


def test_a_subject_with_a_line_end_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="control character") as error:
        email_of(
            tmp_path,
            "Hi",
            head='subject: "Hi {{ customer.first_name }}"',
            customer__first_name="Asha\nBcc: x@y.example",
        )
    assert "Bcc" not in str(error.value)


def test_an_empty_message_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match="empty"):
        sms_of(tmp_path, "{% if membership.frozen %}Hi{% endif %}")
    with pytest.raises(RenderError, match="empty"):
        email_of(tmp_path, "Hi", head="subject: '{% if membership.frozen %}Hi{% endif %}'")

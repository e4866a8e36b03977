"""`event.<key>` in templates: what the event that started a campaign says, whoever wrote it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from template_folder import ASHA, CATALOGUE, library, sms_problems

from crm_messaging.compiled import CompiledEmail
from crm_messaging.event_kinds import event_kinds
from crm_messaging.message_fields import with_message_fields
from crm_messaging.render import RenderError, render_email, render_sms, values_for
from crm_messaging.sms_worst import long_texts, too_long

TOLD: dict[str, Any] = {
    "amount": 1499,
    "trainer": "Ravi & Sons",
    "at": "2026-03-04T18:30",
    "in_utc": "2026-03-04T20:30:00Z",
    "day": "2026-03-04",
    "clock": "07:05",
    "paid": True,
    "free": False,
    "nothing": None,
    "empty": " ",
    "list": ["a"],
    "object": {"a": 1},
    "items": "towels",
    "__class__": "yoga",
    "nan": float("nan"),
    "endless": float("inf"),
    "digits": "1499",
    "year": "2026",
    "whole": 499.0,
    "parts": 499.5,
    "huge": 10**40,
}


def said(
    folder: Path, text: str, told: Mapping[str, Any] = TOLD, language: str = "en", **club: Any
) -> str:
    made = library(folder, {f"{language}/sms/a/b.txt": text}, (language,))
    compiled = made.load_sms("a/b", language)
    known = ASHA | {f"club.{key}": value for key, value in club.items()}
    row = {
        name: told.get(name.removeprefix("event.")) if name.startswith("event.") else known[name]
        for name in compiled.fields
    }
    return render_sms(compiled, values_for(row, language, made.catalogue))


SAYS = [
    ("{{ event.trainer }}, {{ event.amount }}", "Ravi & Sons, 1499"),
    ("{{ event.amount | money }}", "₹1,499"),
    ("{{ event.whole }} {{ event.parts }} {{ event.whole | money }}", "499 499.5 ₹499"),
    ('{{ event.at | date("d MMMM") }}, {{ event.at | time }}', "4 March, 6:30 PM"),
    ('{{ event.day | date("d MMMM") }}, {{ event.clock | time }}', "4 March, 7:05 AM"),
    # By the club's clocks, in Pune the night has already begun a new day.
    ('{{ event.in_utc | date("d MMMM") }}, {{ event.in_utc | time }}', "5 March, 2:00 AM"),
    ("{{ event.items }} {{ event.__class__ }}", "towels yoga"),
    ('{{ event.nothing or "-" }} {{ event.list | default("-") }} {{ event.gone or "-" }}', "- - -"),
    ('{{ event.empty or "-" }} {{ event.object or "-" }} {{ event.nan or "-" }}', "- - -"),
    ('{{ event.endless | default("-") }}', "-"),
    ("{% if event.paid and not event.free %}a{% else %}b{% endif %}", "a"),
    ("{% if event.paid == true and event.free == false %}a{% else %}b{% endif %}", "a"),
    ("{% if event.amount > 1000 %}a{% else %}b{% endif %}", "a"),
    # A text is no number, as where a trigger asks the data.
    ("{% if event.digits > 1000 or event.digits <= 1000 %}a{% else %}b{% endif %}", "b"),
    ("{% if 1000 < event.digits or event.digits == 1499 %}a{% else %}b{% endif %}", "b"),
    ("{% if event.paid > 0 or event.gone < 5 or event.list >= 0 %}a{% else %}b{% endif %}", "b"),
    ('{% if event.trainer == "Ravi & Sons" %}a{% else %}b{% endif %}', "a"),
    ('{% if event.trainer in ["Ravi & Sons", "Asha"] %}a{% else %}b{% endif %}', "a"),
    ("{% if event.day < membership.ends_on %}a{% else %}b{% endif %}", "a"),
    ('{{ event.amount * 2 }} {{ event.trainer | upper }}', "2998 RAVI & SONS"),
]  # fmt: skip


@pytest.mark.parametrize(("template", "text"), SAYS)
def test_a_template_says(tmp_path: Path, template: str, text: str) -> None:
    assert said(tmp_path, template) == text


STOPS = [
    ("{{ event.gone }}", "event.gone is empty for this customer"),
    ("{{ event.list }}", "event.list is empty"),
    ("{{ event.object | upper }}", "event.object is empty"),
    ("{{ event.empty }}", "event.empty is empty"),
    ("{{ event.nan | money }}", "event.nan is empty"),
    ("{{ event.gone | time }}", "event.gone is empty"),
    ("{{ event.paid }}", "event.paid is true or false, and cannot be printed"),
    ('{{ event.paid | default("x") ~ "!" }}', "true or false"),
    ("{{ event.digits | money }}", "money needs a number, and event.digits is not one"),
    ("{{ event.paid | money }}", "the filter money needs a number, and event.paid is not one"),
    ("{{ event.trainer | date }}", "the filter date needs a date, and event.trainer is not one"),
    ("{{ event.trainer | time }}", "or 18:30, and event.trainer is not one"),
    ("{{ event.day | time }}", "the filter time needs a time"),
    ("{{ event.year | time }}", "the filter time needs a time"),
    ("{{ event.amount | time }}", "the filter time needs a time"),
    ("{{ event.huge * event.huge }}", "needs two numbers of ordinary size"),
    ('{{ event.trainer * 9 }}', "needs two numbers of ordinary size"),
]  # fmt: skip


@pytest.mark.parametrize(("template", "why"), STOPS)
def test_a_message_that_cannot_be_made_says_why(tmp_path: Path, template: str, why: str) -> None:
    with pytest.raises(RenderError, match=why) as stopped:
        said(tmp_path, template)
    assert "Ravi" not in f"{stopped.value}{stopped.value.instruction}"


@pytest.mark.parametrize(
    ("template", "message", "fix"),
    [
        ("{{ evnt.amount }}", "there is no field evnt.amount", "Did you mean event.amount?"),
        ("{{ event }}", "event is a family of fields, not a value", "such as event.amount"),
        ("{{ event.сумма }}", "`сумма` cannot be a key of an event's data", "Use letters"),
        (f"{{{{ event.{'a' * 65} }}}}", "cannot be a key", "Use letters"),
        ("{{ event.a.b }}", "there is nothing behind .b", "A field is"),
        ('{{ event["a"] }}', "a template cannot use [ ]", ""),
        ("{{ event.items() }}", "a template cannot call anything", ""),
        ("{% for one in event.list %}{{ one }}{% endfor %}", "over a list field only", ""),
        ("{% for event in customer.tags %}{{ event }}{% endfor %}", "cannot be called event", ""),
        ("{{ membership.ends_on | time }}", "`time` has no use for it", "18:30"),
    ],
)
def test_what_is_no_key_is_told_at_its_place(
    tmp_path: Path, template: str, message: str, fix: str
) -> None:
    found = sms_problems(tmp_path, f"Hi!\n{template}")[0]
    assert message in found.message and fix in found.fix
    assert (found.file, found.line) == ("templates/en/sms/a/b.txt", 2)


HOSTILE = '<script>x</script>" onclick="y\n# [z](https://evil.example) {{ club.name }}'


def test_what_a_stranger_wrote_stays_a_text(tmp_path: Path) -> None:
    body = "Hi {{ event.note }}\n\n[here]({{ club.website }}/{{ event.note }})"
    email = made_email(tmp_path, "Hello", body, HOSTILE)
    assert "<script" not in email.html and 'onclick="y' not in email.html
    assert "&lt;script&gt;x&lt;/script&gt;" in email.html
    assert 'href="https://evil.example' not in email.html and "{{ club.name }}" in email.html
    assert "https://lotus.example/%3Cscript%3E" in email.html


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\u2028", "\x85", "\0"])
def test_no_header_is_smuggled_in(tmp_path: Path, end: str) -> None:
    with pytest.raises(RenderError, match="line end"):
        made_email(tmp_path, "{{ event.note }}", "Hi", f"a{end}Bcc: all@example.org")


@pytest.mark.parametrize("link", ["{{ event.note }}", "https://{{ event.note }}/x"])
def test_a_stranger_chooses_no_host(tmp_path: Path, link: str) -> None:
    files = {"en/email/a/b.md": f"---\nsubject: Hello\n---\n[pay]({link})"}
    (found,) = library(tmp_path, files).problems("email", "a/b")
    assert "a link cannot begin with" in found.message or "part of a link's host" in found.message


def made_email(folder: Path, subject: str, body: str, note: str) -> Any:
    file = f'---\nsubject: "{subject}"\n---\n{body}'
    made = library(folder, {"en/email/a/b.md": file})
    compiled = made.load_email("a/b", "en")
    row = {name: note if name == "event.note" else ASHA[name] for name in compiled.fields}
    return render_email(compiled, values_for(row, "en", made.catalogue))


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["<b>", "2026-03-04T18:30Z", "9999-12-31T23:59-12:00", "24:00", "1e9", "१२"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=3,
)
SHOWN = (
    '{{ event.a }} {{ event.b | default("-") }}',
    '{{ event.a | money }} {{ event.b | plural("x", "y") }}',
    "{{ event.a | date }} {{ event.b | time }}",
    "{% if event.a > 5 and event.b <= event.a %}{{ event.a * event.b }}{% endif %}",
    '{{ event.a ~ event.b | upper }}{% if "x" in event.a %}{{ event.b | length }}{% endif %}',
)


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> list[CompiledEmail]:
    files = {
        f"en/email/a/b{number}.md": f"---\nsubject: Hello\nlayout: bare\n---\n. {text}\n"
        for number, text in enumerate(SHOWN)
    }
    made = library(tmp_path_factory.mktemp("shown"), files)
    return [made.load_email(f"a/b{number}", "en") for number in range(len(SHOWN))]


@given(a=JSON, b=JSON)
@settings(max_examples=150, deadline=None)
def test_whatever_is_told_a_message_is_made_or_says_why(
    shown: list[CompiledEmail], a: Any, b: Any
) -> None:
    catalogue = with_message_fields(CATALOGUE)
    for compiled in shown:
        told = {"event.a": a, "event.b": b}
        row = {name: told.get(name, ASHA.get(name)) for name in compiled.fields}
        try:
            email = render_email(compiled, values_for(row, "en", catalogue))
        except RenderError as error:
            assert error.reason.startswith(("event.", "The template failed", "The message is"))
        else:
            content = email.html.partition("<i></i>")[2].partition("<u></u>")[0]
            assert "." in content and "<b>" not in content


def test_the_languages_write_times_their_own_way(tmp_path: Path) -> None:
    times = {one: said(tmp_path, "{{ event.at | time }}", language=one) for one in ("hi", "ru")}
    assert times == {"hi": "6:30 pm", "ru": "18:30"}


@pytest.mark.parametrize(
    ("template", "kind"),
    [
        ("{{ event.a }}", "text"),
        ("{{ event.a | money }}", "number"),
        ("{{ event.a | default(0) | round | number }}", "number"),
        ("{{ (event.a or 0) | money }}", "number"),
        ("{{ event.a }}{% if event.a > 5 %}x{% endif %}", "number"),
        ("{{ 3 * event.a }}", "number"),
        ('{{ event.a | date("d MMMM") }} {{ event.a }}', "date"),
        ("{{ event.a | time }}", "date"),
        ('{% if event.a == "b" %}x{% endif %}', "text"),
    ],
)
def test_how_a_template_shows_it_tells_what_it_is(template: str, kind: str) -> None:
    assert event_kinds([template, "{{ event.b | upper }}"], CATALOGUE)["event.a"] == kind


def test_a_text_message_is_measured_with_long_data(tmp_path: Path) -> None:
    text = (
        "{% if event.amount > 0 %}{{ event.amount | money }}{% else %}Nothing{% endif %}"
        ' {{ event.trainer }} {{ event.at | date("d MMMM") }} {{ event.at | time }}'
    )
    long = "word " * 70
    files = {
        "en/sms/a/b.txt": text,
        "en/sms/a/c.txt": f"{long[:300]} {{{{ event.note }}}}",
        "en/sms/a/d.txt": f"{{% if event.note %}}Hello.{{% else %}}{long}{{% endif %}}",
    }
    made = library(tmp_path, files)
    club = {"club.currency": "INR", "club.timezone": "Asia/Kolkata"}
    texts = long_texts(made, "a/b", "en", club)
    assert "₹88,888 Christopher 28 September 10:30 PM" in texts
    assert "Nothing Christopher 28 May 10:30 PM" in texts
    assert too_long(made, "a/b", club) == []
    (found,) = too_long(made, "a/c", club)
    assert "this takes 3 segments" in found.message
    (found,) = too_long(made, "a/d", club)
    assert "this takes 3 segments" in found.message

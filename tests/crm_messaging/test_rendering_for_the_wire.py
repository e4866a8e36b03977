"""The quick way of rendering, held to the plain one: the same words, the same refusals."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from template_folder import ASHA, CATALOGUE, library

from crm_messaging.blank import Blank
from crm_messaging.club_copy import MAX_COPIES, club_copy
from crm_messaging.compiled import HTML, PLAIN, CompiledEmail, FlatTemplate
from crm_messaging.form import MAX_PIECES, MAX_SHAPES, Form, links_in
from crm_messaging.form_shape import MAX_OCTETS
from crm_messaging.message_fields import LINKS, examples, with_message_fields
from crm_messaging.render import RenderError, render_email, render_for_wire, values_for
from crm_messaging.template_language import TemplateSandbox
from crm_messaging.template_library import TemplateLibrary
from crm_messaging.wire_text import WireParts, WireText
from crm_store.catalogue.field import FieldType

STARTERS = TemplateLibrary(Path(__file__).parents[2] / "templates", CATALOGUE, ["en", "hi", "ru"])
CASES = [(name, language) for name in STARTERS.names("email") for language in STARTERS.languages]

FIELDS = with_message_fields(CATALOGUE)
HERS = ASHA | examples(field.name for field in FIELDS) | {"event.amount": 1499}
EVERYTHING = """---
subject: "{{ customer.first_name }} & {{ club.name }}"
preheader: "{{ club.name | upper | truncate(9) }}{{ custom.goal or club.address }}"
---
{% if club.phone %}
Call {{ club.phone | default("us") }}, {{ club.name ~ " <b> " ~ customer.first_name }}.
{% else %}
No phone at {{ club.name | lower | title }}
{% endif %}

{{ club.name }}.
{{ custom.goal }}
*{{ club.address }}*

{% for tag in customer.tags %}
{{ message.unsubscribe_url or "" }}
{{ loop.index }}. {{ tag }} of {{ club.name }} {% if not loop.last %}, {% endif %}
{% endfor %}

[one]({{ club.website }}/a?b={{ customer.first_name }}) [two](tel:{{ club.phone }})
[three](https://a.example/{{ club.name }}) {{ "yes" if club.name == customer.first_name else "no" }}

{{ purchases.total | money }} {{ visits.total | plural("visit", "visits") }}
{{ membership.ends_on | date }} {{ club.name | length }} {{ club.name in club.address }}

{{ message.confirm_url }}{{ custom.goal }}{{ message.confirm_url }}={{ message.preferences_url }}=
{{ message.preferences_url | truncate(20) }} {{ message.confirm_url or message.preferences_url }}
{% if message.unsubscribe_url %}[{{ message.unsubscribe_url }}]({{ message.unsubscribe_url }}) or
{% endif %}
[yes]({{ message.confirm_url }}) [{{ customer.first_name }}]({{ message.preferences_url }})
"""
"""Every way in which a club's field, or a link to our own pages, can stand in a template."""


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> CompiledEmail:
    files = {"en/email/a/b.md": EVERYTHING}
    return library(tmp_path_factory.mktemp("club"), files).load_email("a/b", "en")


hostile = st.one_of(
    st.none(),
    st.text(max_size=40),
    st.text(st.sampled_from(list("a .\n\r\t\0<>&\"'{}%#\\é\u200d\xa0\u2028")), max_size=8),
    st.sampled_from(
        [
            *("{{ club.name }}", "{% if", "{#", "<b>&amp;", "x" * 1200, "\r", "\r\n.", "\n", "."),
            *("आशा", "Анна", "🏋️‍♀️", "آشا", "=?utf-8?q?=0A?=", "--=_Sampark_" + "QXZJ" * 8, "\ud800"),
            *("https://lotus.example", "javascript:x", "+91 22", "'", '"', "\\n", "x\u2028y"),
        ]
    ),
    st.text(st.sampled_from(list("aZ0:/._%~[]-=&`'")), max_size=12).map("https://a.b/".__add__),
    st.text(st.sampled_from(list("aZ0:/._%~[]-")), max_size=4),
)


def quick_way(compiled: CompiledEmail, values: dict[str, Any]) -> WireParts:
    return render_for_wire(club_copy(compiled, values), values, links_in(values))


def agree(compiled: CompiledEmail, row: dict[str, Any]) -> WireParts | None:
    """What both ways make of a row; `None` where both refuse it, in the same words."""
    values = values_for(row, compiled.language, FIELDS)
    try:
        plain = WireParts.of(render_email(compiled, values))
    except RenderError as refusal:
        with pytest.raises(RenderError) as same:
            quick_way(compiled, values)
        assert (str(same.value), same.value.__cause__) == (str(refusal), None)
        return None
    quick = quick_way(compiled, values)
    assert quick.subject == plain.subject
    for mine, its in ((quick.html, plain.html), (quick.text, plain.text)):
        assert (mine.octets, *mine[1:]) == (its.octets, *its[1:])
    return quick


def rows(compiled: CompiledEmail) -> st.SearchStrategy[dict[str, Any]]:
    """Hostile texts in some of the fields, the examples in the others."""
    texts = [n for n in sorted(compiled.fields) if FIELDS[n].type is FieldType.TEXT]
    example = {name: HERS[name] for name in sorted(compiled.fields)}
    changes = st.dictionaries(st.sampled_from(texts), hostile, max_size=3)
    return changes.map(lambda changed: example | changed)


@pytest.mark.parametrize(("name", "language"), CASES)
def test_the_starter_emails(name: str, language: str) -> None:
    compiled = STARTERS.load_email(name, language)

    @settings(max_examples=25, deadline=None)
    @given(rows(compiled))
    def check(row: dict[str, Any]) -> None:
        agree(compiled, row)

    made = agree(compiled, {field: HERS[field] for field in compiled.fields})
    assert made is not None
    assert made.html.clean and made.text.clean, "it leaves without being searched through"
    check()


@settings(max_examples=250, deadline=None)
@given(data=st.data())
def test_every_place_a_field_can_stand_in(everything: CompiledEmail, data: st.DataObject) -> None:
    everything.club_copies.clear()
    agree(everything, data.draw(rows(everything)))


def test_the_example_of_it_is_a_form(everything: CompiledEmail) -> None:
    made = agree(everything, {field: HERS[field] for field in everything.fields})
    assert made is not None
    assert len(made.html.pieces) > 20 and len(made.text.pieces) > 20


def test_an_empty_field_of_the_club_stops_the_message(everything: CompiledEmail) -> None:
    row = {field: HERS[field] for field in everything.fields} | {"club.name": None}
    values = values_for(row, "en", FIELDS)
    with pytest.raises(RenderError, match=r"club\.name is empty"):
        quick_way(everything, values)


def test_what_is_alike_for_everybody_is_encoded_once(tmp_path: Path) -> None:
    files = {
        "en/email/a/b.md": "---\nsubject: '{{ club.name }}'\nlayout: bare\n---\n"
        "Hi {{ customer.first_name }} from {{ club.name }}, {{ club.address }}"
    }
    compiled = library(tmp_path, files).load_email("a/b", "en")
    row = {field: HERS[field] for field in compiled.fields}
    asha, anna = (
        quick_way(compiled, values_for(row | {"customer.first_name": name}, "en", CATALOGUE))
        for name in ("Asha", "Анна")
    )
    assert asha.text.pieces == (b"Hi ", b"Asha", b" from Lotus Fitness, 12 MG Road, Pune\r\n")
    assert anna.text.pieces[1].decode() == "Анна"
    assert anna.text.pieces[2] is asha.text.pieces[2]
    assert (asha.text.is_ascii, anna.text.is_ascii) == (True, False)


ASCII = FlatTemplate(PLAIN, "{% if customer.tags %}{{ customer.tags }}{% endif %}")


def filled_as_plain(texts: list[FlatTemplate], values: dict[str, Any]) -> bool:
    """Whether a form can be filled with these values; it says the same as the texts."""
    form = Form([one.in_form for one in texts])
    filled = form.filled(texts[0].template.new_context(values), links_in(values))
    for mine, one in zip(filled or (), texts, strict=filled is not None):
        its = WireText.of(one.tidy(one.template.render(values)))
        assert (mine.octets, *mine[1:]) == (its.octets, *its[1:])
    return filled is not None


@pytest.mark.parametrize(
    "awkward",
    [
        *(".", "_", " ", "", "a\nb", "\ta", "a=_b", "a=", "\x0b", "\u2028", "a\u2028b", "é\x85"),
        *("x" * 990, "é" * 499, "\ud800", "0" * 16, "\xa0", "a\xa0b"),
    ],
)
@pytest.mark.parametrize("around", ["{}", "\n\n{}\n\n", "a={}_b", "\n{}.", "{}{}", "=_{}"])
def test_a_value_that_is_awkward_where_it_stands(around: str, awkward: str) -> None:
    source = around.replace("{}", "{{ customer.first_name }}")
    one = FlatTemplate(PLAIN, source, tidy=str.strip)
    made = filled_as_plain([one, ASCII], {"customer": {"first_name": awkward, "tags": "vip"}})
    assert made or not awkward.isalpha() or around in ("a={}_b", "=_{}")


@pytest.mark.parametrize("template", [PLAIN, HTML], ids=["text", "HTML"])
@pytest.mark.parametrize(
    "url",
    [
        *("https://go.a.example/u/_-x", "http://[::1]:4280/c/A", "a", "x" * 990, "", ".", "_", "`"),
        *(" ", "a b", "a\n", "a\n.b", "https://a.example/?b=1&c=2", "a=_b", "a="),
        *("<b>", '"', "'", "https://é.example", "\ud800", "\0", "\xa0", None, Blank("it"), 7),
    ],
)
@pytest.mark.parametrize("around", ["{}", "\n\n{}\n\n", "a={}_b", "\n{}.", "{}{}", "=_{}", ">{}<"])
def test_a_link_that_is_awkward_where_it_stands(
    around: str, url: object, template: TemplateSandbox
) -> None:
    one = FlatTemplate(template, around.replace("{}", "{{ message.url }}"), tidy=str.strip)
    made = filled_as_plain([one, one], {LINKS: {"url": url}})
    assert made or not isinstance(url, str) or not url.startswith("https://go") or "=" in around


def test_what_is_too_much_for_a_form_is_made_the_plain_way() -> None:
    one = FlatTemplate(PLAIN, "{% for tag in customer.tags %}{{ tag }}{% endfor %}")
    for tags, is_a_form in (
        *((["x"] * (MAX_PIECES // 2 - 1), True), (["x"] * (MAX_PIECES // 2), False)),
        *((["x" * MAX_OCTETS], True), (["x" * (MAX_OCTETS + 1)], False)),
    ):
        assert filled_as_plain([one], {"customer": {"tags": tags}}) is is_a_form


def test_a_text_of_many_shapes_is_made_the_plain_way_in_the_end() -> None:
    source = "".join(f"{{% if customer.tags == '{n}' %}}{n}.{{% endif %}}" for n in range(70))
    one = FlatTemplate(PLAIN, source)
    form = Form([one.in_form])
    made = []
    for number in range(70):
        context = one.template.new_context({"customer": {"tags": str(number)}})
        made.append(form.filled(context, {}))
    assert [texts and texts[0].octets for texts in made] == [
        *(f"{n}.".encode() for n in range(MAX_SHAPES)),
        *[None] * (70 - MAX_SHAPES),
    ]


def test_each_club_reads_its_own_name_however_many_there_are(everything: CompiledEmail) -> None:
    everything.club_copies.clear()
    example = {field: HERS[field] for field in everything.fields}
    for number in (*range(MAX_COPIES + 2), 0):
        made = agree(everything, example | {"club.name": f"Club {number}"})
        assert made is not None
        assert f"Club {number}." in made.text.octets.decode()
    assert len(everything.club_copies) == MAX_COPIES


def test_a_very_long_message_is_stopped(everything: CompiledEmail) -> None:
    row = {field: HERS[field] for field in everything.fields} | {"custom.goal": "x" * 600_000}
    with pytest.raises(RenderError, match="longer than 512 KB"):
        quick_way(everything, values_for(row, "en", FIELDS))

"""Templates and values that mean harm: nothing runs long, grows large, or gets out."""

import time
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from template_folder import ASHA, CATALOGUE, email_of, library, row_of, sms_of

from crm_messaging.compiled import CompiledSms
from crm_messaging.message import EmailParts
from crm_messaging.render import RenderError, render_email, render_sms, values_for
from crm_messaging.template_file import MAX_BYTES
from crm_messaging.template_language import TemplateSandbox
from crm_messaging.template_library import TemplateLibrary
from crm_messaging.template_problems import TemplateUnusable

UNCHECKED = [
    "{{ ''.__class__ }}",
    "{{ customer.__class__ }}",
    "{{ customer.items }}",
    "{{ customer.items() }}",
    "{{ customer['first_name'] }}",
    "{{ customer.first_name.upper() }}",
    "{{ '{0.__class__}'.format(customer) }}",
    "{{ range(9) }}",
    "{{ lipsum() }}",
    "{{ cycler('a') }}",
    "{{ 2 ** 999999999 }}",
    "{{ 'a' * 999999999 }}",
    "{{ customer.tags * 999999999 }}",
    "{{ 9999999999999 * 9999999999999 }}",
    "{{ '%0999999999d' % 5 }}",
    "{{ 5 | round(-999999999) }}",
    "{{ customer.first_name | attr('upper') }}",
    "{{ 'a' | center(999999999) }}",
    "{% for t in customer.tags %}{{ loop._iterable }}{% endfor %}",
    "{% for t in customer.tags %}{{ loop.cycle('a') }}{% endfor %}",
    "{% include 'x' %}",
    "{% import 'x' as y %}",
]


@pytest.mark.parametrize("template", UNCHECKED)
def test_the_sandbox_holds_without_the_check(template: str) -> None:
    values = values_for(ASHA, "en", CATALOGUE)
    began = time.perf_counter()
    with pytest.raises(Exception) as error:
        compiled = TemplateSandbox(autoescape=False).from_string(template)
        render_sms(CompiledSms("x", "en", frozenset(), compiled), values)
    assert time.perf_counter() - began < 1
    assert "Asha" not in str(error.value)


def test_a_long_value_many_times_over_is_stopped(tmp_path: Path) -> None:
    loop = "{% for t in customer.tags %}{{ custom.goal }}{% endfor %}"
    tags = "\n".join(f"t{n}" for n in range(200))
    began = time.perf_counter()
    with pytest.raises(RenderError, match="longer than"):
        email_of(tmp_path, loop, custom__goal="x" * 1_000_000, customer__tags=tags)
    assert time.perf_counter() - began < 2


def test_joins_within_joins_are_stopped(tmp_path: Path) -> None:
    inner = "customer.tags"
    for _ in range(6):
        inner = f"customer.tags | join({inner})" if inner != "customer.tags" else "('x' or 1) * 1"
    tags = "\n".join(f"{'t' * 400}{n}" for n in range(200))
    with pytest.raises(RenderError):
        email_of(tmp_path, f"{{{{ {inner} }}}}", customer__tags=tags)


def test_the_largest_template_renders_in_time(tmp_path: Path) -> None:
    body = "{% for t in customer.tags %}{% if t %}" + "{{ t }}" * 9000 + "{% endif %}{% endfor %}"
    tags = "\n".join(f"t{n}" for n in range(200))
    began = time.perf_counter()
    with pytest.raises(RenderError, match="longer than"):
        sms_of(tmp_path, body, customer__tags=tags)
    assert time.perf_counter() - began < 3


def test_a_file_too_large_is_not_compiled(tmp_path: Path) -> None:
    with pytest.raises(TemplateUnusable, match="larger than"):
        sms_of(tmp_path, "x" * (MAX_BYTES + 1))


def test_too_many_tags_on_a_customer_stop_her_message(tmp_path: Path) -> None:
    with pytest.raises(RenderError, match=r"customer\.tags"):
        sms_of(tmp_path, '{% if "a" in customer.tags %}x{% endif %}y', customer__tags="a\n" * 500)


@pytest.mark.parametrize(
    "template",
    [
        '{{ (customer.first_name or "") + 1 }}',
        '{{ (customer.first_name or "") < 1 }}',
        "{{ customer.first_name | date }}",
        '{{ (customer.first_name or "") | money }}',
        '{{ (customer.first_name or "") | number }}',
        '{{ (customer.first_name or "") | plural("a", "b") }}',
        '{{ (customer.first_name or "") | abs }}',
        "{{ 1 / 0 }}",
        "{{ customer.first_name | truncate(-5) }}",
    ],
)
def test_a_failure_tells_no_value(tmp_path: Path, template: str) -> None:
    with pytest.raises(RenderError) as error:
        sms_of(tmp_path, template, customer__first_name="Secretname")
    assert "Secretname" not in str(error.value)
    assert error.value.__cause__ is None
    assert error.value.__suppress_context__


class Elements(HTMLParser):
    """The elements of a page, with the names of their attributes and the values of links."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, tuple(name for name, _ in attrs)))
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]


def elements(email: EmailParts) -> Elements:
    reader = Elements()
    reader.feed(email.html)
    return reader


BODY = """Dear {{ customer.first_name }}, **{{ custom.goal }}**

[{{ custom.goal }}]({{ club.website }}/a/{{ custom.goal }}?b={{ customer.last_name }} "button")

![{{ custom.goal }}](https://a.example/{{ customer.first_name }}.png "{{ custom.goal }}")
"""
HEAD = 'subject: Hi\npreheader: "{{ custom.goal }}"'


@pytest.fixture(scope="module")
def hostile_library(tmp_path_factory: pytest.TempPathFactory) -> TemplateLibrary:
    files = {"en/email/a/b.md": f"---\n{HEAD}\n---\n{BODY}"}
    return library(tmp_path_factory.mktemp("hostile"), files)


markup = st.text(st.sampled_from("<>\"'&/={}%#()[]!- ajx:.?\n\\`"), max_size=40)


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.one_of(markup, st.text(max_size=40)), goal=st.one_of(markup, st.text(max_size=40)))
def test_no_value_changes_the_page(hostile_library: TemplateLibrary, name: str, goal: str) -> None:
    compiled = hostile_library.load_email("a/b", "en")

    def page(values: dict[str, Any]) -> Elements:
        row = row_of(compiled.fields, values)
        return elements(render_email(compiled, values_for(row, "en", CATALOGUE)))

    hostile = page({"customer.first_name": name, "customer.last_name": name, "custom.goal": goal})
    harmless = page({})
    assert hostile.found == harmless.found
    assert [link.split("/")[:3] for link in hostile.links] == [
        ["https:", "", "lotus.example"],
        ["https:", "", "a.example"],
    ]
    assert [link.count("/") for link in hostile.links] == [4, 3]
    assert [link.count("?") for link in hostile.links] == [1, 0]


pieces = st.sampled_from(
    [
        *("{{ ", " }}", "{% if ", "{% for t in ", "{% endif %}", "{% endfor %}", "{% else %}"),
        *(" %}", "customer", ".first_name", "customer.tags", "visits.total", " | ", "date"),
        *("upper", "join(", ")", "(", "[", "]", "'a'", "1", " + ", " * ", " ~ ", "loop.index"),
        *("\n", "- ", "# ", "text ", "[x](", "https://a.example/", "**", "{#", "#}", "-", "t"),
        *("<", ">", "&", "`", "| default('x')", " if ", " else ", " in ", " is none", "---\n"),
    ]
)


@settings(
    max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(pieces, max_size=25).map("".join))
def test_any_text_is_a_template_or_has_findings(tmp_path: Path, text: str) -> None:
    files = {"en/email/a/b.md": f"---\nsubject: Hi\n---\n{text}", "en/sms/a/b.txt": text}
    made = library(tmp_path, files)
    for channel in ("email", "sms"):
        findings = made.problems(channel, "a/b")
        assert all(found.line and found.column and found.message for found in findings)
        if findings:
            continue
        compiled = made.load(channel, "a/b", "en")
        values = values_for(row_of(compiled.fields, {}), "en", CATALOGUE)
        try:
            if isinstance(compiled, CompiledSms):
                render_sms(compiled, values)
            else:
                render_email(compiled, values)
        except RenderError:
            pass

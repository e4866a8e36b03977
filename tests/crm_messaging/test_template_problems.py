"""Every mistake in a template is named, with its place and a way to mend it."""

from pathlib import Path

import pytest
from template_folder import LAYOUT, email_problems, library, sms_problems

from crm_messaging.template_problems import TemplateUnusable

SMS = [
    ("Hi {{ customer.frist_name }}", "1:7", "no field customer.frist_name", "customer.first_name?"),
    ("Hi\n  {{ visits.last_9d }}", "2:6", "no field visits.last_9d", "visits.last_90d?"),
    (
        "{{ customer.height }}",
        "1:4",
        "no field customer.height",
        "There are customer.ref, ",
    ),
    ("{{ custmer.email }}", "1:4", "no field custmer.email", "customer.email?"),
    ("{{ first_name }}", "1:4", "no variable first_name", "customer.first_name?"),
    ("{{ club }}", "1:4", "club is a family", "club.name"),
    ("{{ club.name.upper }}", "1:13", "nothing behind .upper", "family.name"),
    ("{{ club.name | uper }}", "1:16", "no filter uper", "upper?"),
    ("{{ club.name | safe }}", "1:16", "no filter safe", "There are"),
    ("{{ club.name | replace('a', 'b') }}", "1:16", "no filter replace", ""),
    ("{% if club.name is nome %}x{% endif %}", "1:17", "no test nome", "none?"),
    ("{{ club.name.upper() }}", "1:19", "cannot call", "| upper"),
    ("{{ range(10) }}", "1:9", "cannot call", ""),
    ("{{ club['name'] }}", "1:8", "cannot use [ ]", "customer.first_name"),
    (
        "{% if visits.total > '8' %}x{% endif %}",
        "1:22",
        "a whole number and is compared with text",
        "",
    ),
    ("{% if '8' < visits.total %}x{% endif %}", "1:7", "a whole number", "without quotes"),
    ("{% if customer.stage == 3 %}x{% endif %}", "1:25", "text and is compared", 'quotes: "3"'),
    (
        "{% if customer.tags == 'vip' %}x{% endif %}",
        "1:24",
        "set of tags",
        '"vip" in customer.tags',
    ),
    (
        "{% if membership.frozen == 'no' %}x{% endif %}",
        "1:28",
        "true or false",
        "membership.frozen",
    ),
    ("{% if membership.ends_on < '1/2/27' %}x{% endif %}", "1:28", "a date", "2026-11-22"),
    ("{% if visits.total in [1, '2'] %}x{% endif %}", "1:27", "compared with text", "quotes"),
    ("{% if 3 in customer.tags %}x{% endif %}", "1:7", "among texts", "quotes"),
    ("{% if 3 in visits.total %}x{% endif %}", "1:18", "nothing is `in` it", "tags"),
    ("{{ customer.first_name + 1 }}", "1:12", "cannot be calculated with", "~"),
    ("{{ purchases.total * 10 | money }}", "1:27", "cannot be calculated with", "~"),
    ("{{ customer.first_name | money }}", "1:12", "`money` has no use", "numbers"),
    ("{{ visits.total | date }}", "1:10", "`date` has no use", "dates"),
    ("{{ visits.total | join }}", "1:10", "`join` has no use", "texts"),
    ("{{ 2 ** 9 }}", "1:4", "cannot use **", "Multiply"),
    ("{{ [1, 2] }}", "1:4", "a list can stand after `in` only", "in"),
    ("{% set x = 1 %}x", "1:1", "no tag {% set %}", "endfor"),
    ("{% macro x() %}{% endmacro %}x", "1:1", "no tag {% macro %}", ""),
    ("{% include 'x' %}", "1:1", "no tag {% include %}", ""),
    ("{% extends 'x' %}", "1:1", "no tag {% extends %}", ""),
    ("{% filter upper %}x{% endfilter %}", "1:1", "no tag {% filter %}", ""),
    ("{% raw %}x{% endraw %}", "1:1", "no tag {% raw %}", "braces"),
    ("{% autoescape true %}x{% endautoescape %}", "1:1", "no tag {% autoescape %}", ""),
    ("{{ customer.tags }}", "1:12", "a list cannot be printed", "join"),
    ("{{ membership.frozen }}", "1:14", "yes-or-no", "{% if"),
    (
        "{% for x in club.name %}{{ x }}{% endfor %}",
        "1:4",
        "list field only",
        "{% for tag in customer.",
    ),
    (
        "{% for a in customer.tags %}{% for b in customer.tags %}{% endfor %}{% endfor %}",
        "1:32",
        "inside a loop",
        "after",
    ),
    ("{% for a in customer.tags %}{{ loop.changed }}{% endfor %}", "1:36", "loop.changed", "index"),
    ("{% for a in customer.tags %}{% endfor %}{{ a }}", "1:44", "no variable a", ""),
    ("{% for club in customer.tags %}x{% endfor %}", "1:4", "cannot be called club", "tag"),
    ("{{ 'x' if club.name }}", "1:4", "no else", "else"),
    ("{{ visits.total | plural('x') }}", "1:19", "2 forms in the language en", '"one", "other"'),
    ("{{ visits.last_on | date('MMMMMMMM') }}", "1:21", "pattern", "d MMMM"),
    ("{{ visits.last_on | date('LONG') }}", "1:21", "pattern", "d MMMM"),
    ("{{ visits.last_on | date('DD.MM.YYYY') }}", "1:21", "pattern", "d MMMM"),
    ("a\n{% if club.name %}\nb", "2:1", "{% if %} is never closed", "{% endif %}"),
    ("a {{ club.name", "1:3", "this tag has no end", ""),
    ("a{% endif %}", "1:2", "{% endif %} closes nothing", ""),
    ("{% if club.name %}{% endfor %}", "1:19", "{% endfor %} closes nothing", ""),
    ("{% if club.name %}{% else %}{% else %}{% endif %}", "1:32", "unknown tag", ""),
    ("a {% %}", "1:6", "tag name expected", ""),
    ("a {# note", "1:5", "omment", ""),
    ("a {{ club.name }", "1:16", "unexpected '}'", ""),
    ("a {% if %}x{% endif %}", "1:9", "expected an expression", ""),
    ("a {{ club. }}", "1:12", "expected name or number", ""),
    ("a {{ 'x }}", "1:6", "unexpected char", ""),
    ("{# only a note #}", "1:1", "is empty", ""),
    ("{{ " + "(" * 3000 + ")" * 3000 + " }}", "1:1", "nested too deeply", ""),
    ("{% if club.name %}" * 99 + "x" + "{% endif %}" * 99, "1:695", "nested too deeply", ""),
    ("{% if " + "not " * 300 + "club.name %}x{% endif %}", "1:159", "nested too deeply", ""),
    ("{{ " + "9" * 5000 + " }}", "1:1", "too many digits", ""),
]


@pytest.mark.parametrize(("text", "place", "message", "fix"), SMS, ids=[c[2] for c in SMS])
def test_a_text_message_s_mistake(
    tmp_path: Path, text: str, place: str, message: str, fix: str
) -> None:
    found = sms_problems(tmp_path, text)[0]
    assert found.file == "templates/en/sms/a/b.txt"
    assert message in found.message
    assert f"{found.line}:{found.column}" == place
    assert fix in found.fix
    assert found.fix


EMAIL = [
    ("Hi", "1:1", "has no head", "subject"),
    ("---\nlayout: club\n---\nHi", "1:1", "has no subject", "subject"),
    ("---\nsubject:\n---\nHi", "1:1", "has no subject", ""),
    ("---\nsubjekt: Hi\n---\nHi", "2:1", "no key subjekt", "subject?"),
    ("---\nsubject: Hi\nsubject: Ho\n---\nHi", "3:1", "there twice", ""),
    ("---\nsubject: [Hi]\n---\nHi", "2:10", "not a plain text", "quotes"),
    ("---\nsubject: Asha: hi\n---\nHi", "2:14", "not YAML", "quotes"),
    ("---\nsubject: Hi\n---\nA\n\n{{ club.nam }}", "6:4", "no field club.nam", "club.name?"),
    ("---\nsubject: {{ club.nam }}\n---\nHi", "2:13", "no field club.nam", "club.name?"),
    ("---\nsubject: 'Hi {{ club.nam }}'\n---\nHi", "2:17", "no field club.nam", ""),
    ("---\nsubject: 'It''s {{ club.nam }}'\n---\nHi", "2:11", "no field club.nam", ""),
    ("---\nsubject: >\n  Hi {{ club.nam }}\n---\nHi", "3:9", "no field club.nam", ""),
    ("---\nsubject: Hi {{ club.name\n---\nHi", "2:13", "no end", ""),
    ("---\nsubject: Hi\nlayout: clob\n---\nHi", "3:9", "no layout clob", "club?"),
    ("---\nsubject: Hi\nlayout: ../x\n---\nHi", "3:9", "no layout ../x", ""),
    ("---\nsubject: Hi\n---\n[x]({{ custom.goal }})", "4:5", "cannot begin with", "https://"),
    ("---\nsubject: Hi\n---\n[x](https://{{ club.name }}/)", "4:13", "link's host", "/"),
    ("---\nsubject: Hi\n---\n[x]({{ club.website }}{{ custom.goal }})", "4:23", "host", "/"),
    (
        "---\nsubject: Hi\n---\n[x](https://a.example/{% if club.name %}b{% endif %})",
        "4:23",
        "cannot hold {% %}",
        "one link for each",
    ),
    ("---\nsubject: Hi\n---\n[x]: {{ club.website }}", "4:6", "does not come through", "paragraph"),
    ("---\nsubject: Hi\n---\nA zq00001bqz", "4:3", "word of our own", "Take it out"),
    ("---\nsubject: Hi\n---\n{{ content }}", "4:4", "no variable content", ""),
    ("---\nsubject: Hi\n---\n&#123;{ club.nam }}", "1:1", "would make a tag", "To show braces"),
    ("---\nsubject: Hi\n---\n\\{\\% if club.name %}", "1:1", "would make a tag", "{{"),
    ("---\nsubject: Hi\n---\n&#123;{{ club.name }}", "1:1", "would make", "{{"),
]


@pytest.mark.parametrize(("file", "place", "message", "fix"), EMAIL)
def test_an_email_s_mistake(tmp_path: Path, file: str, place: str, message: str, fix: str) -> None:
    found = email_problems(tmp_path, file)[0]
    assert found.file == "templates/en/email/a/b.md"
    assert message in found.message
    assert f"{found.line}:{found.column}" == place
    assert fix in found.fix
    assert found.fix


LAYOUTS = [
    (LAYOUT.replace("{{ content }}", ""), "1:1", "no {{ content }}"),
    (LAYOUT.replace("{{ content }}", "{{ content | upper }}"), "9:19", "no variable content"),
    (LAYOUT.replace("</mj-column>", ""), "1:1", "not MJML"),
    (
        LAYOUT.replace("{{ club.name }}", '<a title=">" href="{{ custom.goal }}">x</a>'),
        "10:35",
        "cannot begin with a value of the customer's",
    ),
    (LAYOUT.replace("club.name", "club.nam"), "10:19", "no field club.nam"),
    (LAYOUT.replace("#123456", "{{ custom.goal }}"), "5:26", "cannot stand in a style"),
    (LAYOUT.replace("<mj-body>", '<mj-body css-class="{{ club.name }}">'), "7:23", "inside <...>"),
    (
        LAYOUT.replace("<mj-text>{{ club", "<mj-text>{% if club.name %}{{ club"),
        "10:16",
        "never closed",
    ),
]


@pytest.mark.parametrize(("layout", "place", "message"), LAYOUTS)
def test_a_layout_s_mistake(tmp_path: Path, layout: str, place: str, message: str) -> None:
    found = email_problems(tmp_path, "---\nsubject: Hi\n---\nHi", layout)[0]
    assert found.file == "templates/layouts/club.mjml"
    assert message in found.message
    assert f"{found.line}:{found.column}" == place


def test_blocks_that_fall_apart_in_the_text_version_are_refused(tmp_path: Path) -> None:
    # Of a layout it keeps what stands in <mj-text> only.
    layout = (
        LAYOUT.replace("<mj-section>", "{% if club.name %}<mj-section>")
        .replace("<mj-text>{{ club", "<mj-text>{% else %}{{ club")
        .replace("</mj-section>", "</mj-section>{% endif %}")
    )
    (found,) = email_problems(tmp_path, "---\nsubject: Hi\n---\nHi", layout)
    assert "do not fit into the layout" in found.message


def test_what_is_nested_as_deeply_as_a_check_allows_can_be_compiled(tmp_path: Path) -> None:
    before, after = "{% if club.name %}" * 36, "{% endif %}" * 36
    layout = LAYOUT.replace("{{ content }}", f"{before}{{{{ content }}}}{after}")
    file = f"---\nsubject: Hi\n---\n{before}Hi{after}"
    made = library(tmp_path, {"layouts/club.mjml": layout, "en/email/a/b.md": file})
    assert made.problems("email", "a/b") == []
    assert made.load_email("a/b", "en").name == "a/b"


def test_a_broken_layout_hides_no_mistake_of_the_e_mail(tmp_path: Path) -> None:
    file = "---\nsubject: Hi {{ club.nam }}\n---\nHi"
    found = email_problems(tmp_path, file, LAYOUT.replace("{{ content }}", ""))
    assert [each.message for each in found] == [
        "there is no field club.nam",
        "the layout has no {{ content }}",
    ]


def test_all_mistakes_of_a_file_are_found_at_once(tmp_path: Path) -> None:
    file = "---\nsubject: '{{ club.nam }}'\npreheader: '{{ x.y }}'\n---\n{{ a }} {{ b | c }}"
    assert [(each.line, each.column) for each in email_problems(tmp_path, file)] == [
        (2, 14),
        (3, 16),
        (5, 4),
        (5, 12),
        (5, 16),
    ]


def test_a_missing_language_belongs_to_the_reference(tmp_path: Path) -> None:
    made = library(tmp_path, {"en/sms/a/b.txt": "Hi"}, ("en", "hi"))
    (found,) = made.problems("sms", "a/b")
    assert (found.file, found.line) == ("", 0)
    assert "missing in the language hi" in found.message
    assert found.fix == "Create templates/hi/sms/a/b.txt."


UNKNOWN = [
    ("renewal/ofer", "Create templates/en/sms/renewal/ofer.txt."),
    ("birthday/card", "Create templates/en/sms/birthday/card.txt."),
    ("../../../etc/passwd", "letters, digits"),
    ("/etc/passwd", "letters, digits"),
    ("renewal/../renewal/offer", "letters, digits"),
    ("renewal/offer.txt", "letters, digits"),
    ("renewal\\offer", "letters, digits"),
    ("renewal/offer\n", "letters, digits"),
    ("", "letters, digits"),
]


@pytest.mark.parametrize(("name", "fix"), UNKNOWN)
def test_a_name_that_leads_nowhere(tmp_path: Path, name: str, fix: str) -> None:
    made = library(tmp_path, {"en/sms/renewal/offer.txt": "Hi", "en/email/x/y.md": ""})
    (found,) = made.problems("sms", name)
    assert found.file == ""
    assert fix in found.fix
    with pytest.raises(TemplateUnusable) as error:
        made.load("sms", name, "en")
    assert error.value.findings == (found,)


def test_names_come_from_every_language(tmp_path: Path) -> None:
    files = {"en/sms/a/b.txt": "x", "hi/sms/c/d.txt": "x", "en/email/e/f/g.md": "x"}
    made = library(tmp_path, files)
    assert made.names("sms") == ["a/b", "c/d"]
    assert made.names("email") == ["e/f/g"]


def test_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    made = library(tmp_path, {"en/sms/a/b.txt": "Hi"})
    (tmp_path / "templates/en/sms/a/b.txt").write_bytes("a\nПривет".encode("cp1251"))
    (found,) = made.problems("sms", "a/b")
    assert (found.line, found.message) == (2, "the file is not UTF-8")


def test_windows_line_ends_and_a_mark_at_the_beginning_are_fine(tmp_path: Path) -> None:
    made = library(tmp_path, {"en/email/a/b.md": "x"})
    content = "---\r\nsubject: Hi\r\n---\r\nA\r\n\r\n{% if club.name %}\r\nB\r\n{% endif %}\r\n"
    (tmp_path / "templates/en/email/a/b.md").write_bytes(content.encode("utf-8-sig"))
    assert made.problems("email", "a/b") == []

"""Block tags in Markdown: what the HTML and the text look like in each branch."""

import re
from pathlib import Path
from typing import Any

import pytest
from template_folder import email_of

FROZEN: dict[str, Any] = {"membership__frozen": True}
NOT_FROZEN: dict[str, Any] = {"membership__frozen": False}

PARAGRAPHS = "One\n{% if membership.frozen %}\nTwo\n{% else %}\nThree\n{% endif %}\nFour"
ITEMS = "- One\n{% if membership.frozen %}\n- Two\n{% endif %}\n- Three"
FIRST_ITEM = "{% if membership.frozen %}\n- One\n{% endif %}\n- Two"
LOOP = "{% for tag in customer.tags %}\n- {{ tag }}\n{% endfor %}"
NUMBERED = "{% for tag in customer.tags %}\n1. {{ tag }}\n{% endfor %}"
WHOLE_LIST = "{% if membership.frozen %}\n- One\n- Two\n{% endif %}"
LIST_OR_WORDS = "{% if membership.frozen %}\n- One\n{% else %}\nNothing\n{% endif %}"
LOOP_WITH_IF = (
    "- first\n{% for tag in customer.tags %}\n{% if tag == 'vip' %}\n- {{ tag }}\n"
    "{% endif %}\n{% endfor %}\n- last"
)
INSIDE_ITEM = "- One\n  {% if membership.frozen %}\n  and two\n  {% endif %}\n- Three"
ON_ONE_LINE = "One\n\n{% if membership.frozen %}Two{% endif %}\n\nThree"
MARKS = "One\n\n{%- if membership.frozen -%}\n\nTwo\n\n{%- endif -%}\n\nThree"
TWO_LISTS = "- One\n{% if membership.frozen %}\n* Two\n{% endif %}"
LIST_THEN_WORDS = "- One\n{% if membership.frozen %}\n- Two\n\nWords\n{% endif %}"
QUOTE = "> One\n{% if membership.frozen %}\n> Two\n{% endif %}"

CASES = [
    (PARAGRAPHS, FROZEN, "<p>One</p><p>Two</p><p>Four</p>", "One\n\nTwo\n\nFour"),
    (PARAGRAPHS, NOT_FROZEN, "<p>One</p><p>Three</p><p>Four</p>", "One\n\nThree\n\nFour"),
    (
        ITEMS,
        FROZEN,
        "<ul><li>One</li><li>Two</li><li>Three</li></ul>",
        "- One\n- Two\n- Three",
    ),
    (ITEMS, NOT_FROZEN, "<ul><li>One</li><li>Three</li></ul>", "- One\n- Three"),
    (FIRST_ITEM, FROZEN, "<ul><li>One</li><li>Two</li></ul>", "- One\n- Two"),
    (FIRST_ITEM, NOT_FROZEN, "<ul><li>Two</li></ul>", "- Two"),
    (LOOP, {}, "<ul><li>vip</li><li>yoga</li></ul>", "- vip\n- yoga"),
    (NUMBERED, {}, "<ol><li>vip</li><li>yoga</li></ol>", "- vip\n- yoga"),
    ("1. One\n2. Two", {}, "<ol><li>One</li><li>Two</li></ol>", "1. One\n2. Two"),
    (WHOLE_LIST, NOT_FROZEN, "", ""),
    (WHOLE_LIST, FROZEN, "<ul><li>One</li><li>Two</li></ul>", "- One\n- Two"),
    (LIST_OR_WORDS, FROZEN, "<ul><li>One</li></ul>", "- One"),
    (LIST_OR_WORDS, NOT_FROZEN, "<p>Nothing</p>", "Nothing"),
    (
        LOOP_WITH_IF,
        {},
        "<ul><li>first</li><li>vip</li><li>last</li></ul>",
        "- first\n- vip\n- last",
    ),
    (INSIDE_ITEM, FROZEN, "<ul><li>One and two</li><li>Three</li></ul>", None),
    (INSIDE_ITEM, NOT_FROZEN, "<ul><li>One</li><li>Three</li></ul>", "- One\n- Three"),
    (ON_ONE_LINE, NOT_FROZEN, "<p>One</p><p>Three</p>", "One\n\nThree"),
    (ON_ONE_LINE, FROZEN, "<p>One</p><p>Two</p><p>Three</p>", "One\n\nTwo\n\nThree"),
    (MARKS, FROZEN, "<p>One</p><p>Two</p><p>Three</p>", "One\n\nTwo\n\nThree"),
    (TWO_LISTS, FROZEN, "<ul><li>One</li></ul><ul><li>Two</li></ul>", None),
    (
        LIST_THEN_WORDS,
        FROZEN,
        "<ul><li>One</li></ul><ul><li>Two</li></ul><p>Words</p>",
        "- One\n\n- Two\n\nWords",
    ),
    (LIST_THEN_WORDS, NOT_FROZEN, "<ul><li>One</li></ul>", "- One"),
    (QUOTE, NOT_FROZEN, "<blockquote><p>One</p></blockquote>", "> One"),
    ("# Hi\n\n- a\n  - b", {}, "<h1>Hi</h1><ul><li>a<ul><li>b</li></ul></li></ul>", None),
    ("a <b>bold</b> & c", {}, "<p>a &lt;b&gt;bold&lt;/b&gt; &amp; c</p>", "a <b>bold</b> & c"),
    ("    indented", {}, "<p>indented</p>", "indented"),
    ("one  \ntwo", {}, "<p>one<br>two</p>", "one\ntwo"),
    ("one\ntwo", {}, "<p>one two</p>", "one two"),
    (
        "see [us](https://a.example/x) or [a@b.example](mailto:a@b.example)",
        {},
        '<p>see <a href="https://a.example/x">us</a> or '
        '<a href="mailto:a@b.example">a@b.example</a></p>',
        "see us (https://a.example/x) or a@b.example",
    ),
    (
        "call [{{ club.phone }}](tel:{{ club.phone }})",
        {},
        '<p>call <a href="tel:+912240001000">+912240001000</a></p>',
        "call +912240001000",
    ),
]


def content_of(html: str) -> str:
    """The elements of the content alone, without styles and white space between them."""
    inside = html.split("<i></i>")[1].split("<u></u>")[0]
    bare = re.sub(r'\s+(?:style|class)="[^"]*"', "", inside)
    bare = re.sub(r"\s+", " ", bare)
    return re.sub(r" ?(</?(?:p|ul|ol|li|h1|blockquote|br)>) ?", r"\1", bare).strip()


@pytest.mark.parametrize(("markdown", "values", "html", "text"), CASES)
def test_markdown(
    tmp_path: Path, markdown: str, values: dict[str, Any], html: str, text: str | None
) -> None:
    email = email_of(tmp_path, markdown, head="subject: Hi\nlayout: bare", **values)
    assert content_of(email.html) == html
    if text is not None:
        assert email.text.strip() == text


def test_a_button_has_room_in_outlook_too(tmp_path: Path) -> None:
    email = email_of(tmp_path, 'Now: [Go](https://a.example "button")')
    assert re.search(
        r'<a class="button"\s+href="https://a\.example"\s+style="[^"]*padding', email.html
    )
    assert email.html.count("mso-text-raise") == 2
    assert "Now: Go: https://a.example" in email.text

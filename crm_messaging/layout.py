"""An e-mail's page: MJML compiled to HTML, with the content put in and the styles inlined."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import css_inline
import mjml
from inscriptis import get_text

from crm_messaging.template_filters import locale_of
from crm_messaging.template_mask import BLOCK_WORD, WORD, Mask
from crm_messaging.template_problems import Mistake

LABELS = ("unsubscribe_label", "preferences_label")
"""What a layout's links to our own pages are called, in the e-mail's language."""
SLOTS = ("content", "preheader", "subject", *LABELS)
"""What a layout may print besides fields: the parts of the e-mail it is put around."""

_BUTTON_STYLE = """<style type="text/css">
a.button { background-color: #14532d; border-radius: 6px; color: #ffffff; display: inline-block;
  font-weight: bold; padding: 12px 24px; text-decoration: none; }
</style>"""
"""Before the layout's own styles, which may say otherwise."""

_ELEMENT = re.compile(r"""<[A-Za-z/](?:[^>"']|"[^"]*"|'[^']*')*>""")
_LINK_ATTRIBUTE = re.compile(r"""(\s(?:href|src|background-url)\s*=\s*)("[^"]*"|'[^']*')""")
_TEXT_ATTRIBUTE = re.compile(r"""\s(?:alt|title|aria-label)\s*=\s*(?:"[^"]*"|'[^']*')""")
_STYLE = re.compile(r"<(mj-style|style|script|mj-attributes)\b.*?</\1\s*>", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_MJ_TEXT = re.compile(r"<mj-text\b[^>]*(?<!/)>(.*?)</mj-text\s*>", re.DOTALL)
_MJML = re.compile(r"<mjml\b[^>]*>")
_A = re.compile(r"<a\b[^>]*\bhref=\"([^\"]*)\"[^>]*>(.*?)</a>", re.DOTALL)
_LONG_TAG_GAP = re.compile(r" (?=(?:style|src|href|alt|cellpadding|align|border)=\")")
_INLINER = css_inline.CSSInliner(
    keep_at_rules=True, keep_link_tags=True, load_remote_stylesheets=False
)


class BadLayout(Exception):
    """The layout cannot be compiled."""

    def __init__(self, mistake: Mistake) -> None:
        super().__init__(mistake.message)
        self.mistake = mistake


@dataclass(frozen=True)
class Page:
    """A compiled layout, its tags masked; `slots` gives the word of each slot it has."""

    html: str
    text: str
    slots: Mapping[str, str]


def page_of(mask: Mask, guard: Callable[[str], str], language: str) -> Page:
    """A layout's page. Raises `BadLayout`, and what `guard` raises."""
    inner = {tag.inner.strip(): word for word, tag in mask.tags.items()}
    slots = {name: inner[name] for name in SLOTS if name in inner}
    if "content" not in slots:
        fix = "Put {{ content }} inside an <mj-text>."
        raise BadLayout(Mistake(0, "the layout has no {{ content }}", fix))
    source = _COMMENT.sub("", mask.masked)
    source = _ELEMENT.sub(lambda found: _guarded(found[0], mask, guard), source)
    _refuse_values_in_styles(source, mask)
    direction = "rtl" if locale_of(language).text_direction == "rtl" else "ltr"
    source = _MJML.sub(f'<mjml lang="{language}" dir="{direction}">', source, count=1)
    try:
        # Without fonts of its own: a font from elsewhere tells that place who opened the mail.
        html = mjml.mjml2html(source, fonts={})
    except ValueError as error:
        fix = "Try the layout in an MJML editor."
        raise BadLayout(Mistake(0, f"the layout is not MJML: {error}", fix)) from None
    html = html.replace("<head>", f"<head>{_BUTTON_STYLE}", 1)
    # SMTP doubles a dot that begins a line; a page without one need not be searched for it.
    html = _STYLE.sub(lambda found: found[0].replace("\n.", "\n ."), html)
    return Page(html, _plain(source, mask), slots)


_LABELS = {
    "en": ("Unsubscribe", "Choose what you get"),
    "hi": ("ये ईमेल बंद करें", "चुनें कि आपको क्या मिले"),
    "ru": ("Отписаться", "Выбрать, что получать"),
}


def labels(language: str) -> dict[str, str]:
    """The words for `LABELS`; English for a language that has none here."""
    words = _LABELS.get(language.replace("_", "-").split("-")[0].lower(), _LABELS["en"])
    return dict(zip(LABELS, words, strict=True))


def fill(text: str, page: Page, contents: Mapping[str, str]) -> str:
    """The page's HTML or text with each slot filled."""
    for name, word in page.slots.items():
        text = text.replace(word, contents[name])
    return text


def dress(html: str) -> str:
    """A whole HTML document with its styles inlined; its tags stay masked."""
    head, body_tag, body = html.partition("<body")
    # As a comment, a tag between table rows stays where it is.
    parts = re.split(r"(<[^>]*>)", body)
    parts[::2] = [BLOCK_WORD.sub(r"<!--\g<0>-->", part) for part in parts[::2]]
    inlined = _INLINER.inline(head + body_tag + "".join(parts))
    inlined = re.sub(rf"<!--({BLOCK_WORD.pattern})-->", r"\1", inlined)
    return re.sub(r"<[A-Za-z][^<>]*>", _broken, inlined)


def _broken(tag: re.Match[str]) -> str:
    """A tag with line ends for spaces, so that no line nears the 998 octets of RFC 5322."""
    return _LONG_TAG_GAP.sub("\n", tag[0])


def _guarded(element: str, mask: Mask, guard: Callable[[str], str]) -> str:
    """An element with its links guarded; a value elsewhere in it could change what it is."""
    element = _LINK_ATTRIBUTE.sub(
        lambda found: f'{found[1]}"{guard(found[2][1:-1])}"',
        element,
    )
    rest = _LINK_ATTRIBUTE.sub("", _TEXT_ATTRIBUTE.sub("", element))
    _refuse(rest, mask, "a tag cannot stand here inside <...>")
    return element


def _refuse_values_in_styles(source: str, mask: Mask) -> None:
    for found in _STYLE.finditer(source):
        _refuse(found[0], mask, "a tag cannot stand in a style")


def _refuse(source: str, mask: Mask, message: str) -> None:
    word = WORD.search(source)
    if word:
        fix = "Put tags between elements, or into href, src, alt and title."
        raise BadLayout(Mistake(mask.tags[word[0]].start, message, fix))


def _plain(source: str, mask: Mask) -> str:
    """The words of the layout's texts. Its tables are for looks: they would only indent."""

    def address_behind(link: re.Match[str]) -> str:
        address, label = link[1], link[2]
        return label if mask.shows(label, address) else f"{label} ({address})"

    texts = (_A.sub(address_behind, text) for text in _MJ_TEXT.findall(source))
    lines = (get_text(f"<div>{text}</div>").strip().split("\n") for text in texts)
    plain = ("\n".join(line.strip() for line in text) for text in lines)
    return "\n\n".join(text for text in plain if text)

"""From an e-mail's Markdown and its layout to one flat template.

Head, then every tag replaced by an opaque word, then Markdown, MJML and inlined styles, then the
words turned back into Jinja: those tools never see a tag, and rendering never sees them.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from html import escape

from jinja2 import TemplateSyntaxError

from crm_messaging.compiled import FlatEmail
from crm_messaging.front_matter import BadHead, Entry, read_head
from crm_messaging.layout import SLOTS, BadLayout, Page, dress, fill, labels, page_of
from crm_messaging.markdown_body import Body, body_of
from crm_messaging.template_file import SYNTAX, TemplateFile
from crm_messaging.template_language import check
from crm_messaging.template_mask import BLOCK_WORD, WORD, Mask, UnsafeLink
from crm_messaging.template_problems import Mistake, TemplateUnusable
from crm_messaging.template_source import Tag, parse
from crm_store.catalogue.field import Catalogue

_MAX_TAGS = 10_000
_A_FILE = 2 * _MAX_TAGS
"""Numbers set aside for one text's tags, and for those of its links."""
_NEW_TAG = re.compile(rf"{{(?:[{{%#]|{WORD.pattern})")
"""Braces that no check has seen: an escape or an entity that Markdown has resolved."""


@dataclass(frozen=True)
class Layout:
    """A layout in one language, checked and made a page; many e-mails are put into it."""

    file: TemplateFile
    fields: frozenset[str]
    mask: Mask
    page: Page


def layout_of(file: TemplateFile, catalogue: Catalogue, language: str) -> Layout:
    """The layout in a file. Raises `TemplateUnusable` with everything that is wrong."""
    fields, tags = file.check(file.text, 0, catalogue, language, SLOTS)
    _refuse_too_many(tags, file)
    if file.findings:
        raise TemplateUnusable(file.findings)
    mask = Mask(file.text, tags, 0)
    try:
        page = page_of(mask, lambda address: mask.link(address, _fields(catalogue)), language)
    except (UnsafeLink, BadLayout) as error:
        raise file.unusable(error.mistake) from None
    return Layout(file, fields, mask, page)


def flat_email(
    name: str,
    file: TemplateFile,
    layout_named: Callable[[Entry], Layout],
    catalogue: Catalogue,
    language: str,
) -> FlatEmail:
    """The e-mail in a file, put into the layout that its head names.

    Raises `TemplateUnusable` with everything that is wrong in either.
    """
    try:
        head = read_head(file.text)
    except BadHead as error:
        raise file.unusable(error.mistake) from None
    body_text = file.text[head.body_offset :]
    in_subject, subject_tags = file.check(
        head.subject.text, head.subject.offset, catalogue, language
    )
    in_preheader, preheader_tags = file.check(
        head.preheader.text, head.preheader.offset, catalogue, language
    )
    in_body, body_tags = file.check(body_text, head.body_offset, catalogue, language)
    _refuse_too_many(subject_tags + preheader_tags + body_tags, file)
    try:
        layout = layout_named(head.layout)
    except TemplateUnusable as error:
        raise TemplateUnusable([*file.findings, *error.findings]) from None
    if file.findings:
        raise TemplateUnusable(file.findings)

    subject = Mask(head.subject.text, subject_tags, _A_FILE)
    preheader = Mask(head.preheader.text, preheader_tags, 2 * _A_FILE)
    markdown = Mask(body_text, body_tags, 3 * _A_FILE)
    masks = (layout.mask, subject, preheader, markdown)
    body = _body(file, markdown, head.body_offset, catalogue)
    words = {"subject": subject.masked, "preheader": preheader.masked, **labels(language)}
    in_html = {name: escape(text) for name, text in words.items()}
    html = dress(fill(layout.page.html, layout.page, {**in_html, "content": body.html}))
    text = fill(layout.page.text, layout.page, {**words, "content": body.text.strip()})
    _refuse_lost_tags(html, file, markdown, head.body_offset)
    _refuse_lost_tags(html, layout.file, layout.mask, 0)
    return FlatEmail(
        name=name,
        language=language,
        fields=in_subject | in_preheader | in_body | layout.fields,
        subject=head.subject.text,
        html=_restored(html, masks, file),
        text=_restored(text, masks, file),
    )


def _refuse_too_many(tags: Sequence[Tag], file: TemplateFile) -> None:
    if len(tags) > _MAX_TAGS:
        file.note(Mistake(0, f"there are more than {_MAX_TAGS} tags", "Use fewer."))


def _body(file: TemplateFile, mask: Mask, begins: int, catalogue: Catalogue) -> Body:
    try:
        return body_of(mask.masked, mask, lambda address: mask.link(address, _fields(catalogue)))
    except UnsafeLink as error:
        mistake = replace(error.mistake, offset=begins + error.mistake.offset)
        raise file.unusable(mistake) from None


def _fields(catalogue: Catalogue) -> Callable[[str], frozenset[str]]:
    """The fields that an expression reads."""
    return lambda inner: check(parse(SYNTAX, f"{{{{ {inner} }}}}"), catalogue, "en")[0]


def _refuse_lost_tags(html: str, file: TemplateFile, mask: Mask, begins: int) -> None:
    """Every tag of the mask must have come through, and the blocks in their order."""
    slots = [word for word, tag in mask.tags.items() if tag.inner.strip() in SLOTS]
    found = [word for word in WORD.findall(html) if word in mask.tags]
    kept = {mask.tags[word].start for word in (*found, *slots)}
    lost = [tag for tag in mask.tags.values() if tag.start not in kept]
    expected = BLOCK_WORD.findall(mask.masked)
    actual = [word for word in found if BLOCK_WORD.fullmatch(word)]
    wrong = [mask.tags[a] for a, b in zip(expected, actual, strict=False) if a != b]
    for tag in (lost or wrong)[:1]:
        message = "a tag cannot stand here: it does not come through into the message"
        fix = "Move it into a paragraph, or onto a line of its own."
        raise file.unusable(Mistake(begins + tag.start, message, fix))


def _restored(masked: str, masks: Sequence[Mask], file: TemplateFile) -> str:
    if _NEW_TAG.search(masked):
        fix = 'To show braces, write {{ "{{" }}.'
        raise file.unusable(Mistake(0, "escaped braces in the text would make a tag", fix))
    if misfit := _misfit(_with_tags("".join(BLOCK_WORD.findall(masked)), masks)):
        message = f"the tags do not fit into the layout: {misfit}"
        fix = "Open and close each tag in the same part of the page."
        raise file.unusable(Mistake(0, message, fix))
    return _with_tags(masked, masks)


@lru_cache(maxsize=256)
def _misfit(blocks: str) -> str | None:
    """What keeps these block tags, each sound by itself, from making one template.

    They say so without the page, which takes far longer to read; and many e-mails have the same.
    """
    try:
        SYNTAX.parse(blocks)
    except TemplateSyntaxError as error:
        return error.message
    return None


def _with_tags(masked: str, masks: Sequence[Mask]) -> str:
    for mask in masks:
        masked = mask.restore(masked)
    return masked

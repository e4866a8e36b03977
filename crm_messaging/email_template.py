"""From an e-mail's Markdown and its layout to one flat, compiled template.

Head, then every tag replaced by an opaque word, then Markdown, MJML and inlined styles, then the
words turned back into Jinja: those tools never see a tag, and rendering never sees them.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from html import escape

from jinja2 import TemplateSyntaxError

from crm_messaging.compiled import CompiledEmail, FlatTemplate
from crm_messaging.front_matter import BadHead, Head, read_head
from crm_messaging.layout import SLOTS, BadLayout, Page, dress, fill, page_of
from crm_messaging.markdown_body import Body, body_of
from crm_messaging.template_file import SYNTAX, TemplateFile
from crm_messaging.template_language import TemplateSandbox, check
from crm_messaging.template_mask import BLOCK_WORD, WORD, Mask, UnsafeLink
from crm_messaging.template_problems import Mistake, TemplateUnusable
from crm_messaging.template_source import parse
from crm_store.catalogue.field import Catalogue

_HTML, _TEXT = TemplateSandbox(autoescape=True), TemplateSandbox(autoescape=False)
_MAX_TAGS = 10_000
_A_FILE = 2 * _MAX_TAGS
"""Numbers set aside for one text's tags, and for those of its links."""


def head_of(file: TemplateFile) -> Head:
    """The head of an e-mail's file. Raises `TemplateUnusable`."""
    try:
        return read_head(file.text)
    except BadHead as error:
        file.note(error.mistake)
        raise TemplateUnusable(file.findings) from None


def compile_email(
    name: str, file: TemplateFile, layout: TemplateFile, catalogue: Catalogue, language: str
) -> CompiledEmail:
    """The compiled e-mail. Raises `TemplateUnusable` with everything that is wrong."""
    head = head_of(file)
    body_text = file.text[head.body_offset :]
    in_subject, subject_tags = file.check(
        head.subject.text, head.subject.offset, catalogue, language
    )
    in_preheader, preheader_tags = file.check(
        head.preheader.text, head.preheader.offset, catalogue, language
    )
    in_body, body_tags = file.check(body_text, head.body_offset, catalogue, language)
    in_layout, layout_tags = layout.check(layout.text, 0, catalogue, language, SLOTS)
    for checked, tags in ((file, subject_tags + preheader_tags + body_tags), (layout, layout_tags)):
        if len(tags) > _MAX_TAGS:
            checked.note(Mistake(0, f"there are more than {_MAX_TAGS} tags", "Use fewer."))
    if file.findings or layout.findings:
        raise TemplateUnusable([*file.findings, *layout.findings])

    frame = Mask(layout.text, layout_tags, 0)
    subject = Mask(head.subject.text, subject_tags, _A_FILE)
    preheader = Mask(head.preheader.text, preheader_tags, 2 * _A_FILE)
    markdown = Mask(body_text, body_tags, 3 * _A_FILE)
    masks = (frame, subject, preheader, markdown)
    body = _body(file, markdown, head.body_offset, catalogue)
    page = _page(layout, frame, catalogue, language)
    words = {"subject": subject.masked, "preheader": preheader.masked}
    in_html = {name: escape(text) for name, text in words.items()}
    html = dress(fill(page.html, page, {**in_html, "content": body.html}))
    text = fill(page.text, page, {**words, "content": body.text.strip()})
    _refuse_lost_tags(html, file, markdown, head.body_offset)
    _refuse_lost_tags(html, layout, frame, 0)
    return CompiledEmail(
        name=name,
        language=language,
        fields=in_subject | in_preheader | in_body | in_layout,
        subject=FlatTemplate(head.subject.text, _TEXT.from_string(head.subject.text)),
        html=_template(_HTML, html, masks, file),
        text=_template(_TEXT, text, masks, file),
    )


def _body(file: TemplateFile, mask: Mask, begins: int, catalogue: Catalogue) -> Body:
    try:
        return body_of(mask.masked, mask, lambda address: mask.link(address, _fields(catalogue)))
    except UnsafeLink as error:
        file.note(replace(error.mistake, offset=begins + error.mistake.offset))
        raise TemplateUnusable(file.findings) from None


def _page(layout: TemplateFile, mask: Mask, catalogue: Catalogue, language: str) -> Page:
    try:
        return page_of(mask, lambda address: mask.link(address, _fields(catalogue)), language)
    except (UnsafeLink, BadLayout) as error:
        layout.note(error.mistake)
        raise TemplateUnusable(layout.findings) from None


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
        file.note(Mistake(begins + tag.start, message, fix))
        raise TemplateUnusable(file.findings)


def _template(
    env: TemplateSandbox, masked: str, masks: Sequence[Mask], file: TemplateFile
) -> FlatTemplate:
    source = masked
    for mask in masks:
        source = mask.restore(source)
    try:
        return FlatTemplate(source, env.from_string(source))
    except TemplateSyntaxError as error:
        message = f"the tags do not fit into the layout: {error.message}"
        fix = "Open and close each tag in the same part of the page."
        file.note(Mistake(0, message, fix))
        raise TemplateUnusable(file.findings) from None

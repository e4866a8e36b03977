"""A template made flat, which is all that a check needs; and compiled, ready to render."""

from dataclasses import dataclass, field
from typing import Any

from jinja2 import Template

from crm_messaging.dlt import DltTemplate
from crm_messaging.template_language import TemplateSandbox
from crm_messaging.wire_text import known_pieces

PLAIN, _HTML = TemplateSandbox(autoescape=False), TemplateSandbox(autoescape=True)


@dataclass(frozen=True)
class FlatEmail:
    """An e-mail template in one language as three texts in Jinja, found to be sound.

    Its page and styles are in place; nothing is left to inherit or include.
    """

    name: str
    language: str
    fields: frozenset[str]
    """The catalogue fields it reads: what has to be fetched for each customer."""
    subject: str
    html: str
    text: str

    @property
    def texts(self) -> tuple[str, ...]:
        """All that is said in it."""
        return self.subject, self.html, self.text


@dataclass(frozen=True)
class FlatSms:
    """A text message in one language, found to be sound."""

    name: str
    language: str
    fields: frozenset[str]
    text: str
    dlt: DltTemplate | None = None
    """What is registered for it in India."""

    @property
    def texts(self) -> tuple[str, ...]:
        """All that is said in it."""
        return (self.text,)


class FlatTemplate:
    """One text of a message in Jinja, with nothing to inherit or include."""

    def __init__(self, source: str, template: Template) -> None:
        """`template` is what `source` was compiled to, perhaps changed on the way."""
        self.source = source
        self.template = template
        # What Jinja's code yields as it is are constants of that code. A few more are names in
        # it, and do no harm.
        constants = template.root_render_func.__code__.co_consts
        self.known = known_pieces(text for text in constants if isinstance(text, str))


@dataclass(frozen=True, eq=False)
class CompiledEmail:
    """A `FlatEmail` compiled."""

    name: str
    language: str
    fields: frozenset[str]
    subject: FlatTemplate
    html: FlatTemplate
    text: FlatTemplate
    club_copies: dict[tuple[Any, ...], "CompiledEmail"] = field(default_factory=dict)
    """Kept by `club_copy`."""


@dataclass(frozen=True)
class CompiledSms:
    """A `FlatSms` compiled."""

    name: str
    language: str
    fields: frozenset[str]
    text: Template
    dlt: DltTemplate | None = None


Compiled = CompiledEmail | CompiledSms


def compiled_sms(flat: FlatSms) -> CompiledSms:
    """A text message ready to render."""
    text = PLAIN.from_string(flat.text)
    return CompiledSms(flat.name, flat.language, flat.fields, text, flat.dlt)


def compiled(flat: FlatEmail | FlatSms) -> Compiled:
    """A template ready to render."""
    if isinstance(flat, FlatSms):
        return compiled_sms(flat)
    return CompiledEmail(
        name=flat.name,
        language=flat.language,
        fields=flat.fields,
        subject=FlatTemplate(flat.subject, PLAIN.from_string(flat.subject)),
        html=FlatTemplate(flat.html, _HTML.from_string(flat.html)),
        text=FlatTemplate(flat.text, PLAIN.from_string(flat.text)),
    )

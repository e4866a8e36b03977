"""A template made flat, which is all that a check needs; and compiled, ready to render."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from jinja2 import Template, nodes
from jinja2.visitor import NodeTransformer

from crm_messaging.dlt import DltTemplate
from crm_messaging.form import Form, Text
from crm_messaging.template_language import TemplateSandbox

PLAIN, HTML = TemplateSandbox(autoescape=False), TemplateSandbox(autoescape=True)
_CONSTANTS = (nodes.Output, nodes.TemplateData, nodes.Const)
_EMPTY_LINES = re.compile(r"\n[ \t]*\n\s*\n")


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

    def __init__(
        self,
        environment: TemplateSandbox,
        source: str,
        *,
        tidy: Callable[[str], str] = str,
        fold: NodeTransformer | None = None,
    ) -> None:
        """`tidy` is what is done with the finished text; `fold` changes the tree beforehand."""
        self.environment = environment
        self.source = source
        self.tidy = tidy
        self._fold = fold

    @cached_property
    def template(self) -> Template:
        """Yields the whole text in pieces."""
        return self.environment.from_string(self._tree())

    @cached_property
    def constant(self) -> str | None:
        """The whole text, finished, where it holds nothing of anybody's."""
        nodes_in_it = self._tree().find_all(nodes.Node)
        if all(isinstance(node, _CONSTANTS) for node in nodes_in_it):
            return self.tidy(self.template.render())
        return None

    @property
    def in_form(self) -> Text:
        """The same as a part of a form."""
        return Text(self.environment, self._tree(), self.tidy)

    def changed(
        self, *, source: str | None = None, fold: NodeTransformer | None = None
    ) -> "FlatTemplate":
        """The same kind of text from another source, or from a tree that is changed."""
        return FlatTemplate(self.environment, source or self.source, tidy=self.tidy, fold=fold)

    def _tree(self) -> nodes.Template:
        tree = self.environment.parse(self.source)
        return self._fold.visit(tree) if self._fold else tree


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

    @cached_property
    def form(self) -> Form:
        """HTML and text, where most of both is known beforehand."""
        return Form([self.html.in_form, self.text.in_form])


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
        subject=FlatTemplate(PLAIN, flat.subject, tidy=str.strip),
        html=FlatTemplate(HTML, flat.html),
        text=FlatTemplate(PLAIN, flat.text, tidy=_in_paragraphs),
    )


def _in_paragraphs(text: str) -> str:
    """Without the empty lines that an `if` leaves behind."""
    return _EMPTY_LINES.sub("\n\n", text).strip() + "\n"

"""A template ready to render: everything that can be done once has been done."""

from dataclasses import dataclass

from jinja2 import Template


@dataclass(frozen=True)
class CompiledEmail:
    """An e-mail template in one language: flat, its page and styles already in place."""

    name: str
    language: str
    fields: frozenset[str]
    """The catalogue fields it reads: what has to be fetched for each customer."""
    subject: Template
    html: Template
    text: Template


@dataclass(frozen=True)
class CompiledSms:
    """A text message in one language."""

    name: str
    language: str
    fields: frozenset[str]
    text: Template


Compiled = CompiledEmail | CompiledSms

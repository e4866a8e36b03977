"""A template ready to render: everything that can be done once has been done."""

from dataclasses import dataclass, field
from typing import Any

from jinja2 import Template

from crm_messaging.wire_text import known_pieces


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
    """An e-mail template in one language: flat, its page and styles already in place."""

    name: str
    language: str
    fields: frozenset[str]
    """The catalogue fields it reads: what has to be fetched for each customer."""
    subject: FlatTemplate
    html: FlatTemplate
    text: FlatTemplate
    club_copies: dict[tuple[Any, ...], "CompiledEmail"] = field(default_factory=dict)
    """Kept by `club_copy`."""


@dataclass(frozen=True)
class CompiledSms:
    """A text message in one language."""

    name: str
    language: str
    fields: frozenset[str]
    text: Template


Compiled = CompiledEmail | CompiledSms

"""An e-mail template as one club sends it: what all its readers get alike is done once.

Most of an e-mail is the same for everybody. The club's own fields become constants in the
template's tree, and belong to the text around them from then on: `Form` encodes it once. What is
left for each message are the customer's own values.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from jinja2 import nodes
from jinja2.visitor import NodeTransformer

from crm_messaging.compiled import CompiledEmail

CLUB = "club"
"""The family of fields that are the same for all customers of a club."""
MAX_COPIES = 32
"""Clubs for which one template is copied; for the others of a large chain it serves as it is."""


def is_of_club(name: str) -> bool:
    """Whether a catalogue field is the club's own."""
    return name.startswith(f"{CLUB}.")


def club_copy(compiled: CompiledEmail, values: Mapping[str, Any]) -> CompiledEmail:
    """The copy of `compiled` for the club in a template's `values`: it says just the same."""
    club: Mapping[str, Any] = values.get(CLUB, {})
    key = tuple(club.items())
    copy = compiled.club_copies.get(key)
    if copy is None:
        if len(compiled.club_copies) >= MAX_COPIES:
            return compiled
        fold = _Fold(club)
        copy = compiled.club_copies[key] = replace(
            compiled,
            subject=compiled.subject.changed(fold=fold),
            html=compiled.html.changed(fold=fold),
            text=compiled.text.changed(fold=fold),
        )
    return copy


class _Fold(NodeTransformer):
    """Puts a club's texts in the place of its fields. An empty field stays, to stop the message."""

    def __init__(self, club: Mapping[str, Any]) -> None:
        self._texts = {name: value for name, value in club.items() if type(value) is str}

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Node:  # noqa: N802 - Jinja's way
        family = node.node
        if isinstance(family, nodes.Name) and family.name == CLUB and node.attr in self._texts:
            return nodes.Const(self._texts[node.attr], lineno=node.lineno)
        return node

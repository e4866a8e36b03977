"""What a template takes the data of an event for: nothing else tells the type of a key.

For examples only: what an event really says has its own type.
"""

from collections.abc import Iterable

from jinja2 import nodes

from crm_messaging.compiled import PLAIN
from crm_messaging.template_types import NUMERIC, OF_NUMBERS, TemplateTypes
from crm_store.catalogue.event_fields import EVENT, key_of
from crm_store.catalogue.field import Catalogue, FieldType

_OF_MOMENTS = ("date", "time")
_ARITHMETIC = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod)


def event_kinds(sources: Iterable[str], catalogue: Catalogue) -> dict[str, FieldType]:
    """Number, date or text for each field of an event in these texts in Jinja."""
    types = TemplateTypes(catalogue)
    kinds: dict[str, FieldType] = {}

    def note(node: nodes.Node | None, kind: FieldType) -> None:
        if (name := _event_field(node)) and kinds.get(name, FieldType.TEXT) is FieldType.TEXT:
            kinds[name] = kind

    for tree in map(PLAIN.parse, sources):
        for read in tree.find_all(nodes.Getattr):
            note(read, FieldType.TEXT)
        for used in tree.find_all(nodes.Filter):
            if used.name in OF_NUMBERS:
                note(used.node, FieldType.NUMBER)
            elif used.name in _OF_MOMENTS:
                note(used.node, FieldType.DATE)
        for sum_ in tree.find_all(_ARITHMETIC):
            note(sum_.left, FieldType.NUMBER)
            note(sum_.right, FieldType.NUMBER)
        for compared in tree.find_all(nodes.Compare):
            for operand in compared.ops:
                if types.of(operand.expr) in NUMERIC:
                    note(compared.expr, FieldType.NUMBER)
    return kinds


def made_up(field: str, kind: FieldType) -> int | str:
    """What an event might say, where nothing better is known."""
    if kind is FieldType.NUMBER:
        return 1499
    return "2026-11-22T18:30" if kind is FieldType.DATE else f"[{key_of(field)}]"


def _event_field(node: nodes.Node | None) -> str | None:
    """The field, also behind `default` and other filters that come before."""
    while isinstance(node, nodes.Filter):
        node = node.node
    match node:
        case nodes.Getattr(node=nodes.Name(name=family), attr=key) if f"{family}." == EVENT:
            return f"{EVENT}{key}"
        case nodes.Or(left=left):
            return _event_field(left)
    return None

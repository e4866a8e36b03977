"""The types of a template's expressions: a number compared with a text is a mistake in any row."""

from collections.abc import Iterator
from datetime import date

from jinja2 import nodes

from crm_messaging.template_problems import Mistake
from crm_store.catalogue.field import Catalogue, FieldType

NUMERIC = (FieldType.INTEGER, FieldType.NUMBER)
_TO_NUMBER = ("abs", "length", "round")
_TO_TEXT = (
    *("capitalize", "date", "join", "lower", "money", "number", "plural", "time", "title"),
    *("trim", "truncate", "upper", "urlencode"),
)
OF_NUMBERS = ("abs", "money", "number", "plural", "round")
_OF_WORDS = ("first", "join", "last", "length")
_COMPARISONS = {"eq": "==", "ne": "!=", "gt": ">", "gteq": ">=", "lt": "<", "lteq": "<="}


class TemplateTypes:
    """What the types of a template's expressions are, by the catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue

    def of(self, node: nodes.Node) -> FieldType | None:
        """The type of a value; nothing when it is not known, or may be one or another."""
        match node:
            case nodes.Getattr(node=nodes.Name(name=family), attr=last):
                name = f"{family}.{last}"
                kind = self._catalogue[name].type if name in self._catalogue else None
                return None if kind is FieldType.ANY else kind
            case nodes.Const(value=bool()):
                return FieldType.BOOLEAN
            case nodes.Const(value=int()):
                return FieldType.INTEGER
            case nodes.Const(value=float()):
                return FieldType.NUMBER
            case nodes.Const(value=str()) | nodes.Concat():
                return FieldType.TEXT
            case nodes.Filter(name=name) if name in _TO_NUMBER:
                return FieldType.NUMBER
            case nodes.Filter(name=name) if name in _TO_TEXT:
                return FieldType.TEXT
            case nodes.Sub() | nodes.Mul() | nodes.Div() | nodes.FloorDiv() | nodes.Mod():
                return FieldType.NUMBER
        return None

    def in_comparison(self, node: nodes.Compare) -> Iterator[Mistake]:
        """Values that cannot be compared: they are never equal, and have no order."""
        left = node.expr
        for operand in node.ops:
            right = operand.expr
            if operand.op in _COMPARISONS:
                yield from self._compared(left, right)
            elif isinstance(right, nodes.List | nodes.Tuple):
                for item in right.items:
                    yield from self._compared(left, item)
            else:
                yield from self._looked_up(left, right)
            left = right

    def in_arithmetic(self, node: nodes.BinExpr | nodes.UnaryExpr) -> Iterator[Mistake]:
        """What cannot be added, multiplied and so on."""
        parts = [node.node] if isinstance(node, nodes.UnaryExpr) else [node.left, node.right]
        kinds = [self.of(part) for part in parts]
        if isinstance(node, nodes.Add) and set(kinds) <= {FieldType.TEXT, None}:
            return
        for part, kind in zip(parts, kinds, strict=True):
            if kind is not None and kind not in NUMERIC:
                message = f"{_shown(part)} is {kind.called}: it cannot be calculated with"
                yield Mistake(part.lineno, message, "Join texts with ~; calculate with numbers.")

    def in_filter(self, node: nodes.Filter) -> Iterator[Mistake]:
        """A filter on what it cannot show."""
        if node.node is None or (kind := self.of(node.node)) is None:
            return
        wrong, fix = False, ""
        if node.name in OF_NUMBERS:
            wrong, fix = kind not in NUMERIC, "It shows numbers."
        elif node.name == "date":
            wrong, fix = kind not in (FieldType.DATE, FieldType.TEXT), "It shows dates."
        elif node.name == "time":
            wrong, fix = kind is not FieldType.TEXT, "It shows texts such as 18:30."
        elif node.name in _OF_WORDS:
            wrong, fix = kind not in (FieldType.TAGS, FieldType.TEXT), "It is for tags and texts."
        if wrong:
            message = f"{_shown(node.node)} is {kind.called}: `{node.name}` has no use for it"
            yield Mistake(node.node.lineno, message, fix)

    def _compared(self, left: nodes.Node, right: nodes.Node) -> Iterator[Mistake]:
        one, other = self.of(left), self.of(right)
        if one is None or other is None or one is other or {one, other} <= set(NUMERIC):
            return
        # What is written down is what is wrong; the field is what it is.
        if isinstance(left, nodes.Const):
            left, right, one, other = right, left, other, one
        if one is FieldType.DATE and _is_day(right):
            return
        message = f"{_shown(left)} is {one.called} and is compared with {other.called}"
        yield Mistake(right.lineno, message, _compare_with(one, _shown(left), right))

    def _looked_up(self, left: nodes.Node, right: nodes.Node) -> Iterator[Mistake]:
        held, kind = self.of(right), self.of(left)
        if held is None:
            return
        if held not in (FieldType.TAGS, FieldType.TEXT):
            message = f"{_shown(right)} is {held.called}: nothing is `in` it"
            yield Mistake(right.lineno, message, "Look into tags, or compare it.")
        elif kind not in (None, FieldType.TEXT):
            message = f"{_shown(left)} is {kind.called}, and is looked for among texts"
            yield Mistake(left.lineno, message, "Put it in quotes.")


def _is_day(node: nodes.Node) -> bool:
    if not isinstance(node, nodes.Const) or not isinstance(node.value, str):
        return isinstance(node, nodes.Getattr)
    try:
        date.fromisoformat(node.value)
    except ValueError:
        return False
    return True


def _shown(node: nodes.Node) -> str:
    match node:
        case nodes.Getattr(node=nodes.Name(name=family), attr=last):
            return f"{family}.{last}"
        case nodes.Const(value=value):
            return str(value)[:40]
    return "this"


def _compare_with(kind: FieldType, name: str, given: nodes.Node) -> str:
    match kind:
        case FieldType.TEXT:
            value = given.value if isinstance(given, nodes.Const) else "..."
            return f'Put it in quotes: "{value}".'
        case FieldType.DATE:
            return 'Write a date, such as "2026-11-22".'
        case FieldType.BOOLEAN:
            return f"Write {name}, or not {name}."
        case FieldType.TAGS:
            return f'Write "vip" in {name}.'
    return "Compare it with a number, without quotes."

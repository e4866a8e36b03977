"""Walks Jinja's tree of a condition: checks every name and type, and keeps what is asked."""

from typing import Literal

from jinja2 import nodes

from crm_store.catalogue.event_fields import EVENT, key_of
from crm_store.catalogue.field import Catalogue, FieldType
from triggers.conditions.predicates import (
    AllOf,
    Always,
    AnyOf,
    Compared,
    HasWord,
    IsEmpty,
    IsFalse,
    IsTrue,
    Not,
    OneOf,
    Predicate,
    Sign,
)
from triggers.conditions.syntax import ConditionError
from triggers.conditions.terms import (
    NUMERIC,
    ORDERED,
    Sum,
    Term,
    constant_term,
    field_term,
    matched,
)
from triggers.problems import listed, nearest

DEEPEST = 30
MOST_SUMS = 10
"""Additions and multiplications in one condition: more would be a bomb, not a rule."""
MOST_ITEMS = 200

_ORDERINGS: dict[str, Sign] = {"lt": "<", "lteq": "<=", "gt": ">", "gteq": ">="}
_SUMS: dict[type[nodes.Expr], Literal["+", "-", "*"]] = {
    nodes.Add: "+",
    nodes.Sub: "-",
    nodes.Mul: "*",
}
_REFUSED: dict[type[nodes.Node], tuple[str, str]] = {
    nodes.Call: ("nothing can be called here", "compare a field with a value"),
    nodes.Filter: ("filters have no meaning in a condition", "compare the field itself"),
    nodes.Getitem: ("[ ] after a name has no meaning here", "write the name of a field"),
    nodes.CondExpr: ("`if` has no meaning within a condition", "use `and`, `or` and `not`"),
    nodes.Concat: ("`~` has no meaning in a condition", "compare each field by itself"),
    nodes.Div: ("division is not known here", "multiply the other side instead"),
    nodes.FloorDiv: ("division is not known here", "multiply the other side instead"),
    nodes.Mod: ("`%` is not known here", "use + - * and comparisons"),
    nodes.Pow: ("`**` is not known here", "use + - * and comparisons"),
    nodes.Pos: ("a + before a value has no meaning", "leave the + out"),
    nodes.Dict: ("{ } has no meaning in a condition", "compare a field with a value"),
    nodes.List: ("a list can only stand after `in`", 'write `membership.plan in ["a", "b"]`'),
    nodes.Tuple: ("a list can only stand after `in`", 'write `membership.plan in ["a", "b"]`'),
}
_NOT_A_VALUE = "a condition cannot be part of a comparison"


class Reader:
    """Reads one condition; afterwards `fields` and `mentions` hold what it spoke of."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.fields: set[str] = set()
        self.mentions: list[tuple[str, str, int]] = []
        """Field, text it is compared with, offset of the text."""
        self._catalogue = catalogue
        self._sums = 0

    def condition(self, node: nodes.Expr, depth: int = 0) -> Predicate:
        """A part of the condition that is true or false."""
        _check_depth(node, depth)
        match node:
            case nodes.And() | nodes.Or():
                parts = tuple(self.condition(part, depth + 1) for part in _chain(node))
                return AllOf(parts) if isinstance(node, nodes.And) else AnyOf(parts)
            case nodes.Not():
                return Not(self.condition(node.node, depth + 1))
            case nodes.Compare():
                return self._comparisons(node, depth)
            case nodes.Test():
                return self._test(node, depth)
            case nodes.Const(value=bool(value)):
                return Always(value)
        term = self._term(node, depth)
        if term.type is FieldType.BOOLEAN:
            return IsTrue(term)
        if term.type is FieldType.TAGS:
            fix = f'write `"vip" in {term.text}`'
        elif term.type in NUMERIC:
            fix = f"compare it, as in `{term.text} > 0`"
        else:
            fix = f"compare it, or write `{term.text} is not none`"
        raise ConditionError(f"`{term.text}` is {term.called}, not a condition", fix, term.at)

    def _comparisons(self, node: nodes.Compare, depth: int) -> Predicate:
        """`a < b < c` is `a < b and b < c`."""
        parts: list[Predicate] = []
        left = node.expr
        for operand in node.ops:
            right = operand.expr
            parts.append(self._comparison(left, operand.op, right, depth + 1))
            left = right
        return parts[0] if len(parts) == 1 else AllOf(tuple(parts))

    def _comparison(
        self, left_node: nodes.Expr, op: str, right_node: nodes.Expr, depth: int
    ) -> Predicate:
        if op in ("in", "notin"):
            return _unless(op == "notin", self._membership(left_node, right_node, depth))
        left, right = self._term(left_node, depth), self._term(right_node, depth)
        if left.constant and right.constant:
            fix = "put a field on one side; texts need quotes, fields none"
            raise ConditionError("two constants are compared", fix, left.at)
        if left.type is None or right.type is None:
            return self._with_none(left, op, right)
        for term in (left, right):
            if term.type is FieldType.TAGS:
                fix = f'write `"vip" in {term.text}`'
                raise ConditionError(f"{term.text} is a set of tags", fix, term.at)
        # The side that is a field says what the other has to be.
        if left.constant:
            left = matched(left, right)
        else:
            right = matched(right, left)
        if op in _ORDERINGS:
            sign = _ORDERINGS[op]
            if left.type not in ORDERED:
                fix = "only numbers and dates have an order; use == or !="
                raise ConditionError(f"`{sign}` cannot compare {left.called}", fix, left.at)
            return Compared(left, sign, right)
        self._mention(left, right)
        self._mention(right, left)
        return _unless(op == "ne", _equal(left, right))

    def _with_none(self, left: Term, op: str, right: Term) -> Predicate:
        term = right if left.type is None else left
        if op not in ("eq", "ne"):
            fix = f"write `{term.text} is none` or `{term.text} is not none`"
            raise ConditionError("`none` has no order", fix, left.at)
        return _unless(op == "ne", _empty(term))

    def _membership(self, left: nodes.Expr, right: nodes.Expr, depth: int) -> Predicate:
        """`x in [...]`, or `"vip" in customer.tags`."""
        if isinstance(right, nodes.List | nodes.Tuple):
            return self._one_of(self._term(left, depth), right, depth)
        held = self._term(right, depth)
        if held.field is None or held.type is not FieldType.TAGS:
            fix = f'write a list after it, such as `{held.text} in ["a", "b"]`'
            if held.constant:
                fix = f"write a list, such as `[{held.text}]`"
            raise ConditionError("`in` looks into a list or into tags", fix, held.at)
        tag = self._term(left, depth)
        if not isinstance(tag.value, str):
            fix = f'write `"vip" in {held.text}`'
            raise ConditionError("a tag is a text in quotes", fix, tag.at)
        self._mention(held, tag)
        return HasWord(held.field, tag.value)

    def _one_of(self, term: Term, items: nodes.List | nodes.Tuple, depth: int) -> Predicate:
        if term.constant or term.type in (None, FieldType.TAGS, FieldType.BOOLEAN):
            fix = 'write a text, number or date field, as in `customer.stage in ["a"]`'
            raise ConditionError(f"`{term.text}` cannot be looked up in a list", fix, term.at)
        if not 1 <= len(items.items) <= MOST_ITEMS:
            fix = f"write 1 to {MOST_ITEMS} values"
            raise ConditionError(f"the list has {len(items.items)} values", fix, items.lineno)
        listed = []
        for node in items.items:
            item = self._term(node, depth + 1)
            if not item.constant or item.type is None:
                fix = "write texts, numbers or dates; for an empty value `is none`"
                raise ConditionError("a list holds constants only", fix, item.at)
            listed.append(matched(item, term))
            self._mention(term, item)
        return OneOf(term, tuple(listed))

    def _test(self, node: nodes.Test, depth: int) -> Predicate:
        if node.name != "none" or node.args:
            fix = "write `is none` or `is not none`, or compare with =="
            raise ConditionError(f"`is {node.name}` is not known here", fix, node.lineno)
        return _empty(self._term(node.node, depth))

    def _term(self, node: nodes.Expr, depth: int) -> Term:
        """A value: a field, a constant, or a sum."""
        _check_depth(node, depth)
        match node:
            case nodes.Const():
                return constant_term(node.value, node.lineno)
            case nodes.Name() | nodes.Getattr():
                return self._field(node)
            case nodes.Neg():
                return self._negated(self._term(node.node, depth + 1), node.lineno)
            case nodes.Add() | nodes.Sub() | nodes.Mul():
                return self._sum(node, depth)
            case nodes.And() | nodes.Or() | nodes.Not() | nodes.Compare() | nodes.Test():
                raise ConditionError(_NOT_A_VALUE, "join conditions with and, or, not", start(node))
        raise _refused(node)

    def _field(self, node: nodes.Name | nodes.Getattr) -> Term:
        name, at = _dotted(node), start(node)
        if name not in self._catalogue:
            raise ConditionError(f"unknown field `{name[:60]}`", _meant(name, self._catalogue), at)
        self.fields.add(name)
        return field_term(self._catalogue[name], at)

    def _negated(self, term: Term, at: int) -> Term:
        self._check_number(term)
        if isinstance(term.value, int | float):
            return constant_term(-term.value, at)
        negative = Sum("-", (term,))
        return Term(f"-{term.text}", at, FieldType.NUMBER, term.always, sum=negative)

    def _sum(self, node: nodes.BinExpr, depth: int) -> Term:
        self._sums += 1
        left = self._term(node.left, depth + 1)
        right = self._term(node.right, depth + 1)
        if self._sums > MOST_SUMS:
            fix = f"use at most {MOST_SUMS} of + - *"
            raise ConditionError("too much arithmetic for a condition", fix, left.at)
        self._check_number(left)
        self._check_number(right)
        sign = _SUMS[type(node)]
        return Term(
            f"{left.text} {sign} {right.text}",
            left.at,
            FieldType.NUMBER,
            left.always and right.always,
            constant=left.constant and right.constant,
            sum=Sum(sign, (left, right)),
        )

    def _check_number(self, term: Term) -> None:
        if term.type not in NUMERIC:
            fix = "use + - * between numbers only"
            raise ConditionError(f"{term.text} is {term.called}", fix, term.at)

    def _mention(self, field: Term, constant: Term) -> None:
        if field.field is not None and isinstance(constant.value, str):
            self.mentions.append((field.text, constant.value, constant.at))


def start(node: nodes.Node) -> int:
    """The offset of a node's first word; Jinja notes an operator's instead."""
    while True:
        match node:
            case nodes.BinExpr():
                node = node.left
            case nodes.Compare():
                node = node.expr
            case nodes.Getattr() | nodes.Getitem() | nodes.Call() | nodes.Test():
                node = node.node
            case nodes.Filter() if node.node is not None:
                node = node.node
            case _:
                return node.lineno


def _check_depth(node: nodes.Node, depth: int) -> None:
    if depth > DEEPEST:
        fix = "split it, or drop brackets it does not need"
        raise ConditionError("the condition is nested too deeply", fix, start(node))


def _chain(node: nodes.And | nodes.Or) -> list[nodes.Expr]:
    """`a and b and c`, which Jinja nests to the left, as [a, b, c]."""
    parts: list[nodes.Expr] = []
    rest: nodes.Expr = node
    while isinstance(rest, nodes.And | nodes.Or) and type(rest) is type(node):
        parts.append(rest.right)
        rest = rest.left
    return [rest, *reversed(parts)]


def _dotted(node: nodes.Expr) -> str:
    """`customer.first_name` from its tree."""
    words: list[str] = []
    while isinstance(node, nodes.Getattr):
        words.append(node.attr)
        node = node.node
    if not isinstance(node, nodes.Name):
        raise _refused(node)
    return ".".join((node.name, *reversed(words)))


def _meant(name: str, catalogue: Catalogue) -> str:
    """The fix for an unknown field."""
    family, _, last = name.rpartition(".")
    if name.startswith(EVENT):
        asked = f"where: {{{key_of(name)}: {{at_least: 9}}}}"
        return f"a trigger of the type `event` asks what its event says, as in `{asked}`"
    if family in catalogue.families():
        siblings = [known for known in catalogue.names() if known.startswith(f"{family}.")]
        lasts = [known.removeprefix(f"{family}.") for known in siblings]
        # Short words are alike by chance: an age is no misspelt stage.
        if guess := nearest(last, lasts, cutoff=0.8):
            return f"did you mean `{family}.{guess}`?"
        return listed(siblings)
    same = next((known for known in catalogue.names() if known.endswith(f".{last}")), None)
    if guess := same or nearest(name, catalogue.names()):
        return f"did you mean `{guess}`?"
    if not family:
        return f'is it a text? Then put it in quotes: "{name}"'
    return listed(catalogue.names())


def _unless(negated: bool, predicate: Predicate) -> Predicate:
    return Not(predicate) if negated else predicate


def _equal(left: Term, right: Term) -> Predicate:
    for one, other in ((left, right), (right, left)):
        if one.constant and isinstance(one.value, bool):
            return IsTrue(other) if one.value else IsFalse(other)
    return Compared(left, "==", right)


def _empty(term: Term) -> Predicate:
    if term.constant or term.type is FieldType.TAGS:
        raise ConditionError(f"`{term.text}` is never empty", "write a field", term.at)
    return IsEmpty(term)


def _refused(node: nodes.Node) -> ConditionError:
    unknown = ("this has no meaning in a condition", "compare a field with a value")
    message, fix = _REFUSED.get(type(node), unknown)
    return ConditionError(message, fix, start(node))

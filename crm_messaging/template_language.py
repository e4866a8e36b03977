"""What a template may say: the sandbox it runs in, and the check that names every mistake.

The check walks Jinja's own tree and lets through only what is listed here. The sandbox does not
rely on it: at run time there are no attributes but the keys of plain dictionaries, no calls, and
no operators that could blow a value up.
"""

import difflib
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any, NoReturn

from jinja2 import StrictUndefined, nodes
from jinja2.exceptions import SecurityError
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from crm_messaging.template_filters import (
    INTERNAL,
    OFFERED,
    TESTS,
    Unprintable,
    day_text,
    names,
    plural_categories,
)
from crm_messaging.template_problems import Mistake
from crm_messaging.template_types import TemplateTypes
from crm_store.catalogue.event_fields import EVENT, EXAMPLE
from crm_store.catalogue.field import Catalogue, FieldType

MAX_FACTOR = 10**12
"""Numbers larger than this are not multiplied."""

MAX_DEPTH = 40
"""Tags within tags, and operators within operators: a layout and an e-mail together stay below
what Jinja and Python can compile."""

LOOP_ATTRIBUTES = ("first", "index", "index0", "last", "length", "revindex", "revindex0")
_OPERATORS = (
    *(nodes.And, nodes.Or, nodes.Not, nodes.Compare, nodes.Operand, nodes.Concat),
    *(nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Neg, nodes.Pos),
    *(nodes.TemplateData, nodes.Const, nodes.Output, nodes.If, nodes.Template, nodes.Keyword),
)
_ARITHMETIC = (
    *(nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod),
    *(nodes.Neg, nodes.Pos),
)


class TemplateSandbox(ImmutableSandboxedEnvironment):
    """Jinja over plain data only."""

    intercepted_binops = frozenset({"*", "%", "**"})

    def __init__(self, *, autoescape: bool) -> None:
        super().__init__(
            autoescape=autoescape, undefined=StrictUndefined, keep_trailing_newline=True
        )
        self.globals.clear()
        self.filters = {**OFFERED, **INTERNAL}
        self.tests = dict(TESTS)

    def getattr(self, obj: Any, attribute: str) -> Any:
        if type(obj) is dict:
            if attribute in obj:
                return obj[attribute]
            return self.undefined(obj=obj, name=attribute)
        if type(obj) is LoopContext and attribute in LOOP_ATTRIBUTES:
            return getattr(obj, attribute)
        raise SecurityError("only fields can be read")

    def getitem(self, obj: Any, argument: Any) -> NoReturn:
        raise SecurityError("only fields can be read")

    def call(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise SecurityError("nothing can be called")

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "**":
            raise SecurityError("** is not offered")
        for value in (left, right):
            if not isinstance(value, int | float) or abs(value) > MAX_FACTOR:
                raise Unprintable(f"{operator} needs two numbers of ordinary size")
        return super().call_binop(context, operator, left, right)


class _Checker:
    """One walk over one tree: collects the fields read and the mistakes made."""

    def __init__(self, catalogue: Catalogue, language: str, slots: Sequence[str]) -> None:
        self.slots = slots
        self.slot_offsets: set[int] = set()
        self.catalogue = catalogue
        self.language = language
        self.families = catalogue.families()
        self.types = TemplateTypes(catalogue)
        self.fields: set[str] = set()
        self.mistakes: list[Mistake] = []
        self.loop_names: list[str] = []
        self.depth = 0

    def note(self, node: nodes.Node, message: str, fix: str) -> None:
        self.mistakes.append(Mistake(node.lineno, message, fix))

    def visit(self, node: nodes.Node) -> None:
        if self.depth == MAX_DEPTH:
            self.note(node, "the tags are nested too deeply", "Simplify them.")
            return
        self.depth += 1
        self._visit(node)
        self.depth -= 1

    def _visit(self, node: nodes.Node) -> None:
        if isinstance(node, nodes.Output):
            for child in node.nodes:
                self._printed(child)
        match node:
            case nodes.Getattr():
                self._getattr(node)
            case nodes.Name():
                self._name(node)
            case nodes.For():
                self._for(node)
            case nodes.Filter():
                self._filter(node)
                self._children(node)
            case nodes.Test():
                self._known(node, node.name, TESTS, "test")
                self._children(node)
            case nodes.CondExpr():
                if node.expr2 is None:
                    fix = 'Write {{ "this" if condition else "that" }}.'
                    self.note(node, "the inline if has no else", fix)
                self._children(node)
            case nodes.Compare():
                self._compare(node)
            case nodes.Call():
                fix = "Use a filter, for example {{ customer.first_name | upper }}."
                self.note(node, "a template cannot call anything", fix)
            case nodes.Getitem():
                self.note(node, "a template cannot use [ ]", "Write customer.first_name.")
            case _ if isinstance(node, _OPERATORS):
                if isinstance(node, _ARITHMETIC):
                    self.mistakes += self.types.in_arithmetic(node)
                self._children(node)
            case _:
                self._refused(node)

    def _children(self, node: nodes.Node) -> None:
        for child in node.iter_child_nodes():
            self.visit(child)

    def _refused(self, node: nodes.Node) -> None:
        if isinstance(node, nodes.Pow):
            self.note(node, "a template cannot use **", "Multiply, or compute it before.")
        elif isinstance(node, nodes.List | nodes.Tuple | nodes.Dict):
            self.note(node, "a list can stand after `in` only", 'Write {% if x in ["a", "b"] %}.')
        else:
            word = type(node).__name__.lower()
            fix = "Use {{ field }}, {% if %} and {% for %} only."
            self.note(node, f"a template cannot use {word}", fix)

    def _compare(self, node: nodes.Compare) -> None:
        self.mistakes += self.types.in_comparison(node)
        self.visit(node.expr)
        for operand in node.ops:
            if operand.op in ("in", "notin") and isinstance(operand.expr, nodes.List | nodes.Tuple):
                self._children(operand.expr)
            else:
                self.visit(operand.expr)

    def _getattr(self, node: nodes.Getattr) -> None:
        if not isinstance(node.node, nodes.Name):
            fix = f"A field is family.name: {names(self.families)}."
            self.note(node, f"there is nothing behind .{node.attr}", fix)
            return
        family = node.node.name
        if family == "loop" and self.loop_names:
            if node.attr not in LOOP_ATTRIBUTES:
                self.note(node, f"loop.{node.attr} is not offered", f"{names(LOOP_ATTRIBUTES)}.")
            return
        field = f"{family}.{node.attr}"
        if field in self.catalogue:
            self.fields.add(field)
        elif field.startswith(EVENT):
            message = f"`{node.attr[:60]}` cannot be a key of an event's data"
            self.note(node.node, message, "Use letters, digits and underscores.")
        else:
            self.note(node.node, f"there is no field {field}", self._meant(family, node.attr))

    def _meant(self, family: str, last: str) -> str:
        """The fix for an unknown field."""
        siblings = [name for name in self.catalogue.names() if name.startswith(f"{family}.")]
        if not siblings:
            near = difflib.get_close_matches(family, self.families, n=1, cutoff=0.75)
            if near and f"{near[0]}.{last}" in self.catalogue:
                return f"Did you mean {near[0]}.{last}?"
            return _nearest(f"{family}.{last}", self.catalogue.names()) or "Use a field."
        # Without the family, which is alike in all of them; and short words are alike by chance.
        lasts = [name.partition(".")[2] for name in siblings]
        if close := difflib.get_close_matches(last, lasts, n=1, cutoff=0.8):
            return f"Did you mean {family}.{close[0]}?"
        return f"There are {', '.join(siblings)}."

    def _name(self, node: nodes.Name) -> None:
        if node.name in self.loop_names or node.lineno in self.slot_offsets:
            return
        if node.name in self.families:
            known = (n for n in self.catalogue.names() if n.startswith(f"{node.name}."))
            example = next(known, EXAMPLE)
            fix = f"Name one field of it, such as {example}."
            self.note(node, f"{node.name} is a family of fields, not a value", fix)
        else:
            by_last = {name.split(".", 1)[1]: name for name in self.catalogue.names()}
            full = by_last.get(node.name)
            near = f"Did you mean {full}?" if full else _nearest(node.name, self.catalogue.names())
            self.note(node, f"there is no variable {node.name}", near or "Use a field.")

    def _for(self, node: nodes.For) -> None:
        if not self._is_list(node.iter):
            self.note(node, "a loop can run over a list field only", self._list_fields())
        self.visit(node.iter)
        if self.loop_names:
            self.note(node, "a loop cannot stand inside a loop", "Write one loop after the other.")
        if node.recursive:
            self.note(node, "a loop cannot be recursive", "Leave the word recursive out.")
        if not isinstance(node.target, nodes.Name):
            self.note(node, "a loop has one variable", "Write {% for tag in customer.tags %}.")
            return
        if node.target.name in self.families:
            fix = "Write {% for tag in customer.tags %}."
            self.note(node, f"a loop's variable cannot be called {node.target.name}", fix)
        self.loop_names.append(node.target.name)
        for child in (*node.body, *([node.test] if node.test else [])):
            self.visit(child)
        self.loop_names.pop()
        for child in node.else_:
            self.visit(child)

    def _is_list(self, node: nodes.Node) -> bool:
        return self.types.of(node) is FieldType.TAGS

    def _is_date(self, node: nodes.Node | None) -> bool:
        return node is not None and self.types.of(node) is FieldType.DATE

    def _list_fields(self) -> str:
        lists = [field.name for field in self.catalogue if field.type is FieldType.TAGS]
        return f"Write {{% for tag in {lists[0]} %}}." if lists else "There is no list field."

    def _printed(self, node: nodes.Node) -> None:
        if isinstance(node, nodes.Name) and node.name in self.slots:
            self.slot_offsets.add(node.lineno)
        kind = self.types.of(node)
        if kind is FieldType.TAGS:
            self.note(node, "a list cannot be printed as it is", 'Add | join(", ") to it.')
        elif kind is FieldType.BOOLEAN:
            self.note(node, "a yes-or-no field cannot be printed", "Write {% if ... %} with it.")

    def _known(self, node: nodes.Node, name: str, offered: Iterable[str], what: str) -> bool:
        if name in offered:
            return True
        near = _nearest(name, list(offered))
        self.note(node, f"there is no {what} {name}", near or f"There are: {names(offered)}.")
        return False

    def _filter(self, node: nodes.Filter) -> None:
        if not self._known(node, node.name, OFFERED, "filter"):
            return
        self.mistakes += self.types.in_filter(node)
        if node.node is None:
            self.note(node, "a filter block is not offered", "Write {{ field | filter }}.")
        if node.name == "money":
            self.fields.add("club.currency")
        if node.name == "time" or (node.name == "date" and not self._is_date(node.node)):
            self.fields.add("club.timezone")
        if node.name == "plural":
            self._plural(node)
        if node.name == "date" and node.args and isinstance(node.args[0], nodes.Const):
            self._date(node, node.args[0].value)

    def _plural(self, node: nodes.Filter) -> None:
        categories = plural_categories(self.language)
        if len(node.args) != len(categories) or node.kwargs:
            forms = ", ".join(f'"{category}"' for category in categories)
            message = f"plural needs {len(categories)} forms in the language {self.language}"
            self.note(node, message, f"Write {{{{ n | plural({forms}) }}}}.")

    def _date(self, node: nodes.Filter, style: Any) -> None:
        try:
            day_text(date(2026, 11, 22), str(style), self.language)
        except Unprintable as error:
            self.note(node, str(error), 'Write | date("long") or | date("d MMMM").')


def check(
    tree: nodes.Template, catalogue: Catalogue, language: str, slots: Sequence[str] = ()
) -> tuple[frozenset[str], list[Mistake]]:
    """The catalogue fields a tree reads, and its mistakes in the order of the text.

    The tree comes from `template_source.parse`: its nodes' `lineno` are offsets.
    `slots` are names that may be printed as they are: a layout's places for content.
    """
    checker = _Checker(catalogue, language, slots)
    checker.visit(tree)
    return frozenset(checker.fields), sorted(checker.mistakes, key=lambda found: found.offset)


def _nearest(name: str, known: list[str]) -> str:
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return f"Did you mean {close[0]}?" if close else ""

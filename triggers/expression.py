"""A condition: a Jinja expression over the catalogue of fields, compiled to SQL.

There is no second evaluator: one customer is judged by the same SQL, narrowed to her id.
Logic has two values. A comparison with an empty value is false, and so its `not` is true; an
empty yes-or-no field is false; `x == none` and `x is none` ask whether it is empty; an empty
value differs from everything (`x != "a"` is true). The same words mean the same in a template.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crm_store.asked import Asked
from crm_store.catalogue.field import Catalogue
from triggers.conditions.possible import impossible
from triggers.conditions.predicates import Not, Predicate
from triggers.conditions.reader import Reader
from triggers.conditions.syntax import ConditionError, parse_tree, split_at_and

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from crm_store.scope import MomentOf, Place, Scope

__all__ = ["Condition", "ConditionError", "Mention", "never", "parse_condition"]


@dataclass(frozen=True)
class Mention:
    """A text that the condition compares a field with; `offset` is where it stands."""

    field: str
    value: str
    offset: int


@dataclass(frozen=True)
class Condition:
    """A condition that was read: its fields exist, and its types fit."""

    text: str
    fields: frozenset[str]
    """Names of the fields it looks at."""
    mentions: tuple[Mention, ...]
    _predicate: Predicate = field(repr=False, compare=False)
    _built: "dict[Place, tuple[ColumnElement[bool], MomentOf]]" = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    """As SQL, where it was asked already, and what it says of the moment."""

    def sql(self, scope: "Scope") -> "ColumnElement[bool]":
        """The condition for the scope's customer: true or false, never NULL.

        Every value is a bound parameter.
        """
        # The database library loads here: a check reads conditions and asks for no SQL.
        from triggers.conditions.predicate_sql import predicate_sql

        return predicate_sql(self._predicate, scope)

    def asked(self, scope: "Scope") -> "Asked[ColumnElement[bool]]":
        """The same, built once for all moments at which it is asked."""
        from crm_store.scope import moment_of

        if scope.place not in self._built:
            sql = self.sql(scope)
            self._built[scope.place] = sql, moment_of(sql)
        sql, moment = self._built[scope.place]
        return Asked(sql, scope.told(moment))


def never(*, hold: Sequence[Condition], fail: Sequence[Condition] = ()) -> bool:
    """Whether it is proved that never all of `hold` are true while all of `fail` are false.

    False says nothing: only what is simple is proved.
    """
    return impossible([*(one._predicate for one in hold), *(Not(one._predicate) for one in fail)])


def parse_condition(text: str, catalogue: Catalogue) -> Condition:
    """Read a condition. Raises `ConditionError` with the offset of what is wrong in it."""
    reader = Reader(catalogue)
    predicate = reader.condition(parse_tree(text))
    mentions = tuple(Mention(*mention) for mention in reader.mentions)
    return Condition(text, frozenset(reader.fields), mentions, predicate)


def condition_parts(condition: Condition, catalogue: Catalogue) -> list[Condition]:
    """The conditions that `and` joins to this one; itself alone where it has no such parts."""
    texts = split_at_and(condition.text)
    if len(texts) < 2:
        return [condition]
    return [parse_condition(text, catalogue) for text in texts]

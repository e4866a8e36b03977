"""A condition that was read, as a tree: what is asked, without the SQL that asks it."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from crm_store.catalogue.field import Field
from triggers.conditions.terms import Term

Sign: TypeAlias = Literal["==", "<", "<=", ">", ">="]


@dataclass(frozen=True)
class Always:
    """`true` or `false`."""

    holds: bool


@dataclass(frozen=True)
class AllOf:
    """`and`."""

    parts: tuple["Predicate", ...]


@dataclass(frozen=True)
class AnyOf:
    """`or`."""

    parts: tuple["Predicate", ...]


@dataclass(frozen=True)
class Not:
    """`not`."""

    part: "Predicate"


@dataclass(frozen=True)
class IsTrue:
    """A field that is true or false; false when it is empty."""

    term: Term


@dataclass(frozen=True)
class IsFalse:
    """`== false`: false when it is empty too."""

    term: Term


@dataclass(frozen=True)
class IsEmpty:
    """`is none`."""

    term: Term


@dataclass(frozen=True)
class Compared:
    """A comparison of two values: false when either side is empty."""

    left: Term
    sign: Sign
    right: Term


@dataclass(frozen=True)
class OneOf:
    """`in [...]`: false when the term is empty."""

    term: Term
    items: tuple[Term, ...]


@dataclass(frozen=True)
class HasWord:
    """`"vip" in customer.tags`."""

    field: Field
    word: str


Predicate: TypeAlias = (
    Always | AllOf | AnyOf | Not | IsTrue | IsFalse | IsEmpty | Compared | OneOf | HasWord
)

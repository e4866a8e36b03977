"""What a field is, and the catalogue that holds a club's fields."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from crm_store.catalogue.values import (
    PACKAGES,
    CountOf,
    LeastOf,
    OfCustom,
    OfCustomer,
    OfMembership,
    Value,
)

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement

    from crm_store.scope import Scope


class FieldType(StrEnum):
    """What kind of value a field holds."""

    TEXT = "text"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    TAGS = "tags"
    """A set of words: in a condition it answers only to `in`."""
    ANY = "any"
    """A text, a number, true or false: only each value itself tells."""

    @property
    def called(self) -> str:
        """The type in words: `a whole number`."""
        return _CALLED[self]


_CALLED = {
    FieldType.TEXT: "text",
    FieldType.INTEGER: "a whole number",
    FieldType.NUMBER: "a number",
    FieldType.BOOLEAN: "true or false",
    FieldType.DATE: "a date",
    FieldType.TAGS: "a set of tags",
    FieldType.ANY: "a value of any type",
}


@dataclass(frozen=True)
class Field:
    """One field: declared once, used by conditions, templates, imports, schema and reference."""

    name: str
    """`family.name`, such as ``customer.first_name``."""
    type: FieldType
    label: str
    example: Any
    value: Value
    always: bool = False
    """There is always a value; the others may be empty."""
    personal: bool = False
    """It may identify a person: it never reaches a log, an artifact or an orchestrator."""

    @property
    def example_in_a_row(self) -> Any:
        """The example as the store would give it: tags are one text."""
        return "\n".join(self.example) if self.type is FieldType.TAGS else self.example

    # The database library loads where SQL is asked for: importing it takes longer than checking
    # every file of a club, and a check asks for none.

    def sql(self, scope: "Scope") -> "ColumnElement[Any]":
        """Its value for the customer of a scope; of a `TAGS` field all words, by line feeds."""
        from crm_store.catalogue.value_sql import value_sql

        return value_sql(self.value, scope)

    def counted(self, most: int, scope: "Scope") -> "ColumnElement[Any] | None":
        """Of a field that is a number of rows: the number, or `most` where there are more."""
        from crm_store.catalogue.value_sql import count_sql

        return count_sql(self.value, most, scope) if isinstance(self.value, CountOf) else None

    def contains(self, word: str, scope: "Scope") -> "ColumnElement[bool]":
        """Of a `TAGS` field: whether the customer of a scope has this word in it."""
        from crm_store.catalogue.value_sql import contains_sql

        return contains_sql(self.value, word, scope)


class Catalogue:
    """The fields of one club, by name."""

    def __init__(self, fields: Iterable[Field]) -> None:
        self._fields = {field.name: field for field in fields}

    def __getitem__(self, name: str) -> Field:
        return self._fields[name]

    def __contains__(self, name: object) -> bool:
        return name in self._fields

    def __iter__(self) -> Iterator[Field]:
        return iter(self._fields.values())

    def replaced(self, field: Field) -> "Catalogue":
        """With this field in the place of the one of its name."""
        return Catalogue((self._fields | {field.name: field}).values())

    def without(self, name: str) -> "Catalogue":
        """Without the field of this name."""
        return Catalogue(field for field in self if field.name != name)

    def names(self) -> list[str]:
        """All field names, in the order of the reference page."""
        return list(self._fields)

    def families(self) -> set[str]:
        """`customer`, `membership`, ...: the names a template sees at the top."""
        return {name.split(".", 1)[0] for name in self._fields}


def has_days(field: Field) -> bool:
    """Whether a campaign can count from the date in a field: an index finds who has a day."""
    of_rows = OfCustomer | OfMembership | OfCustom
    return field.type is FieldType.DATE and (
        isinstance(field.value, of_rows) or field.value == LeastOf(PACKAGES, "expires_on")
    )
